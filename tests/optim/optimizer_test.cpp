#include "weft/optim/optimizer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "golden/golden.hpp"
#include "support/allocations.hpp"
#include "weft/autograd/record.hpp"
#include "weft/base/error.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"
#include "weft/optim/lbfgs.hpp"
#include "weft/optim/sgd.hpp"
#include "weft/optim/weight_average.hpp"

using namespace weft;

namespace {

struct Two {
  Parameter a{"layer.a", Tensor::full({2, 3}, 1)};
  Parameter b{"layer.b", Tensor::full({4}, 2)};
  std::vector<Parameter*> all = {&a, &b};

  void give_gradients() {
    a.add_grad(Tensor::full({2, 3}, 0.5));
    b.add_grad(Tensor::full({4}, -0.25));
  }
};

bool same(const StateDict& a, const StateDict& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].name != b[i].name || test::relative_error(a[i].tensor, b[i].tensor) != 0) return false;
  return true;
}

std::string message_of(optim::Optimizer& optimizer, const StateDict& state) {
  try {
    optimizer.load_state_dict(state);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an optimizer refuses parameters that it can't tell apart") {
  Parameter a("a", Tensor::zeros({2})), twin("a", Tensor::zeros({2}));
  CHECK_THROWS_AS(optim::SGD(std::vector<Parameter*>{}), ValueError);
  CHECK_THROWS_AS(optim::SGD(std::vector<Parameter*>{nullptr}), ValueError);
  CHECK_THROWS_AS(optim::SGD(std::vector{&a, &a}), ValueError);
  CHECK_THROWS_AS(optim::SGD(std::vector{&a, &twin}), ValueError);
  CHECK_THROWS_AS(optim::SGD({{.parameters = {&a}}, {.parameters = {&a}}}), ValueError);
  CHECK_THROWS_AS(optim::SGD({{.parameters = {&a}, .lr_factor = -1}}), ValueError);
  CHECK_THROWS_AS(optim::SGD({{.parameters = {&a}, .weight_decay = -1}}), ValueError);
}

TEST_CASE("a parameter without a gradient stays as it is, its state too") {
  Two two;
  optim::Adam adam(two.all, {.weight_decay = 0.1});
  two.b.add_grad(Tensor::ones({4}));
  adam.step();
  CHECK(two.a.value().at({0, 0}) == 1);
  CHECK(two.b.value().at({0}) < 2);
  const auto state = adam.state_dict();
  CHECK(state[1].name == "layer.a.step");
  CHECK(state[1].tensor.item() == 0);
  CHECK(state[4].tensor.item() == 1);
}

TEST_CASE("a step uses the gradients up: one without any is an error that changes nothing") {
  Two two;
  two.give_gradients();
  optim::SGD sgd(two.all, {.lr = 1, .momentum = 0.9});
  sgd.step();
  CHECK(two.a.value().at({1, 2}) == 0.5);
  CHECK(two.b.value().at({3}) == 2.25);
  const auto state = copy_of(sgd.state_dict());
  CHECK_THROWS_WITH_AS(sgd.step(), doctest::Contains("call tape.backward(loss)"), TapeError);
  CHECK(two.a.value().at({1, 2}) == 0.5);
  CHECK(same(state, sgd.state_dict()));
}

TEST_CASE("clear_grad uses the gradients up without a step") {
  Two two;
  two.give_gradients();
  optim::SGD sgd(two.all, {.lr = 1});
  sgd.clear_grad();
  CHECK_FALSE(two.a.grad().defined());
  CHECK_THROWS_AS(sgd.step(), TapeError);
  CHECK(two.a.value().at({0, 0}) == 1);
}

TEST_CASE("a failed step leaves parameters, gradients and state as they were") {
  Two two;
  optim::Adam adam(two.all, {});
  two.give_gradients();
  adam.step();
  two.give_gradients();
  const Tensor before = two.a.value().clone();
  const auto state = copy_of(adam.state_dict());
  SUBCASE("gradient of another shape") {
    two.b.mutable_grad() = Tensor::zeros({5});
    CHECK_THROWS_AS(adam.step(), ShapeError);
  }
  SUBCASE("gradient of another dtype") {
    two.b.mutable_grad() = Tensor::zeros({4}, f64);
    CHECK_THROWS_AS(adam.step(), DTypeError);
  }
  SUBCASE("parameter converted since") {
    two.b.to(f64);
    two.b.add_grad(Tensor::zeros({4}, f64));
    CHECK_THROWS_AS(adam.step(), DTypeError);
  }
  SUBCASE("parameter of another shape") {
    two.b.mutable_value() = Tensor::zeros({5});
    two.b.mutable_grad() = Tensor::zeros({5});
    CHECK_THROWS_AS(adam.step(), ShapeError);
  }
  SUBCASE("value that is a view with gaps") {
    two.b.mutable_value() = Tensor::zeros({4, 2}).select(1, 0);
    CHECK_THROWS_AS(adam.step(), ShapeError);
  }
  CHECK(test::relative_error(two.a.value(), before) == 0);
  CHECK(two.a.grad().defined());
  CHECK(same(state, adam.state_dict()));
}

TEST_CASE("a gradient that is a view counts by its elements") {
  Two two;
  two.b.mutable_grad() = Tensor::full({1}, 0.5).expand({4});
  optim::SGD sgd(two.all, {.lr = 1});
  sgd.step();
  for (std::int64_t i = 0; i < 4; ++i) CHECK(two.b.value().at({i}) == 1.5);
}

TEST_CASE("a value changed by a step is refused by a tape that saved it") {
  Parameter p("p", Tensor::ones({2}));
  p.add_grad(Tensor::ones({2}));
  optim::SGD sgd(std::vector{&p}, {});
  const Var var(p.value());
  const Saved saved(var);
  CHECK_NOTHROW(saved.get());
  sgd.step();
  CHECK_THROWS_AS(saved.get(), TapeError);
}

TEST_CASE("state comes back whatever its order") {
  Two two, other;
  optim::Adam adam(two.all, {.lr = 0.1}), fresh(other.all, {});
  for (int i = 0; i < 3; ++i) {
    two.give_gradients();
    adam.step();
  }
  const auto state = adam.state_dict();
  fresh.load_state_dict({state.rbegin(), state.rend()});
  CHECK(same(state, fresh.state_dict()));
  CHECK(fresh.lr() == 0.1);
}

TEST_CASE("a state that doesn't fit changes nothing and is named") {
  Two two;
  optim::Adam adam(two.all, {});
  two.give_gradients();
  adam.step();
  const auto before = copy_of(adam.state_dict());
  auto state = copy_of(before);
  for (auto& [name, tensor] : state) tensor.fill(7);
  std::string message;
  SUBCASE("missing and unexpected") {
    state.back().name = "layer.c.exp_avg_sq";
    message = message_of(adam, state);
    CHECK(has(message, "1 missing: 'layer.b.exp_avg_sq'; 1 unexpected: 'layer.c.exp_avg_sq'"));
    CHECK_THROWS_AS(adam.load_state_dict(state), ValueError);
  }
  SUBCASE("there twice") {
    state.push_back(state.back());
    message = message_of(adam, state);
    CHECK(has(message, "1 there twice: 'layer.b.exp_avg_sq'"));
  }
  SUBCASE("misshapen") {
    state.back().tensor = Tensor::zeros({5});
    message = message_of(adam, state);
    CHECK(has(message, "'layer.b.exp_avg_sq' is f32[5] where f32[4] is needed"));
    CHECK_THROWS_AS(adam.load_state_dict(state), ShapeError);
  }
  SUBCASE("another dtype") {
    state.back().tensor = Tensor::zeros({4}, f64);
    CHECK_THROWS_AS(adam.load_state_dict(state), DTypeError);
  }
  SUBCASE("undefined") {
    state.back().tensor = Tensor();
    CHECK_THROWS_AS(adam.load_state_dict(state), ValueError);
  }
  SUBCASE("a negative step") {
    state[1].tensor.fill(-1);
    message = message_of(adam, state);
    CHECK(has(message, "'layer.a.step' is -1"));
  }
  SUBCASE("a negative learning rate") {
    state[0].tensor.fill(-1);
    CHECK_THROWS_AS(adam.load_state_dict(state), ValueError);
  }
  SUBCASE("of another kind of optimizer") {
    message = message_of(adam, optim::SGD(two.all, {.momentum = 0.9}).state_dict());
    CHECK(has(message, "4 missing"));
    CHECK(has(message, "2 unexpected"));
    CHECK_FALSE(has(message, "behind"));
  }
  SUBCASE("behind a prefix") {
    StateDict run;
    add_part(run, "optimizer.", state);
    message = message_of(adam, run);
    CHECK(has(message, "\n  all of them are there behind 'optimizer.': load part_of(state, \"optimizer.\")"));
  }
  SUBCASE("of a prefix that no name has") {
    message = message_of(adam, part_of(state, "optimiser."));
    CHECK(has(message, "\n  the state is empty"));
  }
  CHECK(same(before, adam.state_dict()));
}

TEST_CASE("no parameters are refused with how a module gets some") {
  const std::vector<Parameter*> none;
  CHECK_THROWS_WITH_AS(
      optim::SGD(none, {}),
      doctest::Contains("[SGD] there are no parameters: to be a module's, members are made with {this, \"name\"}"), ValueError);
  CHECK_THROWS_AS(optim::LBFGS(none, {}), ValueError);
  CHECK_THROWS_AS(optim::WeightAverage(none, {}), ValueError);
}

TEST_CASE("a learning rate must be at least 0") {
  Two two;
  optim::SGD sgd(two.all, {});
  CHECK_THROWS_AS(sgd.set_lr(-1), ValueError);
  CHECK_THROWS_AS(sgd.set_lr(std::numeric_limits<double>::infinity()), ValueError);
  CHECK(sgd.lr() == 1e-3);
  sgd.set_lr(0);
  CHECK(sgd.lr() == 0);
}

TEST_CASE("state counts as the optimizer's memory") {
  Parameter p("p", Tensor::zeros({1000}));
  const auto used = [] { return memory_statistics().by_category[static_cast<std::size_t>(MemoryCategory::optimizer)].current; };
  const std::int64_t before = used();
  const optim::Adam adam(std::vector{&p}, {});
  CHECK(used() - before == 8008);
}

TEST_CASE("steps in steady state take no memory from the system") {
  Parameter p("p", Tensor::zeros({300, 200})), q("q", Tensor::zeros({7}, f64));
  const std::vector<Parameter*> all{&p, &q};
  optim::AdamW adam(all, {});
  optim::SGD sgd(all, {.momentum = 0.9});
  const auto step = [&](optim::Optimizer& optimizer) {
    p.add_grad(Tensor::full({300, 200}, 0.5));
    q.add_grad(Tensor::full({7}, 0.5, f64));
    optim::clip_grad_norm(all, 1.0);
    optimizer.step();
  };
  for (int i = 0; i < 3; ++i) {
    step(adam);
    step(sgd);
  }
  const std::int64_t misses = memory_statistics().pool_misses, calls = test::operator_new_calls();
  for (int i = 0; i < 3; ++i) {
    step(adam);
    step(sgd);
  }
  // Read before the checks, which may allocate themselves.
  const std::int64_t misses_now = memory_statistics().pool_misses, calls_now = test::operator_new_calls();
  CHECK(misses_now == misses);
  CHECK(calls_now == calls);
}

TEST_CASE("parameters without elements take steps") {
  Parameter p("p", Tensor::zeros({0, 3}));
  p.add_grad(Tensor::zeros({0, 3}));
  optim::Adam adam(std::vector{&p}, {});
  adam.step();
  CHECK(adam.state_dict()[1].tensor.item() == 1);
}
