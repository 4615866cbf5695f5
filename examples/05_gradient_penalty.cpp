// A critic learns to tell points of a ring from points in its middle, with its slope held at 1: the gradient is part of the
// loss (Gulrajani et al. 2017, "Improved Training of Wasserstein GANs"). Its scores then differ by the distance between both.
//
//   05_gradient_penalty
//
// Ends with 1 if the norm of the gradient is further than 0.1 from 1 in the end.
#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <weft/weft.hpp>

using namespace weft;

namespace {

constexpr std::int64_t count = 128;  // points of a batch

// Normally distributed (Box and Muller).
double normal(Generator& generator) {
  const double radius = std::sqrt(-2 * std::log(1 - generator.uniform()));
  return radius * std::cos(2 * std::numbers::pi * generator.uniform());
}

// f32 [count, 2]: a ring of that radius, a little blurred.
Tensor draw(double radius, Generator& generator) {
  Tensor points = Tensor::empty({count, 2});
  auto* place = points.mutable_data<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    const double angle = 2 * std::numbers::pi * generator.uniform();
    place[2 * i] = static_cast<float>(radius * std::cos(angle) + 0.1 * normal(generator));
    place[2 * i + 1] = static_cast<float>(radius * std::sin(angle) + 0.1 * normal(generator));
  }
  return points;
}

// Somewhere on the way from each point of `a` to the one of `b`.
Tensor between(const Tensor& a, const Tensor& b, Generator& generator) {
  Tensor share = Tensor::empty({count, 1});
  auto* s = share.mutable_data<float>();
  for (std::int64_t i = 0; i < count; ++i) s[i] = static_cast<float>(generator.uniform());
  return (a + share * (Var(b) - a)).value();
}

class Critic : public nn::Module<Critic> {
 public:
  explicit Critic(std::int64_t hidden, const nn::Scope& scope = {})
      : Module(scope),
        first({.in_features = 2, .out_features = hidden}, {this, "first"}),
        second({.in_features = hidden, .out_features = hidden}, {this, "second"}),
        last({.in_features = hidden, .out_features = 1}, {this, "last"}) {}

  Var forward(const Var& x) { return last(tanh(second(tanh(first(x))))); }

 private:
  nn::Linear first, second, last;
};

// |d critic / d x| at each point. A score depends on its own point alone, so the gradient of their sum has all of them.
Var slopes(Critic& critic, const Var& points) {
  const Var gradient = grad(sum(critic(points)), {points}, {.create_graph = true})[0];
  return sqrt(sum(square(gradient), {1}) + 1e-12);
}

}  // namespace

int main() {
  Generator generator(1);
  Critic critic(64);
  optim::Adam optimizer(critic.parameters(), {.lr = 5e-3, .betas = {0.5, 0.9}});

  double norms = 0;
  constexpr int steps = 300, last_ones = 50;
  for (int step = 1; step <= steps; ++step) {
    const Tensor ring = draw(2, generator), middle = draw(0, generator);
    Tape tape;
    const Var apart = mean(critic(ring)) - mean(critic(middle));
    const Var slope = slopes(critic, tape.leaf(between(ring, middle, generator)));
    const Var loss = 10 * mean(square(slope - 1)) - apart;
    tape.backward(loss);
    optimizer.step();
    const double norm = mean(slope).item();
    if (step > steps - last_ones) norms += norm / last_ones;
    if (step == 1 || step % 50 == 0) fmt::print("step {:3}  scores apart by {:.3f}, slope {:.3f}\n", step, apart.item(), norm);
  }
  fmt::print("slope over the last {} steps: {:.3f}\n", last_ones, norms);
  return std::abs(norms - 1) < 0.1 ? 0 : 1;
}
