#include "weft/optim/clip.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "golden/golden.hpp"
#include "support/allocations.hpp"
#include "support/space_limit.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"
#include "weft/optim/adam.hpp"

using namespace weft;

namespace {

Tensor ramp(std::int64_t count) {
  Generator generator(5);
  Tensor result = Tensor::empty({count});
  auto* to = result.mutable_data<float>();
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(generator.uniform() - 0.5);
  return result;
}

}  // namespace

TEST_CASE("gradients above the norm are scaled as PyTorch scales them, f32 and f64 together") {
  Parameter a("a", Tensor::zeros({2})), b("b", Tensor::zeros({1}, f64)), none("none", Tensor::zeros({3}));
  a.add_grad(Tensor::from({2.0f, 3.0f}, {2}));
  b.add_grad(Tensor::from({6.0}, {1}));
  const auto result = optim::clip_grad_norm(std::vector{&a, &none, &b}, 1.0);
  CHECK(result.norm == 7);
  CHECK_FALSE(result.skipped);
  const double factor = 1 / (7 + 1e-6);
  CHECK(test::relative_error(a.grad(), Tensor::from({2 * factor, 3 * factor}, {2})) < 1e-7);
  CHECK(b.grad().item() == 6 * factor);
  CHECK_FALSE(none.grad().defined());
}

TEST_CASE("a gradient that has no memory to be copied to leaves all as they were") {
  if (test::pool_is_off()) return;
  Parameter small("small", Tensor::ones({3})), large("large", Tensor::zeros({4096, 3072}));
  small.add_grad(Tensor::ones({3}));
  large.add_grad(Tensor::ones({4096, 3072}));
  const Tensor seen = large.grad();
  trim_memory();
  const test::SpaceLimit limit(std::size_t{12} << 20);  // small ones have room, a copy of 48 MiB hasn't
  CHECK_THROWS_AS(optim::clip_grad_norm(std::vector{&small, &large}, 1), OutOfMemoryError);
  CHECK(small.grad().at({0}) == 1);
  CHECK(large.grad().at({0, 0}) == 1);
}

TEST_CASE("gradients below the norm keep their bits") {
  Parameter a("a", Tensor::zeros({2}));
  a.add_grad(Tensor::from({0.3f, 0.4f}, {2}));
  CHECK(optim::clip_grad_norm(std::vector{&a}, 1.0).norm == doctest::Approx(0.5));
  CHECK(a.grad().at({0}) == 0.3f);
  CHECK(optim::clip_grad_norm(std::vector{&a}, std::numeric_limits<double>::infinity()).norm == doctest::Approx(0.5));
  CHECK(a.grad().at({0}) == 0.3f);
}

TEST_CASE("a gradient that another handle sees is scaled in a copy, once for each parameter that has it") {
  Parameter a("a", Tensor::zeros({2})), b("b", Tensor::zeros({2}));
  const Tensor shared = Tensor::from({3.0f, 4.0f}, {2});
  a.mutable_grad() = shared;
  b.mutable_grad() = shared;
  CHECK(optim::clip_grad_norm(std::vector{&a, &b}, 1.0).norm == doctest::Approx(std::sqrt(50.0)));
  for (const Parameter* each : {&a, &b}) CHECK(each->grad().at({1}) == doctest::Approx(4 / std::sqrt(50.0)));
  CHECK(shared.at({1}) == 4);
}

TEST_CASE("no gradients have the norm 0") {
  Parameter a("a", Tensor::zeros({2}));
  CHECK(optim::clip_grad_norm(std::vector{&a}, 1.0).norm == 0);
  CHECK(optim::clip_grad_norm({}, 1.0).norm == 0);
}

TEST_CASE("the norm of the largest floats is finite") {
  constexpr float largest = std::numeric_limits<float>::max();
  Parameter a("a", Tensor::zeros({100}));
  a.add_grad(Tensor::full({100}, largest));
  CHECK(optim::clip_grad_norm(std::vector{&a}, 10.0).norm == doctest::Approx(10.0 * largest));
  CHECK(a.grad().at({99}) == doctest::Approx(1));
}

TEST_CASE("a gradient that is a view is scaled once") {
  Parameter a("a", Tensor::zeros({4}));
  a.mutable_grad() = Tensor::full({1}, 2).expand({4});
  CHECK(optim::clip_grad_norm(std::vector{&a}, 2.0).norm == 4);
  CHECK(a.grad().at({3}) == doctest::Approx(1));
}

TEST_CASE("a norm that isn't finite is an error naming the parameter, or skips the step") {
  Parameter a("first", Tensor::zeros({2})), b("second.weight", Tensor::zeros({20}));
  const std::vector<Parameter*> all{&a, &b};
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    a.add_grad(Tensor::full({2}, 3));
    Tensor grad = Tensor::zeros({20});
    grad.mutable_data<float>()[13] = bad;
    b.add_grad(grad);
    std::string message;
    try {
      optim::clip_grad_norm(all, 1.0);
    } catch (const NumericError& error) {
      message = error.what();
    }
    CHECK(message.find("'second.weight' f32[20]") != std::string::npos);
    CHECK(a.grad().at({0}) == 3);
    const auto result = optim::clip_grad_norm(all, 1.0, {.on_non_finite = optim::NonFinite::skip});
    CHECK(result.skipped);
    CHECK_FALSE(std::isfinite(result.norm));
    CHECK_FALSE(a.grad().defined());
    CHECK_FALSE(b.grad().defined());
  }
}

TEST_CASE("norms of large gradients are right: 1e30 in f32, 1e150 in f64") {
  Parameter a("a", Tensor::zeros({5})), b("b", Tensor::zeros({5}, f64));
  Tensor single = Tensor::from<float>({1e30f, 0, -1e30f, 0, 1}, {5}),
         wide = Tensor::from<double>({3e150, 0, -4e150, 0, 1}, {5});
  a.add_grad(single);
  CHECK(optim::clip_grad_norm(std::vector{&a}, 1.0).norm == doctest::Approx(std::sqrt(2.0) * 1e30));
  CHECK(a.grad().at({2}) == doctest::Approx(-std::sqrt(0.5)));
  b.add_grad(wide);
  CHECK(optim::clip_grad_norm(std::vector{&b}, 1.0).norm == doctest::Approx(5e150));
  CHECK(b.grad().at({0}) == doctest::Approx(0.6));
}

TEST_CASE("a step that is skipped leaves values, moments and step counts bitwise as they were") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()}) {
    Parameter a("a", Tensor::full({7}, 0.1)), b("b", Tensor::full({3}, -0.7));
    const std::vector<Parameter*> all{&a, &b};
    optim::Adam adam(all, {});
    a.add_grad(ramp(7));
    b.add_grad(ramp(3));
    adam.step();
    const auto copies = [&] {
      std::vector<Tensor> result{a.value().clone(), b.value().clone()};
      for (const auto& [name, tensor] : adam.state_dict()) result.push_back(tensor.clone());
      return result;
    };
    const std::vector<Tensor> before = copies();
    a.add_grad(ramp(7));
    Tensor grad = ramp(3);
    grad.slice(0, 1, 2).fill(bad);
    b.add_grad(grad);
    CHECK_THROWS_WITH_AS(optim::clip_grad_norm(all, 1.0), doctest::Contains("'b'"), NumericError);
    CHECK(optim::clip_grad_norm(all, 1.0, {.on_non_finite = optim::NonFinite::skip}).skipped);
    CHECK_THROWS_AS(adam.step(), TapeError);  // nothing is left to step by
    const std::vector<Tensor> after = copies();
    for (std::size_t i = 0; i < before.size(); ++i)
      CHECK(std::memcmp(before[i].raw(), after[i].raw(),
                        static_cast<std::size_t>(before[i].numel()) * size_of(before[i].dtype())) == 0);
    a.add_grad(ramp(7));  // and the next one is taken
    adam.step();
    CHECK(a.value().at({0}) != before[0].at({0}));
  }
}

TEST_CASE("max_norm must be at least 0") {
  Parameter a("a", Tensor::zeros({2}));
  CHECK_THROWS_AS(optim::clip_grad_norm(std::vector{&a}, -1.0), ValueError);
  CHECK_THROWS_WITH_AS(optim::clip_grad_norm(std::vector<Parameter*>{&a, nullptr}, 1.0),
                       "[clip_grad_norm] a parameter is a null pointer", ValueError);
  CHECK_THROWS_AS(optim::clip_grad_norm(std::vector{&a}, std::numeric_limits<double>::quiet_NaN()), ValueError);
  a.add_grad(Tensor::ones({2}));
  optim::clip_grad_norm(std::vector{&a}, 0.0);
  CHECK(a.grad().at({0}) == 0);
}

TEST_CASE("the norm has the same bits for any thread count") {
  Parameter a("a", Tensor::zeros({100003}));
  a.add_grad(ramp(100003));
  const int threads = num_threads();
  const double infinity = std::numeric_limits<double>::infinity();
  set_num_threads(1);
  const double one = optim::clip_grad_norm(std::vector{&a}, infinity).norm;
  for (const int n : {2, 3, 5}) {
    set_num_threads(n);
    CHECK(optim::clip_grad_norm(std::vector{&a}, infinity).norm == one);
  }
  set_num_threads(threads);
}
