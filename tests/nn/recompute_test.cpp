#include "weft/autograd/recompute.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "support/random.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/dropout.hpp"
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

TEST_CASE("a part of a batch that is recomputed has the masks of its rows") {
  const Tensor values = uniform({2, 8}, 1, 2, 1);
  const auto gradient = [&](int depth, bool create_graph) {
    Generator generator(1);
    Tape tape(generator, 8);
    const Var x = tape.leaf(values);
    std::function<Var(const std::vector<Var>&)> f = [](const std::vector<Var>& in) { return dropout(in[0], 0.5); };
    for (int i = 1; i < depth; ++i) f = [f](const std::vector<Var>& in) { return recompute(f, {in[0]}); };
    const Var y = depth == 0 ? dropout(x, 0.5) : recompute(f, {x});
    tape.backward(sum(y * y), {.create_graph = create_graph});
    return std::pair(y.value().clone(), tape.grad(x).clone());
  };
  const auto plain = gradient(0, false);
  for (const int depth : {1, 2})
    for (const bool create_graph : {false, true}) {
      INFO(depth, " deep", create_graph ? ", create_graph" : "");
      const auto again = gradient(depth, create_graph);
      CHECK(largest_difference(again.first, plain.first) == 0);
      CHECK(largest_difference(again.second, plain.second) == 0);
    }
}

TEST_CASE("a Jacobian under a tape of part of a batch has the masks of its rows") {
  const Tensor values = uniform({2, 3}, 1, 2, 1);
  Generator generator(1), same(1);
  Tensor mask;
  {
    Tape tape(same, 8);
    mask = dropout(tape.leaf(Tensor::ones({2, 3}, f64)), 0.5).value().clone();
  }
  Tape tape(generator, 8);
  const Tensor found = jacobian([](const std::vector<Var>& in) { return dropout(in[0], 0.5); }, {values})[0];
  const Tensor diagonal = found.reshape({6, 6});
  for (std::int64_t i = 0; i < 6; ++i) CHECK(diagonal.at({i, i}) == mask.reshape({6}).at({i}));
}
