#include "kernels/dropout.hpp"

#include <cmath>
#include <limits>

#include "kernels/isa_support.hpp"
#include "support/random.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;

TEST_CASE("dropout is that of the plain reference, whatever the width, on every instruction set") {
  for (const std::int64_t columns : {1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 515}) {
    const Tensor x = uniform({5, columns}, -1, 1, 1, f32);
    for (const double p : {0.0, 1e-9, 0.1, 0.5, 0.999999}) {
      const kernels::DropoutDraw draw{0x123456789abcdef0, 0x1fedcba987654321, p};
      const Tensor expected = kernels::reference::dropout(x, draw);
      on_each_isa([&] { CHECK(largest_difference(kernels::dropout(x, draw), expected) == 0); });
    }
  }
}

TEST_CASE("f32 and f64 drop the same elements") {
  const kernels::DropoutDraw draw{3, 4, 0.4};
  const Tensor x = Tensor::ones({17, 29});
  CHECK(largest_difference(kernels::dropout(x, draw), kernels::dropout(x.to(f64), draw)) < 1e-7);
}

TEST_CASE("leading dimensions are rows, and a view is like a dense tensor") {
  const kernels::DropoutDraw draw{3, 4, 0.4};
  const Tensor x = uniform({3, 5, 7}, 1, 2, 1, f32);
  CHECK(largest_difference(kernels::dropout(x, draw).reshape({15, 7}), kernels::dropout(x.reshape({15, 7}), draw)) == 0);
  const Tensor view = x.transpose(0, 2);
  CHECK(largest_difference(kernels::dropout(view, draw), kernels::dropout(view.clone(), draw)) == 0);
}

TEST_CASE("the first rows of a batch are dropped alike however many follow, by any number of threads") {
  const kernels::DropoutDraw draw{11, 12, 0.3};
  const Tensor x = Tensor::ones({300, 200});
  const Tensor expected = kernels::reference::dropout(x, draw);
  const int before = num_threads();
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    CHECK(largest_difference(kernels::dropout(x, draw), expected) == 0);
    CHECK(largest_difference(kernels::dropout(x.slice(0, 0, 10), draw), expected.slice(0, 0, 10)) == 0);
  }
  set_num_threads(before);
}

TEST_CASE("parts that know their first row are dropped like the whole, beyond 2^32 rows too") {
  const Tensor x = uniform({8, 37}, 1, 2, 1, f32);
  for (const std::int64_t start : {std::int64_t{0}, std::int64_t{1000}, (std::int64_t{1} << 32) - 5})
    for (const DType type : {f32, f64}) {
      const Tensor whole = kernels::dropout(x.to(type), {11, 12, 0.3, start});
      for (const std::int64_t cut : {0, 1, 4, 7})
        on_each_isa([&] {
          const Tensor rest = kernels::dropout(x.slice(0, cut, 8).to(type), {11, 12, 0.3, start + cut});
          CHECK(largest_difference(rest, whole.slice(0, cut, 8)) == 0);
        });
    }
  CHECK(largest_difference(kernels::dropout(x, {11, 12, 0.3, 0}), kernels::dropout(x, {11, 12, 0.3, 1})) > 0);
}

TEST_CASE("the share that is dropped is p, in every column") {
  const Tensor x = Tensor::ones({4000, 8});
  for (const double p : {0.1, 0.5, 0.8}) {
    const Tensor y = kernels::dropout(x, {1, 2, p});
    for (std::int64_t column = 0; column < 8; ++column) {
      std::int64_t dropped = 0;
      for (std::int64_t row = 0; row < 4000; ++row) dropped += y.at({row, column}) == 0 ? 1 : 0;
      CHECK(std::abs(static_cast<double>(dropped) / 4000 - p) < 4 * std::sqrt(p * (1 - p) / 4000));
    }
  }
}

TEST_CASE("what is dropped is 0, NaN and infinity included; what is kept stays as it is") {
  const Tensor y = kernels::dropout(Tensor::full({40, 40}, std::numeric_limits<double>::quiet_NaN()), {1, 2, 0.5});
  std::int64_t zeros = 0, nans = 0;
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    zeros += y.data<float>()[i] == 0 ? 1 : 0;
    nans += std::isnan(y.data<float>()[i]) ? 1 : 0;
  }
  CHECK(zeros > 700);
  CHECK(nans > 700);
  CHECK(zeros + nans == 1600);
}
