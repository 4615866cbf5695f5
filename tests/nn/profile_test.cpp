// A profile of modules: which of them has what.
#include "weft/autograd/profile.hpp"

#include <doctest/doctest.h>

#include "weft/autograd/tape.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/nn/summary.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"

using namespace weft;

namespace {

constexpr std::int64_t batch = 6, steps = 4, inputs = 5, hidden = 8, outputs = 3;

class Tagger : public nn::Module<Tagger> {
 public:
  Tagger()
      : encoder({.input_size = inputs, .hidden_size = hidden}, {this, "encoder"}),
        project({.in_features = hidden, .out_features = outputs}, {this, "project"}) {}
  Var forward(const Var& x) { return relu(project(encoder(x).output)); }

  nn::LSTM encoder;
  nn::Linear project;
};

const ProfileRow& row(const ProfileTable& table, const std::string& operation, const std::string& module) {
  for (const ProfileRow& each : table.rows)
    if (each.operation == operation && each.module == module) return each;
  FAIL("no row " << operation << ' ' << module);
  return table.total;
}

}  // namespace

TEST_CASE("a training step's profile has each module's work, forward and backward, and the update's") {
  Tagger model;
  optim::Adam optimizer(model.parameters(), {.lr = 0.1});
  const Tensor x = Tensor::ones({batch, steps, inputs});
  Profile profile;
  for (int i = 0; i < 2; ++i) {
    const Profiling on(profile);
    Tape tape;
    const Var loss = sum(model(tape.leaf(x)));
    tape.backward(loss);
    optim::clip_grad_norm(model.parameters(), 1);
    optimizer.step();
  }
  const ProfileTable both = profile.by_both(), modules = profile.by_module();
  CHECK(row(both, "relu", "").forward.calls == 2);
  CHECK(row(both, "sum", "").backward.calls == 2);
  CHECK(row(both, "lstm", "encoder").forward.calls == 2);
  CHECK(row(both, "lstm", "encoder").backward.calls == 2);
  CHECK(row(both, "Adam", "").forward.calls == 2);
  CHECK(row(both, "clip_grad_norm", "").forward.calls == 2);

  // dx = dy W and dW = dy^T x: twice the forward work.
  const ProfileRow& linear = row(both, "linear", "project");
  CHECK(linear.forward.calls == 2);
  CHECK(linear.backward.calls == 2);
  CHECK(linear.forward.multiply_adds == 2 * batch * steps * hidden * outputs);
  CHECK(linear.backward.multiply_adds == 2 * 2 * batch * steps * hidden * outputs);

  constexpr std::int64_t gates = 2 * batch * steps * 4 * hidden * (inputs + hidden);
  CHECK(row(modules, "", "encoder").forward.multiply_adds == gates);
  CHECK(row(modules, "", "encoder").backward.multiply_adds == 2 * gates);
  CHECK(row(modules, "", "").forward.multiply_adds == 0);
  CHECK(modules.total.forward.multiply_adds == 2 * nn::summary(model, x).multiply_adds);
}
