#include "weft/optim/adafactor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "optim/golden_steps.hpp"
#include "optim/trajectory.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"

using namespace weft;

namespace {

double root_mean_square(const std::vector<double>& x) {
  double sum = 0;
  for (const double element : x) sum += element * element;
  return std::sqrt(sum / static_cast<double>(x.size()));
}

// Shazeer and Stern 2018, algorithm 4 for matrices of `columns` columns, algorithm 5 for vectors (columns 0), by sums as there.
struct PlainAdafactor {
  std::size_t columns;
  double lr, decay;
  std::vector<double> r = {}, c = {}, v = {};

  void operator()(std::vector<double>& value, const std::vector<double>& grad, int step) {
    const double beta2 = 1 - std::pow(step, -0.8);
    const std::size_t size = value.size(), rows = columns == 0 ? 0 : size / columns;
    r.resize(rows);
    c.resize(columns);
    v.resize(size);
    std::vector<double> row_sums(rows), column_sums(columns);
    for (std::size_t i = 0; i < size; ++i) {
      const double square = grad[i] * grad[i] + 1e-30;
      if (columns == 0) {
        v[i] = beta2 * v[i] + (1 - beta2) * square;
      } else {
        row_sums[i / columns] += square;
        column_sums[i % columns] += square;
      }
    }
    double total = 0;
    for (std::size_t i = 0; i < rows; ++i) total += r[i] = beta2 * r[i] + (1 - beta2) * row_sums[i];
    for (std::size_t j = 0; j < columns; ++j) c[j] = beta2 * c[j] + (1 - beta2) * column_sums[j];
    if (columns != 0)
      for (std::size_t i = 0; i < size; ++i) v[i] = r[i / columns] * c[i % columns] / total;
    std::vector<double> u(size);
    for (std::size_t i = 0; i < size; ++i) u[i] = grad[i] / std::sqrt(v[i]);
    const double rate = std::max(1e-3, root_mean_square(value)) * std::min(lr, 1 / std::sqrt(step));
    const double clip = std::max(1.0, root_mean_square(u));
    for (std::size_t i = 0; i < size; ++i) value[i] = value[i] * (1 - lr * decay) - rate * u[i] / clip;
  }
};

}  // namespace

TEST_CASE("Adafactor ends a hundred steps where the paper's formulas do, groups or not") {
  for (const double lr : {0.02, 0.1}) {
    INFO("lr ", lr);
    const PlainAdafactor weight = {.columns = 7, .lr = lr, .decay = 0.01};
    PlainAdafactor bias = {.columns = 0, .lr = lr, .decay = 0.01};
    const optim::AdafactorOptions options = {.lr = lr, .weight_decay = 0.01};
    test::check_trajectory({weight, bias},
                           [&](const std::vector<Parameter*>& p) { return std::make_unique<optim::Adafactor>(p, options); });
    bias.lr /= 2;
    bias.decay = 0;
    test::check_trajectory({weight, bias}, [&](const std::vector<Parameter*>& p) {
      return std::make_unique<optim::Adafactor>(
          std::vector<optim::Group>{{.parameters = {p[0]}}, {.parameters = {p[1]}, .lr_factor = 0.5, .weight_decay = 0}},
          options);
    });
  }
}

TEST_CASE("Adafactor's state of a matrix is its rows and columns") {
  Parameter a("a", Tensor::zeros({5, 7}, f64)), b("b", Tensor::zeros({4})), c("c", Tensor::zeros({2, 3, 4, 6}));
  const auto state = optim::Adafactor(std::vector{&a, &b, &c}).state_dict();
  const auto shape_of = [&](const std::string& name) {
    for (const auto& [found, tensor] : state)
      if (found == name) return tensor.describe();
    return std::string("none");
  };
  CHECK(shape_of("a.exp_avg_sq_row") == "f64[5]");
  CHECK(shape_of("a.exp_avg_sq_col") == "f64[7]");
  CHECK(shape_of("b.exp_avg_sq") == "f32[4]");
  CHECK(shape_of("c.exp_avg_sq_row") == "f32[2, 3, 4]");
  CHECK(shape_of("c.exp_avg_sq_col") == "f32[2, 3, 6]");
  CHECK(state.size() == 9);
}

TEST_CASE("more dimensions are as many matrices for Adafactor") {
  // Without a clip and with one scale the matrices don't touch each other.
  const optim::AdafactorOptions options = {.eps = {1e-30, 1e3}, .d = std::numeric_limits<double>::infinity()};
  Generator generator(5);
  Parameter whole("whole", Tensor::randn({2, 3, 5}, generator, f64));
  Parameter first("first", whole.value().select(0, 0).clone()), second("second", whole.value().select(0, 1).clone());
  optim::Adafactor together(std::vector{&whole}, options), apart(std::vector{&first, &second}, options);
  for (int step = 0; step < 3; ++step) {
    const Tensor grad = Tensor::randn({2, 3, 5}, generator, f64);
    whole.add_grad(grad.clone());
    first.add_grad(grad.select(0, 0).clone());
    second.add_grad(grad.select(0, 1).clone());
    together.step();
    apart.step();
  }
  CHECK(test::relative_error(whole.value().select(0, 0), first.value()) < 1e-14);
  CHECK(test::relative_error(whole.value().select(0, 1), second.value()) < 1e-14);
}

TEST_CASE("Adafactor takes any number of threads and large and tiny gradients") {
  Generator generator(6);
  const Tensor start = Tensor::randn({70, 600}, generator), grad = Tensor::randn({70, 600}, generator);
  const int threads = num_threads();
  std::vector<Tensor> results;
  for (const int n : {1, 3}) {
    set_num_threads(n);
    Parameter p("p", start.clone());
    optim::Adafactor optimizer(std::vector{&p}, {});
    for (int step = 0; step < 2; ++step) {
      p.add_grad(grad.clone());
      optimizer.step();
    }
    results.push_back(p.value().clone());
  }
  set_num_threads(threads);
  CHECK(test::relative_error(results[0], results[1]) == 0);
  for (const float size : {1e-12f, 1e15f}) {  // whose squares' product would underflow or overflow
    Parameter p("p", Tensor::ones({3, 4}));
    p.add_grad(Tensor::full({3, 4}, size));
    optim::Adafactor(std::vector{&p}).step();
    CHECK(p.value().at({1, 1}) == doctest::Approx(0.99));
  }
}

TEST_CASE("Adafactor's defaults are the paper's") {
  const optim::AdafactorOptions o;
  CHECK(o.lr == 1e-2);
  CHECK(o.beta2_decay == -0.8);
  CHECK(o.eps == std::array{1e-30, 1e-3});
  CHECK(o.d == 1);
  CHECK(o.weight_decay == 0);
}

TEST_CASE("Adafactor takes parameters without elements and without dimensions") {
  Parameter none("none", Tensor::zeros({0, 3})), number("number", Tensor::full({}, 2));
  optim::Adafactor optimizer(std::vector{&none, &number}, {});
  none.add_grad(Tensor::zeros({0, 3}));
  number.add_grad(Tensor::full({}, 5));
  optimizer.step();
  CHECK(number.value().item() == doctest::Approx(1.98));
}

TEST_CASE("Adafactor: gradients of zero change nothing, not even without eps") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::full({19}, 0.3, type));
    optim::Adafactor optimizer(std::vector{&p}, {.eps = {0, 0}});
    for (int step = 0; step < 3; ++step) {
      p.add_grad(Tensor::zeros({19}, type));
      optimizer.step();
    }
    CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
  }
}

TEST_CASE("Adafactor: a matrix whose gradients are zero stays, not even without eps") {
  Parameter p("p", Tensor::full({3, 5}, 0.3));
  optim::Adafactor optimizer(std::vector{&p}, {.eps = {0, 1e-3}});
  Tensor grad = Tensor::zeros({3, 5});
  p.add_grad(grad.clone());
  optimizer.step();
  CHECK(test::relative_error(p.value(), Tensor::full({3, 5}, 0.3)) == 0);
  grad.slice(0, 1, 2).slice(1, 2, 3).fill(1);
  p.add_grad(grad.clone());
  optimizer.step();
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 5; ++j) CHECK((p.value().at({i, j}) == 0.3f) == (i != 1 || j != 2));
}

TEST_CASE("Adafactor refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::Adafactor(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adafactor(all, {.weight_decay = nan}), doctest::Contains("weight_decay is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adafactor(all, {.beta2_decay = 0.5}), doctest::Contains("beta2_decay is 0.5"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adafactor(all, {.eps = {-1, 0}}), doctest::Contains("eps is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adafactor(all, {.eps = {0, nan}}), doctest::Contains("eps is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adafactor(all, {.d = 0}), doctest::Contains("d is 0"), ValueError);
}
