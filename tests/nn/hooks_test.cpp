#include <doctest/doctest.h>

#include <string>

#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/attention/local.hpp"
#include "weft/nn/attention/pointer_generator.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;

namespace {

class Network : public nn::Module<Network> {
 public:
  explicit Network(const nn::Scope& scope = {})
      : Module(scope),
        first({.in_features = 2, .out_features = 3}, {this, "first"}),
        second({.in_features = 3, .out_features = 1}, {this, "second"}) {}
  Var forward(const Var& x) { return second(tanh(first(x))); }

  nn::Linear first, second;
};

class Outputs : public nn::Observer {
 public:
  void entered(const nn::ModuleBase&) override {}
  void left(const nn::ModuleBase& module, const Var& output) override {
    if (std::string(module.path()) == "first") seen = output;
  }
  Var seen;
};

class Last : public nn::Observer {
 public:
  void entered(const nn::ModuleBase&) override {}
  void left(const nn::ModuleBase&, const Var& output) override { seen = output; }
  Var seen;
};

}  // namespace

TEST_CASE("a hook on a module's output sees it and may replace it") {
  Network network;
  const Tensor x = Tensor::ones({4, 2});
  const Tensor plain = network(x).value();
  std::string seen;
  network.first.on_output([&](const nn::ModuleBase& module, const Var& output) {
    seen += std::string(module.path()) + " " + output.describe() + " in " + current_scope();
    return Var();
  });
  CHECK(network(x).value().at({3, 0}) == plain.at({3, 0}));
  CHECK(seen == "first f32[4, 3] in first");

  network.first.on_output([](const nn::ModuleBase&, const Var& output) { return output * 0; });
  network.second.on_output([](const nn::ModuleBase&, const Var& output) { return output + 7; });
  network.second.on_output([](const nn::ModuleBase&, const Var& output) { return output * 2; });
  Outputs observer;
  Tape tape;
  const Var y = network(x);
  CHECK(y.value().at({0, 0}) == doctest::Approx(2 * (7 + network.second.parameters()[1]->value().at({0}))));
  CHECK(observer.seen.value().at({0, 0}) == 0);
  tape.backward(sum(y));
  CHECK(network.first.parameters()[0]->grad().at({0, 0}) == 0);

  network.first.clear_output_hooks();
  network.second.clear_output_hooks();
  CHECK(network(x).value().at({3, 0}) == plain.at({3, 0}));
  CHECK_THROWS_AS(network.on_output({}), ValueError);
}

TEST_CASE("of a struct the hook sees the main member") {
  nn::LSTM lstm({.input_size = 2, .hidden_size = 3});
  lstm.on_output([](const nn::ModuleBase&, const Var& output) { return output * 0 + 5; });
  const auto result = lstm(Tensor::ones({1, 4, 2}));
  CHECK(result.output.value().at({0, 3, 2}) == 5);
}

TEST_CASE("calls by another name than forward run hooks and are seen, too") {
  nn::attention::LocalM local({.query_dim = 2, .key_dim = 2, .window = 1});
  nn::attention::PointerGenerator head({.context_dim = 2, .state_dim = 2});
  const nn::OutputHook hook = [](const nn::ModuleBase&, const Var& output) { return output * 0 + 5; };
  local.on_output(hook);
  head.on_output(hook);
  Last observer;
  const Var x = Tensor::ones({1, 3, 2});
  const auto attended = local.at(Tensor::zeros({1, 3}, i64), x, local.remember(x, x));
  CHECK(attended.context.value().at({0, 2, 1}) == 5);
  CHECK(observer.seen.value().at({0, 2, 1}) == 5);
  const nn::attention::PointerGeneratorInput in = {
      .context = x, .state = x, .logits = x, .weights = attended.weights, .source = Tensor::zeros({1, 3}, i64), .extended = 2};
  CHECK(head.log_probabilities(in).value().at({0, 2, 1}) == 5);
  CHECK(observer.seen.shape() == Shape{1, 3, 2});
  CHECK(head.loss(in, Tensor::zeros({1, 3}, i64)).item() != 5);  // which isn't the head's output
  CHECK(observer.seen.rank() == 3);
}
