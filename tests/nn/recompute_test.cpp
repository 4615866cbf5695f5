#include "weft/autograd/recompute.hpp"

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// x + dropout(W2 gelu(W1 norm(x)))
class Block : public nn::Module<Block> {
 public:
  explicit Block(std::int64_t size, const nn::Scope& scope = {})
      : Module(scope),
        norm({.normalized_shape = size}, {this, "norm"}),
        up({.in_features = size, .out_features = 4 * size}, {this, "up"}),
        down({.in_features = 4 * size, .out_features = size}, {this, "down"}),
        drop({.p = 0.25}, {this, "drop"}) {}
  Var forward(const Var& x) { return x + drop(down(gelu(up(norm(x))))); }

 private:
  nn::LayerNorm norm;
  nn::Linear up, down;
  nn::Dropout drop;
};

class Stack : public nn::Module<Stack> {
 public:
  Stack(std::int64_t size, int count) : layers({this, "layers"}) {
    for (int i = 0; i < count; ++i) layers.emplace(size);
  }
  Var forward(const Var& x, bool again) {
    Var y = x;
    for (Block& layer : layers)
      y = again ? recompute([&layer](const std::vector<Var>& in) { return layer(in[0]); }, {y}) : layer(y);
    return y;
  }

 private:
  nn::List<Block> layers;
};

}  // namespace

TEST_CASE("recomputed blocks with dropout train like plain ones, to the bit") {
  Stack model(8, 3);
  const Tensor x = uniform({5, 8}, -1, 1, 1, f32);
  std::vector<Tensor> gradients;
  for (const bool again : {false, true}) {
    Generator generator(9);
    Tape tape(generator);
    tape.backward(mean(square(model(x, again))));
    std::size_t i = 0;
    for (Parameter* parameter : model.parameters()) {
      REQUIRE(parameter->grad().defined());
      if (!again) gradients.push_back(parameter->grad());
      if (again) CHECK(largest_difference(parameter->grad(), gradients[i]) == 0);
      parameter->clear_grad();
      ++i;
    }
  }
}

TEST_CASE("gradients through recompute agree with central differences") {
  Stack model(3, 2);
  model.to(f64);
  const Tensor x = uniform({2, 3}, -1, 1, 2);
  gradcheck([&](const std::vector<Var>& in) { return model(in[0], true); }, {x}).require();
  gradcheck_parameters([&] { return sum(square(model(x, true))); }, model.parameters()).require();
  // And second derivatives, through create_graph.
  gradcheck(
      [&](const std::vector<Var>& in) {
        // The numeric side evaluates with constants.
        const Var at = in[0].requires_grad() ? in[0] : Tape::recording()->leaf(in[0]);
        return grad(sum(square(model(at, true))), {at}, {.create_graph = true})[0];
      },
      {x}, {.rtol = 1e-4, .atol = 1e-6})
      .require();
}
