#include "weft/optim/lbfgs.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "optim/trajectory.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"

using namespace weft;

namespace {

// Rosenbrock's valley from (-1.5, 2), whose lowest place is (1, 1).
struct Valley {
  explicit Valley(DType dtype = f64) : x("x", Tensor::full({}, -1.5, dtype)), y("y", Tensor::full({}, 2, dtype)) {}

  double operator()() {
    ++calls;
    Tape tape;
    const Var loss = square(1 - x.var()) + 100 * square(y.var() - square(x.var()));
    tape.backward(loss);
    return loss.item();
  }

  Parameter x, y;
  std::vector<Parameter*> all = {&x, &y};
  int calls = 0;
};

}  // namespace

TEST_CASE("L-BFGS takes PyTorch's steps, with line search and without") {
  const test::Golden golden = test::Golden::load("lbfgs");
  for (const bool wolfe : {false, true}) {
    const std::string name = wolfe ? "wolfe" : "plain";
    test::TrajectoryTask task(f64, 0.002), single(f32, 0.002), rounded(f32, 0.002), exact(f64, 0.002);
    const auto loss_at = [&exact](const test::TrajectoryTask& other) {
      for (std::size_t i = 0; i < exact.all.size(); ++i) {
        exact.all[i]->clear_grad();
        exact.all[i]->mutable_value().copy_from(other.all[i]->value());
      }
      return exact.backward();
    };
    const optim::LBFGSOptions options = {.lr = wolfe ? 1 : 0.1,
                                         .max_iter = 4,
                                         .history_size = 5,
                                         .line_search = wolfe ? optim::LineSearch::strong_wolfe : optim::LineSearch::none};
    // The loss and gradient of f32 values without f32's sums: of L-BFGS in f32 alone.
    const auto exactly = [&] {
      const double loss = loss_at(rounded);
      for (std::size_t i = 0; i < exact.all.size(); ++i) {
        rounded.all[i]->add_grad(exact.all[i]->grad().to(f32));
        exact.all[i]->clear_grad();
      }
      return loss;
    };
    optim::LBFGS lbfgs(task.all, options), in_f32(single.all, options), of_exact(rounded.all, options);
    int compared = 0, compared_in_f32 = 0;
    for (std::int64_t step = 1; step <= 25; ++step) {
      test::start_step_at(task, single);
      test::start_step_at(task, rounded);
      in_f32.load_state_dict(lbfgs.state_dict());
      of_exact.load_state_dict(lbfgs.state_dict());
      of_exact.step(exactly);
      in_f32.step([&] { return single.backward(); });
      const double loss = lbfgs.step([&] { return task.backward(); });
      CHECK(std::abs(loss - golden[name + ".loss"].at({step - 1})) <= 1e-8 * loss);
      for (std::size_t i = 0; i < task.all.size(); ++i) {
        const std::string key = name + "." + std::to_string(step) + "." + task.all[i]->name();
        INFO(key);
        if (golden.contains(key)) {
          CHECK(test::relative_error(task.all[i]->value(), golden[key]) <= 1e-8);
          ++compared;
        }
        CHECK(test::relative_error(rounded.all[i]->value(), task.all[i]->value()) <= 1e-4);
      }
      // Near the bottom f32 hardly tells losses apart, by which a line search chooses its points: there it gets as low. Not to
      // move at all would miss that by 2.3e-6 to 4.7e-6 in the first three of those steps.
      const double reached = loss_at(task);
      if (std::abs(loss - reached) < 1e-5 * loss) {
        CHECK(std::abs(loss_at(single) - reached) <= 1.5e-6 * reached);
        continue;
      }
      // Four iterations in f32, whose rounding grows as well.
      ++compared_in_f32;
      for (std::size_t i = 0; i < task.all.size(); ++i)
        CHECK(test::relative_error(single.all[i]->value(), task.all[i]->value()) <= 1e-4);
    }
    CHECK(compared == 12);  // both parameters after 1, 2, 3, 5, 10 and 25 steps
    CHECK(compared_in_f32 == (wolfe ? 17 : 25));
    CHECK(lbfgs.state_dict()[4].tensor.item() == golden[name + ".evaluations"].item());
  }
}

TEST_CASE("L-BFGS with line search finds the bottom of Rosenbrock's valley, where it stays") {
  for (const DType dtype : {f64, f32}) {
    Valley valley(dtype);
    optim::LBFGS lbfgs(valley.all, {.max_iter = 100, .line_search = optim::LineSearch::strong_wolfe});
    CHECK(lbfgs.step(std::ref(valley)) == doctest::Approx(6.25 + 100 * 0.0625));
    CHECK(valley.x.value().item() == doctest::Approx(1).epsilon(dtype == f64 ? 1e-5 : 1e-2));
    CHECK(valley.y.value().item() == doctest::Approx(1).epsilon(dtype == f64 ? 1e-5 : 1e-2));
    CHECK_FALSE(valley.x.grad().defined());
    CHECK(lbfgs.state_dict()[4].tensor.item() == valley.calls);
  }
}

TEST_CASE("L-BFGS goes on with the same bits after its state was loaded, and with any number of threads") {
  const int threads = num_threads();
  for (const optim::LineSearch search : {optim::LineSearch::none, optim::LineSearch::strong_wolfe}) {
    const optim::LBFGSOptions options = {.lr = 0.1, .max_iter = 3, .history_size = 4, .line_search = search};
    test::TrajectoryTask straight(f32), resumed(f32);
    optim::LBFGS whole(straight.all, options), first(resumed.all, options), second(resumed.all, options);
    const auto state_of_start = first.state_dict();
    second.load_state_dict(state_of_start);
    for (int step = 0; step < 6; ++step) {
      set_num_threads(1);
      whole.step([&] { return straight.backward(); });
      set_num_threads(3);
      if (step == 3) {
        auto state = first.state_dict();
        second.load_state_dict({state.rbegin(), state.rend()});
      }
      (step < 3 ? first : second).step([&] { return resumed.backward(); });
      set_num_threads(threads);
      for (std::size_t i = 0; i < 2; ++i) CHECK(test::relative_error(straight.all[i]->value(), resumed.all[i]->value()) == 0);
    }
    const auto a = whole.state_dict(), b = second.state_dict();
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(test::relative_error(a[i].tensor, b[i].tensor) == 0);
    CHECK(a[7].tensor.size(0) == 4);
  }
}

TEST_CASE("L-BFGS: a loss that isn't finite is too far in a line search, an error elsewhere that changes nothing") {
  Parameter p("p", Tensor::full({}, 3, f64));
  const auto log_loss = [&] {
    Tape tape;
    const Var loss = p.var() - log(p.var());  // nothing at 0 and below; lowest at 1
    tape.backward(loss);
    return loss.item();
  };
  const std::vector<Parameter*> all{&p};
  optim::LBFGS searching(all, {.lr = 50, .max_iter = 30, .line_search = optim::LineSearch::strong_wolfe});
  searching.step(log_loss);
  CHECK(p.value().item() == doctest::Approx(1).epsilon(1e-5));
  p.mutable_value().fill(3);
  optim::LBFGS blind(all, {.lr = 50});
  CHECK_THROWS_WITH_AS(blind.step(log_loss), doctest::Contains("the loss is"), NumericError);
  CHECK(p.value().item() == 3);
  CHECK_FALSE(p.grad().defined());
  CHECK(blind.state_dict()[3].tensor.item() == 0);
}

TEST_CASE("L-BFGS: a gradient that isn't finite and a loss of -inf are too far in a line search too") {
  Parameter p("p", Tensor::full({}, 3, f64));
  const std::vector<Parameter*> all{&p};
  const optim::LBFGSOptions options = {.lr = 3, .max_eval = 100, .line_search = optim::LineSearch::strong_wolfe};
  optim::LBFGS to_the_kink(all, options);
  to_the_kink.step([&] {  // |p|, which has no gradient at 0, where the first try is
    Tape tape;
    const Var loss = sqrt(square(p.var()));
    tape.backward(loss);
    return loss.item();
  });
  CHECK(std::abs(p.value().item()) < 3);
  p.mutable_value().fill(3);
  optim::LBFGS to_the_end(all, options);
  to_the_end.step([&] {  // log p is -inf at 0
    Tape tape;
    const Var loss = log(p.var());
    tape.backward(loss);
    return loss.item();
  });
  CHECK(p.value().item() > 0);
  CHECK(p.value().item() < 3);
}

TEST_CASE("L-BFGS refuses what it can't use, and nothing changes") {
  Valley valley;
  optim::LBFGS lbfgs(valley.all);
  CHECK_THROWS_WITH_AS(lbfgs.step({}), "[LBFGS] the function to evaluate is empty", ValueError);
  CHECK_THROWS_WITH_AS(lbfgs.step([] { return 1.0; }), doctest::Contains("no parameter has a gradient"), TapeError);
  CHECK_THROWS_AS(lbfgs.step([]() -> double { throw IoError("no data"); }), IoError);
  CHECK(valley.x.value().item() == -1.5);
  auto state = lbfgs.state_dict();
  state.pop_back();
  CHECK_THROWS_WITH_AS(lbfgs.load_state_dict(state), doctest::Contains("1 missing: 'old_stps'"), ValueError);
  state.emplace_back("old_stps", Tensor::zeros({1, 2}, f64));
  CHECK_THROWS_WITH_AS(lbfgs.load_state_dict(state), doctest::Contains("'old_stps' is f64[1, 2]"), ShapeError);
  const auto spoilt = [&](const std::string& name, const Tensor& value) {
    optim::LBFGS walked(valley.all, {.max_iter = 3});
    walked.step(std::ref(valley));
    auto given = walked.state_dict();
    for (auto& [key, tensor] : given)
      if (key == name) tensor = tensor.rank() == 0 ? value : value.expand(tensor.shape());
    lbfgs.load_state_dict(given);
  };
  CHECK_THROWS_WITH_AS(spoilt("t", Tensor::full({}, -1, f64)), doctest::Contains("t -1 must be finite"), ValueError);
  for (const char* name : {"d", "prev_flat_grad"})
    CHECK_THROWS_WITH_AS(spoilt(name, Tensor::full({1}, std::numeric_limits<double>::infinity(), f64)),
                         doctest::Contains("the largest elements of d and prev_flat_grad"), ValueError);
  CHECK_THROWS_WITH_AS(spoilt("h_diag", Tensor::zeros({}, f64)), doctest::Contains("h_diag 0 finite and positive"), ValueError);
  CHECK_THROWS_WITH_AS(spoilt("old_stps", Tensor::zeros({1, 1}, f64)),
                       doctest::Contains("row 0 of old_dirs and of old_stps have the product 0;"), ValueError);
  CHECK(lbfgs.state_dict()[3].tensor.item() == 0);
  valley.x.to(f32);
  CHECK_THROWS_AS(lbfgs.step(std::ref(valley)), DTypeError);
  const std::vector<Parameter*> all = valley.all, none, null{nullptr}, twice{&valley.x, &valley.x};
  CHECK_THROWS_AS(optim::LBFGS{none}, ValueError);
  CHECK_THROWS_AS(optim::LBFGS{null}, ValueError);
  CHECK_THROWS_AS(optim::LBFGS{twice}, ValueError);
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::LBFGS(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_NOTHROW(optim::LBFGS(all, {.max_iter = std::numeric_limits<std::int64_t>::max()}));
  CHECK_THROWS_WITH_AS(optim::LBFGS(all, {.max_iter = 0}), doctest::Contains("max_iter 0"), ValueError);
  CHECK_THROWS_WITH_AS(optim::LBFGS(all, {.max_eval = 0}), doctest::Contains("max_eval 0"), ValueError);
  CHECK_THROWS_WITH_AS(optim::LBFGS(all, {.tolerance_grad = nan}), doctest::Contains("tolerance_grad is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::LBFGS(all, {.tolerance_change = -1}), doctest::Contains("tolerance_change is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::LBFGS(all, {.history_size = 0}), doctest::Contains("history_size 0"), ValueError);
}
