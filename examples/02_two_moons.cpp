// A small network learns to tell two half circles apart that reach into each other.
//
//   02_two_moons
//
// Ends with 1 if it is right on fewer than 98 % of points that it hasn't seen.
#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <weft/weft.hpp>

using namespace weft;

namespace {

struct Points {
  Tensor places;  // f32 [count, 2]
  Tensor moons;   // i64 [count]: 0 or 1
};

Points draw(std::int64_t count, Generator& generator) {
  Points points{Tensor::empty({count, 2}), Tensor::empty({count}, i64)};
  auto* place = points.places.mutable_data<float>();
  auto* moon = points.moons.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    moon[i] = i % 2;
    const double angle = std::numbers::pi * generator.uniform();
    const double x = moon[i] == 0 ? std::cos(angle) : 1 - std::cos(angle);
    const double y = moon[i] == 0 ? std::sin(angle) : 0.5 - std::sin(angle);
    place[2 * i] = static_cast<float>(x + 0.5 * (generator.uniform() - 0.5));
    place[2 * i + 1] = static_cast<float>(y + 0.5 * (generator.uniform() - 0.5));
  }
  return points;
}

class Network : public nn::Module<Network> {
 public:
  explicit Network(std::int64_t hidden, const nn::Scope& scope = {})
      : Module(scope),
        first({.in_features = 2, .out_features = hidden}, {this, "first"}),
        second({.in_features = hidden, .out_features = hidden}, {this, "second"}),
        last({.in_features = hidden, .out_features = 2}, {this, "last"}) {}

  Var forward(const Var& x) { return last(tanh(second(tanh(first(x))))); }

 private:
  nn::Linear first, second, last;
};

// The share of points whose own moon has the larger score.
double accuracy(Network& network, const Points& points) {
  const Tensor scores = network(points.places).value();  // no tape is alive: nothing is recorded
  const float* score = scores.data<float>();
  const auto* moon = points.moons.data<std::int64_t>();
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < points.moons.numel(); ++i) right += (score[2 * i + 1] > score[2 * i]) == (moon[i] == 1) ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(points.moons.numel());
}

}  // namespace

int main() {
  Generator generator(1);
  const Points train = draw(500, generator), test = draw(1000, generator);
  Network network(32);
  optim::Adam optimizer(network.parameters(), {.lr = 0.01});

  for (int step = 1; step <= 300; ++step) {
    Tape tape;
    const Var loss = cross_entropy(network(train.places), train.moons);
    tape.backward(loss);
    optimizer.step();
    if (step % 50 == 0) fmt::print("step {:3}  loss {:.4f}\n", step, loss.item());
  }
  const double share = accuracy(network, test);
  fmt::print("right on {:.1f} % of {} new points\n", 100 * share, test.moons.numel());
  return share >= 0.98 ? 0 : 1;
}
