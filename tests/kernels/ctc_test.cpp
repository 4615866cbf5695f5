#include "kernels/ctc.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/isa_support.hpp"
#include "support/random.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t classes = 7;

// Rows of different length that are aligned with 0 to `most` labels; neighbours are the same in places.
kernels::Alignment alignment(std::int64_t time, std::int64_t most) {
  Tensor targets = Tensor::zeros({3, most}, i64);
  auto* ids = targets.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < targets.numel(); ++i) ids[i] = 1 + (i / 2 * 5 + 1) % (classes - 1);
  return {.targets = targets,
          .input_lengths = Tensor::from<std::int64_t>({time, time - 1, time}, {3}),
          .target_lengths = Tensor::from<std::int64_t>({most, most / 2, 0}, {3})};
}

// log of the sum of all alignments of one row, state by state.
double log_total(const Tensor& logits, const kernels::Alignment& a, std::int64_t row) {
  const std::int64_t labels = a.target_lengths.data<std::int64_t>()[row], frames = a.input_lengths.data<std::int64_t>()[row];
  std::vector<std::int64_t> states(1, 0);
  for (std::int64_t i = 0; i < labels; ++i) {
    states.push_back(a.targets.data<std::int64_t>()[row * a.targets.size(1) + i]);
    states.push_back(0);
  }
  std::vector<long double> sums(states.size(), 0.0L);
  long double scale = 0;
  for (std::int64_t t = 0; t < frames; ++t) {
    std::vector<long double> next(states.size(), 0.0L);
    long double total = 0, emitted = 0;
    for (std::int64_t k = 0; k < classes; ++k) emitted += std::exp(static_cast<long double>(logits.at({row, t, k})));
    for (std::size_t s = 0; s < states.size(); ++s) {
      long double ways = t == 0 ? (s < 2 ? 1.0L : 0.0L) : sums[s];
      if (t > 0 && s > 0) ways += sums[s - 1];
      if (t > 0 && s > 1 && states[s] != 0 && states[s] != states[s - 2]) ways += sums[s - 2];
      next[s] = ways * std::exp(static_cast<long double>(logits.at({row, t, states[s]}))) / emitted;
      total += next[s];
    }
    for (auto& sum : next) sum /= total;
    scale += std::log(total);
    sums = next;
  }
  const std::size_t last = states.size() - 1;
  return static_cast<double>(scale + std::log(sums[last] + (last > 0 ? sums[last - 1] : 0)));
}

}  // namespace

TEST_CASE("CTC of more states than a vector has is the plain sum's, on each instruction set") {
  const Tensor ones = Tensor::ones({3}, f64);
  for (std::int64_t most = 0; most <= 20; ++most) {
    CAPTURE(most);
    const std::int64_t time = 2 * most + 2;
    const Tensor logits = uniform({3, time, classes}, -3, 3, 1);
    const kernels::Alignment a = alignment(time, most);
    Tensor expected;  // of the first instruction set
    on_each_isa([&] {
      const kernels::AlignmentSums sums = kernels::ctc_loss(logits, a);
      for (std::int64_t row = 0; row < 3; ++row)
        CHECK(sums.losses.at({row}) == doctest::Approx(-log_total(logits, a, row)).epsilon(1e-13));
      const Tensor gradient = kernels::ctc_loss_backward(logits, a, sums, ones);
      if (!expected.defined()) expected = gradient;
      CHECK(largest_difference(gradient, expected) <= 1e-12);
      CHECK(largest_difference(kernels::ctc_loss(logits.to(f32), a).losses, sums.losses) <= 1e-5 * largest(sums.losses));
      // Softmax and occupancies sum to 1 in each frame.
      for (std::int64_t t = 0; t < time - 1; ++t) {
        double sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) sum += gradient.at({0, t, k});
        CHECK(std::abs(sum) <= 1e-12);
      }
    });
  }
}

TEST_CASE("CTC with classes that can't be, and with NaN, on each instruction set") {
  const std::int64_t time = 30;
  const kernels::Alignment a = alignment(time, 10);
  const Tensor ones = Tensor::ones({3}, f64);
  Tensor closed = uniform({3, time, classes}, -3, 3, 1);
  // The blank is impossible in every third frame, all labels in others, and what is left has logits far apart.
  for (std::int64_t i = 0; i < 3 * time; ++i) {
    double* const frame = closed.mutable_data<double>() + i * classes;
    if (i % 3 == 0) frame[0] = -inf;
    if (i % 7 == 1) frame[1] = 900;
  }
  Tensor spoilt = uniform({3, time, classes}, -3, 3, 1);
  spoilt.mutable_data<double>()[5 * classes + 2] = quiet_nan;  // in row 0
  Tensor expected;
  on_each_isa([&] {
    const kernels::AlignmentSums sums = kernels::ctc_loss(closed, a);
    CHECK(std::isfinite(sums.losses.at({0})));
    CHECK(sums.losses.at({2}) == inf);  // no labels: only blanks could be
    const Tensor gradient = kernels::ctc_loss_backward(closed, a, sums, ones);
    if (!expected.defined()) expected = gradient.select(0, 0).contiguous();
    CHECK(largest_difference(gradient.select(0, 0).contiguous(), expected) <= 1e-12);
    CHECK(std::isnan(gradient.at({2, 0, 0})));

    const kernels::AlignmentSums nan_sums = kernels::ctc_loss(spoilt, a);
    CHECK(std::isnan(nan_sums.losses.at({0})));
    CHECK(std::isfinite(nan_sums.losses.at({1})));
    const Tensor nan_gradient = kernels::ctc_loss_backward(spoilt, a, nan_sums, ones);
    CHECK(std::isnan(nan_gradient.at({0, 0, 0})));
    CHECK(std::isfinite(nan_gradient.at({1, 0, 0})));
  });
}
