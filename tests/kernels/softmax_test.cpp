#include "kernels/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/isa_support.hpp"
#include "support/random.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity(), quiet_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float largest_float = std::numeric_limits<float>::max();
constexpr std::int64_t sizes[] = {1, 2, 7, 8, 9, 31, 32, 33, 1000};

// Rows whose softmax isn't all NaN, and rows where it is.
constexpr std::int64_t finite_patterns = 12, patterns = 18;

float element(std::int64_t pattern, std::int64_t j, std::int64_t n, float ordinary) {
  const bool odd = j % 2 == 1, first = j == 0, middle = j == n / 2, last = j == n - 1;
  switch (pattern) {
    case 0: return ordinary;
    case 1: return 0;
    case 2: return 1e4f;  // equal tops
    case 3: return odd ? -1e4f : 1e4f;
    case 4: return odd ? -88.8f : 88.8f;
    case 5: return odd ? -largest_float : largest_float;
    case 6: return first ? ordinary : -inf;  // one left
    case 7: return last ? 5 : odd ? -inf : ordinary;
    case 8: return first || last ? 88.8f : ordinary;  // two tops
    case 9: return -1e4f + ordinary;
    case 10: return static_cast<float>(j) * -0.5f;  // into what underflows
    case 11: return odd ? 1e-40f : -1e-40f;         // denormals
    case 12: return -inf;
    case 13: return first ? inf : ordinary;
    case 14: return middle ? quiet_nan : ordinary;
    case 15: return first ? quiet_nan : 1e4f;
    case 16: return last ? quiet_nan : ordinary;
    default: return last ? quiet_nan : -inf;
  }
}

// [patterns, n]
Tensor rows(std::int64_t n, std::int64_t count = patterns) {
  Tensor x = uniform({count, n}, -3, 3, 1, f32);
  float* to = x.mutable_data<float>();
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < n; ++j) to[i * n + j] = element(i, j, n, to[i * n + j]);
  return x;
}

// |got - wanted| <= relative |wanted| + absolute, NaN for NaN; what is denormal may be 0.
void check_close(const Tensor& got, const Tensor& wanted, double relative, double absolute = 1.2e-38) {
  REQUIRE(got.shape() == wanted.shape());
  const Tensor a = got.to(f64).contiguous(), b = wanted.to(f64).contiguous();
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const double x = a.data<double>()[i], y = b.data<double>()[i];
    const bool close = x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= relative * std::abs(y) + absolute;
    if (!close) CHECK_MESSAGE(close, "element ", i, " of ", got.describe(), " is ", x, ", not ", y);
  }
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * sizeof(float)) == 0;
}

Tensor row_of(const Tensor& x, std::int64_t i) { return x.select(0, i).contiguous(); }

bool all_nan(const Tensor& x) {
  for (std::int64_t j = 0; j < x.numel(); ++j)
    if (!std::isnan(x.data<float>()[j])) return false;
  return true;
}

}  // namespace

TEST_CASE("softmax and log_softmax are the reference's for every pattern and size on every instruction set") {
  for (const std::int64_t n : sizes) {
    CAPTURE(n);
    const Tensor x = rows(n);
    on_each_isa([&] {
      const Tensor y = kernels::softmax(x), logs = kernels::log_softmax(x);
      check_close(y, kernels::reference::softmax(x), 2e-6);
      check_close(logs, kernels::reference::log_softmax(x), 2e-6, 2e-6);
      for (std::int64_t i = 0; i < patterns; ++i) {
        CAPTURE(i);
        // A row of one element has no others: +inf and -inf stand alone, patterns of "the rest" are gone.
        const bool has_nan = i >= finite_patterns;
        CHECK(all_nan(row_of(y, i)) == has_nan);
        CHECK(all_nan(row_of(logs, i)) == has_nan);
        if (has_nan) continue;
        double sum = 0;
        for (std::int64_t j = 0; j < n; ++j) sum += y.at({i, j});
        CHECK(std::abs(sum - 1) <= 4 * 1.2e-7 * std::sqrt(static_cast<double>(n)));
      }
    });
  }
}

TEST_CASE("log_softmax keeps its digits where the logits are large") {
  for (const std::int64_t n : {9, 1000})
    for (const double level : {0.0, 1e4, -1e4, 1e6}) {
      Tensor x = Tensor::full({1, n}, level);
      on_each_isa([&] {
        CHECK(kernels::log_softmax(x).at({0, n - 1}) == doctest::Approx(-std::log(static_cast<double>(n))).epsilon(1e-6));
      });
    }
}

TEST_CASE("the gradients of softmax and log_softmax are the reference's") {
  for (const std::int64_t n : sizes) {
    CAPTURE(n);
    const Tensor x = rows(n, finite_patterns), g = uniform({finite_patterns, n}, -1, 1, 2, f32);
    const Tensor y = kernels::reference::softmax(x), logs = kernels::reference::log_softmax(x);
    on_each_isa([&] {
      check_close(kernels::softmax_backward(y, g, Tensor()), kernels::reference::softmax_backward(y, g, Tensor()), 2e-6, 2e-7);
      check_close(kernels::log_softmax_backward(logs, g), kernels::reference::log_softmax_backward(logs, g), 2e-6,
                  2e-7 * std::sqrt(static_cast<double>(n)));
    });
  }
}

// Products take a hundred times as long over denormal numbers, and weights that fall with the distance would be full of them.
TEST_CASE("neither softmax nor its gradient has denormal numbers") {
  constexpr std::int64_t n = 1003;
  Tensor x = Tensor::empty({2, n});
  for (std::int64_t j = 0; j < 2 * n; ++j) x.mutable_data<float>()[j] = static_cast<float>(j % n) * (j < n ? -0.1f : 0.1f);
  const Tensor g = uniform({2, n}, -1e-3, 1e-3, 2, f32), open = coins({2, n}, 0.9, 3);
  const auto count = [](const Tensor& y, int kind) {
    const float* const begin = y.data<float>();
    return std::count_if(begin, begin + y.numel(), [&](float element) { return std::fpclassify(element) == kind; });
  };
  on_each_isa([&] {
    for (const Tensor& mask : {Tensor(), open}) {
      const Tensor y = mask.defined() ? kernels::masked_softmax(x, mask) : kernels::softmax(x);
      const Tensor dx = kernels::softmax_backward(y, g, mask);
      for (const Tensor& result : {y, dx}) {
        CHECK(count(result, FP_SUBNORMAL) == 0);
        CHECK(count(result, FP_NORMAL) > n);
      }
    }
  });
}

TEST_CASE("into a row of NaN a gradient goes as NaN, and zeros as zeros") {
  for (const std::int64_t n : sizes) {
    CAPTURE(n);
    const Tensor y = Tensor::full({2, n}, static_cast<double>(quiet_nan));
    Tensor g = Tensor::zeros({2, n});
    g.mutable_data<float>()[n - 1] = 1;
    for (const DType type : {f32, f64}) {
      const Tensor output = y.to(type), gradient = g.to(type);
      for (const Tensor& dx : {kernels::softmax_backward(output, gradient, Tensor()).to(f32),
                               kernels::softmax_backward(output, gradient, Tensor::ones({n}, boolean)).to(f32),
                               kernels::log_softmax_backward(output, gradient).to(f32)}) {
        CHECK(all_nan(row_of(dx, 0)));
        CHECK(largest(row_of(dx, 1)) == 0);
      }
    }
  }
}

TEST_CASE("a masked softmax is the reference's, whatever stands in the masked places") {
  for (const std::int64_t n : sizes) {
    CAPTURE(n);
    const Tensor x = rows(n);
    // Random places, one place, the last alone, none, all; and one mask for all rows.
    std::vector<Tensor> masks = {coins({patterns, n}, 0.5, 1), coins({patterns, n}, 0.1, 2), coins({n}, 0.7, 3),
                                 coins({patterns, 1}, 0.5, 4), Tensor::zeros({n}, boolean),  Tensor::ones({n}, boolean)};
    masks.push_back(Tensor::zeros({n}, boolean));
    masks.back().mutable_data<bool>()[n - 1] = true;
    on_each_isa([&] {
      for (const Tensor& mask : masks) {
        INFO("mask ", mask.describe());
        const Tensor y = kernels::masked_softmax(x, mask);
        check_close(y, kernels::reference::masked_softmax(x, mask), 2e-6);
        const Tensor keep = mask.expand(x.shape()).contiguous();
        Tensor other = x.clone();
        for (std::int64_t i = 0; i < x.numel(); ++i)
          if (!keep.data<bool>()[i]) other.mutable_data<float>()[i] = i % 3 == 0 ? quiet_nan : i % 3 == 1 ? inf : 1e30f;
        CHECK(same_bits(kernels::masked_softmax(other, mask), y));
        for (std::int64_t i = 0; i < x.numel(); ++i)
          if (!keep.data<bool>()[i]) REQUIRE(y.data<float>()[i] == 0);
      }
    });
  }
}

TEST_CASE("the gradient of a masked softmax is the reference's, 0 in masked places even of a row with a NaN") {
  for (const std::int64_t n : sizes) {
    CAPTURE(n);
    const Tensor x = rows(n), mask = coins({patterns, n}, 0.6, 5);
    const Tensor y = kernels::reference::masked_softmax(x, mask);
    Tensor g = uniform({patterns, n}, -1, 1, 2, f32);
    for (std::int64_t i = 0; i < x.numel(); ++i)
      if (!mask.data<bool>()[i]) g.mutable_data<float>()[i] = quiet_nan;
    const Tensor expected = kernels::reference::softmax_backward(y, g, mask);
    on_each_isa([&] {
      const Tensor dx = kernels::softmax_backward(y, g, mask);
      check_close(dx, expected, 2e-6, 2e-7);
      for (std::int64_t i = 0; i < x.numel(); ++i)
        if (!mask.data<bool>()[i]) REQUIRE(dx.data<float>()[i] == 0);
    });
  }
}

TEST_CASE("views and empty rows") {
  const Tensor x = uniform({6, 40}, -3, 3, 1, f32), g = uniform({6, 40}, -1, 1, 2, f32);
  const Tensor view = x.slice(1, 3, 36).flip(1), gradient = g.transpose(0, 1).slice(0, 2, 35).transpose(0, 1);
  on_each_isa([&] {
    CHECK(same_bits(kernels::softmax(view), kernels::softmax(view.clone())));
    CHECK(same_bits(kernels::log_softmax(x.transpose(0, 1)), kernels::log_softmax(x.transpose(0, 1).clone())));
    const Tensor y = kernels::softmax(view);
    CHECK(
        same_bits(kernels::softmax_backward(y, gradient, Tensor()), kernels::softmax_backward(y, gradient.clone(), Tensor())));
  });
  CHECK(kernels::softmax(Tensor::zeros({3, 0})).shape() == Shape{3, 0});
  CHECK(kernels::masked_softmax(Tensor::zeros({0, 4}), Tensor::ones({4}, boolean)).shape() == Shape{0, 4});
  CHECK(kernels::softmax(Tensor::full({}, 7)).item() == 1);
  CHECK(kernels::log_softmax(Tensor::full({}, 7)).item() == 0);
}

TEST_CASE("softmax has the same bits for any number of threads") {
  const Tensor x = uniform({300, 200}, -3, 3, 1, f32), g = uniform({300, 200}, -1, 1, 2, f32), mask = coins({300, 200}, 0.5, 3);
  const int threads = num_threads();
  std::vector<std::vector<Tensor>> results;
  for (const int n : {1, 2, 5}) {
    set_num_threads(n);
    const Tensor y = kernels::softmax(x);
    results.push_back({y, kernels::log_softmax(x), kernels::masked_softmax(x, mask), kernels::softmax_backward(y, g, mask),
                       kernels::log_softmax_backward(y, g)});
  }
  set_num_threads(threads);
  for (const auto& result : results)
    for (std::size_t i = 0; i < result.size(); ++i) CHECK(same_bits(result[i], results[0][i]));
}
