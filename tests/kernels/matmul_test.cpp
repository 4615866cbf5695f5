#include "kernels/matmul.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/isa_support.hpp"
#include "kernels/work.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"

using namespace weft;

namespace {

// Whole numbers from -4 to 4 without 0, so that every sum is exact whatever its order, and no product is -0.
Tensor whole(const Shape& shape, unsigned seed) {
  Tensor x = Tensor::empty(shape);
  float* to = x.mutable_data<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    seed = seed * 1664525 + 1013904223;
    const int value = static_cast<int>(seed >> 29) - 4;
    to[i] = static_cast<float>(value < 0 ? value : value + 1);
  }
  return x;
}

// The same matrix at other places in memory.
enum class Layout { dense, transposed, sliced, padded, flipped, every_second };
constexpr std::array<Layout, 6> layouts = {Layout::dense,  Layout::transposed, Layout::sliced,
                                           Layout::padded, Layout::flipped,    Layout::every_second};

Tensor room(const Shape& shape, Layout layout) {
  const std::int64_t rows = shape[0], columns = shape[1];
  switch (layout) {
    case Layout::dense: return Tensor::full(shape, 99);
    case Layout::transposed: return Tensor::full({columns, rows}, 99).transpose(0, 1);
    case Layout::sliced: return Tensor::full({rows + 2, columns + 5}, 99).slice(0, 1, rows + 1).slice(1, 3, columns + 3);
    case Layout::padded: return Tensor::full({rows, columns + 16}, 99).slice(1, 0, columns);
    case Layout::flipped: return Tensor::full(shape, 99).flip(1);
    case Layout::every_second: return Tensor::full({rows, columns, 2}, 99).select(2, 0);
  }
  return {};
}

Tensor laid_out(const Tensor& x, Layout layout) {
  Tensor view = room(x.shape(), layout);
  view.copy_from(x);
  return view;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor left = a.contiguous(), right = b.contiguous();
  return left.shape() == right.shape() &&
         std::memcmp(left.raw(), right.raw(), static_cast<std::size_t>(left.numel()) * sizeof(float)) == 0;
}

// One thread, two, and two in deterministic mode.
template <class Body>
void in_each_mode(const Body& body) {
  const int threads = num_threads();
  for (const int mode : {0, 1, 2}) {
    set_num_threads(mode == 0 ? 1 : 2);
    deterministic(mode == 2);
    body(mode);
  }
  deterministic(false);
  set_num_threads(threads);
}

struct Problem {
  Tensor a, b, start, product, sum;  // product = a b, sum = start + a b, both the reference's

  Problem(std::int64_t m, std::int64_t n, std::int64_t k)
      : a(whole({m, k}, 1)), b(whole({k, n}, 2)), start(whole({m, n}, 3)), product(start.empty_like()), sum(start.clone()) {
    kernels::reference::matmul_into(product, a, b, false);
    kernels::reference::matmul_into(sum, a, b, true);
  }

  bool holds(Layout left, Layout right, Layout target, bool accumulate) const {
    Tensor result = laid_out(start, target);
    kernels::matmul_into(result, laid_out(a, left), laid_out(b, right), accumulate);
    return same_bits(result, accumulate ? sum : product);
  }
};

constexpr std::array<std::int64_t, 15> sizes = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130};

}  // namespace

TEST_CASE("products of whole numbers are exact for all sizes around a vector's, in turns of layouts") {
  std::size_t turn = 0, wrong = 0;
  for (const std::int64_t m : sizes)
    for (const std::int64_t n : sizes)
      for (const std::int64_t k : sizes) {
        const Problem problem(m, n, k);
        in_each_mode([&](int mode) {
          const std::size_t t = turn++;
          const bool ok = problem.holds(layouts[t % 4], layouts[t / 4 % 4], layouts[t / 16 % 4], t % 3 != 0);
          if (ok) return;
          ++wrong;
          INFO(m, " x ", k, " x ", n, ", turn ", t, ", mode ", mode);
          CHECK(ok);
        });
      }
  CHECK(turn == 3 * 15 * 15 * 15);
  CHECK(wrong == 0);
}

TEST_CASE("small products of whole numbers are exact on every instruction set") {
  std::size_t wrong = 0;
  test::on_each_isa([&] {
    for (const std::int64_t m : {8, 9, 12, 15, 40})
      for (const std::int64_t n : {12, 13, 24, 31, 32, 33, 64, 100, 2048})
        for (const std::int64_t k : {1, 2, 5, 20, 64, 150}) {
          if (n * k > 2048 || m * n * k > 1 << 16) continue;
          const Problem problem(m, n, k);
          for (const Layout left : layouts)
            for (const Layout right : layouts)
              for (const bool accumulate : {false, true}) {
                const bool ok = problem.holds(left, right, Layout::padded, accumulate);
                if (ok) continue;
                ++wrong;
                INFO(m, " x ", k, " x ", n, ", layouts ", static_cast<int>(left), static_cast<int>(right));
                CHECK(ok);
              }
        }
  });
  CHECK(wrong == 0);
}

TEST_CASE("products of few rows are exact on as many threads as their columns are enough for") {
  const int threads = num_threads();
  for (const std::int64_t m : {40, 64, 256})
    for (const std::int64_t n : {127, 128, 130, 257, 1000}) {
      const Problem problem(m, n, 70);
      for (const int count : {2, 3, 4, 7}) {
        set_num_threads(count);
        INFO(m, " x ", n, " on ", count, " threads");
        for (const Layout layout : {Layout::dense, Layout::transposed}) {
          CHECK(problem.holds(layout, layout, Layout::dense, false));
          CHECK(problem.holds(layout, layout, Layout::transposed, true));
        }
      }
    }
  set_num_threads(threads);
}

TEST_CASE("products of whole numbers are exact in all layouts of both operands and the target") {
  std::size_t wrong = 0;
  for (const std::int64_t m : {1, 5, 65})
    for (const std::int64_t n : {1, 17, 64})
      for (const std::int64_t k : {1, 33}) {
        const Problem problem(m, n, k);
        in_each_mode([&](int mode) {
          for (const Layout left : layouts)
            for (const Layout right : layouts)
              for (const Layout target : layouts)
                for (const bool accumulate : {false, true}) {
                  const bool ok = problem.holds(left, right, target, accumulate);
                  if (ok) continue;
                  ++wrong;
                  INFO(m, " x ", k, " x ", n, ", layouts ", static_cast<int>(left), static_cast<int>(right),
                       static_cast<int>(target), ", accumulate ", accumulate, ", mode ", mode);
                  CHECK(ok);
                }
        });
      }
  CHECK(wrong == 0);
}

TEST_CASE("products of transposed operands whose rows stand 2 KiB apart are exact") {
  struct Row {
    std::int64_t m, n, k;
  };
  for (const Row& size : {Row{512, 128, 20}, Row{128, 512, 20}, Row{1024, 200, 9}, Row{512, 512, 8}, Row{512, 127, 20}}) {
    INFO(size.m, " x ", size.k, " x ", size.n);
    const Problem problem(size.m, size.n, size.k);
    in_each_mode([&](int) {
      for (const bool accumulate : {false, true}) {
        CHECK(problem.holds(Layout::transposed, Layout::dense, Layout::dense, accumulate));
        CHECK(problem.holds(Layout::transposed, Layout::transposed, Layout::transposed, accumulate));
      }
    });
  }
}

TEST_CASE("a product writes nothing but its target") {
  Tensor wide = Tensor::full({40, 50}, 99), target = wide.slice(0, 3, 36).slice(1, 7, 40);
  in_each_mode([&](int) {
    wide.fill(99);
    kernels::matmul_into(target, whole({33, 20}, 1), whole({20, 33}, 2), false);
    double outside = 0;
    for (std::int64_t i = 0; i < 40; ++i)
      for (std::int64_t j = 0; j < 50; ++j)
        if (i < 3 || i >= 36 || j < 7 || j >= 40) outside += wide.at({i, j}) == 99 ? 0 : 1;
    CHECK(outside == 0);
  });
}

TEST_CASE("batches of products are exact, broadcast, repeated and from views") {
  struct Row {
    Tensor a, b;
  };
  const Tensor a = whole({2, 3, 9, 20}, 1), b = whole({2, 3, 20, 17}, 2);
  const Tensor one_a = whole({9, 20}, 3), one_b = whole({20, 17}, 4);
  const std::vector<Row> rows = {
      {a, b},
      {a, one_b},
      {one_a, b},
      {a, b.select(0, 1)},
      {a.select(0, 1), b},
      {a, whole({1, 3, 20, 17}, 5)},
      {whole({2, 1, 9, 20}, 5), b},
      {whole({2, 1, 9, 20}, 5), whole({1, 3, 20, 17}, 6)},
      {a.transpose(0, 1), b.transpose(0, 1)},
      {whole({2, 3, 20, 9}, 7).transpose(-1, -2), whole({2, 3, 17, 20}, 8).transpose(-1, -2)},
      {a.flip(0), b},
      {a.flip(3), b.flip(2)},
      {a.slice(3, 2, 15), b.slice(2, 1, 14)},
      {one_a.expand({2, 3, 9, 20}), b},
      {a, one_b.expand({2, 3, 20, 17})},
      {whole({5, 130, 65}, 9), whole({5, 65, 64}, 10)},
      {whole({5, 1, 65}, 9), whole({5, 65, 64}, 10)},
      {whole({5, 64, 65}, 9), whole({5, 65, 1}, 10)},
      {whole({500, 2, 3}, 9), whole({500, 3, 2}, 10)},
      {whole({3, 65, 1}, 9), whole({3, 1, 65}, 10)},
  };
  for (const Row& row : rows) {
    INFO(row.a.describe(), " times ", row.b.describe());
    const std::int64_t m = row.a.size(-2), k = row.a.size(-1), n = row.b.size(-1);
    in_each_mode([&](int mode) {
      INFO("mode ", mode);
      const Tensor product = kernels::matmul(row.a, row.b, "matmul");
      const Shape batch = product.shape().without(-1).without(-1);
      const auto folded = [&](const Tensor& x, std::int64_t height, std::int64_t width) {
        Shape shape = batch.with_inserted(batch.rank(), height);
        return x.expand(shape.with_inserted(shape.rank(), width)).reshape({batch.numel(), height, width});
      };
      const Tensor left = folded(row.a, m, k), right = folded(row.b, k, n), result = product.reshape({batch.numel(), m, n});
      for (std::int64_t i = 0; i < batch.numel(); ++i) {
        Tensor expected = Tensor::empty({m, n});
        kernels::reference::matmul_into(expected, left.select(0, i), right.select(0, i), false);
        CHECK(same_bits(result.select(0, i), expected));
      }
    });
  }
}

TEST_CASE("linear adds its bias exactly") {
  for (const std::int64_t rows : {1, 7, 65})
    for (const std::int64_t in : {1, 16, 33})
      for (const std::int64_t out : {1, 17, 64})
        for (const Layout layout : {Layout::dense, Layout::transposed, Layout::padded, Layout::flipped}) {
          const Tensor x = whole({rows, in}, 1), weight = whole({out, in}, 2), bias = whole({out}, 3);
          Tensor expected = Tensor::empty({rows, out}), without = Tensor::empty({rows, out});
          expected.copy_from(bias);
          kernels::reference::matmul_into(expected, x, weight.transpose(0, 1), true);
          kernels::reference::matmul_into(without, x, weight.transpose(0, 1), false);
          in_each_mode([&](int) {
            CHECK(same_bits(kernels::linear(laid_out(x, layout), laid_out(weight, layout), bias), expected));
            CHECK(same_bits(kernels::linear(laid_out(x, layout), laid_out(weight, layout), Tensor()), without));
          });
        }
}

TEST_CASE("nothing in common is a sum of nothing, and no rows are no work") {
  Tensor target = Tensor::full({3, 4}, 7);
  kernels::matmul_into(target, Tensor::zeros({3, 0}), Tensor::zeros({0, 4}), true);
  CHECK(target.at({2, 3}) == 7);
  kernels::matmul_into(target, Tensor::zeros({3, 0}), Tensor::zeros({0, 4}), false);
  CHECK(target.at({2, 3}) == 0);
  CHECK(kernels::matmul(Tensor::zeros({2, 0, 5}), Tensor::zeros({2, 5, 4}), "matmul").shape() == Shape{2, 0, 4});
  const Tensor empty_sums = kernels::matmul(Tensor::zeros({2, 30, 0}), Tensor::zeros({2, 0, 40}), "matmul");
  CHECK(empty_sums.shape() == Shape{2, 30, 40});
  CHECK(test::largest(empty_sums) == 0);
  CHECK(kernels::linear(Tensor::zeros({2, 0}), Tensor::zeros({3, 0}), whole({3}, 1)).at({1, 2}) == whole({3}, 1).at({2}));
}

TEST_CASE("f32 products stay within their error bound of f64") {
  for (const std::int64_t k : {20, 500, 3000}) {
    const Tensor a = test::uniform({33, k}, -1, 1, 1, f32), b = test::uniform({k, 65}, -1, 1, 2, f32);
    Tensor wide = Tensor::empty({33, 65}, f64), magnitude = wide.empty_like();
    kernels::matmul_into(wide, a.to(f64), b.to(f64), false);
    Tensor abs_a = a.to(f64).clone(), abs_b = b.to(f64).clone();
    for (Tensor* x : {&abs_a, &abs_b})
      for (std::int64_t i = 0; i < x->numel(); ++i) x->mutable_data<double>()[i] = std::abs(x->data<double>()[i]);
    kernels::matmul_into(magnitude, abs_a, abs_b, false);
    const double u = 0x1p-24, factor = std::min(static_cast<double>(k), 8 * std::sqrt(static_cast<double>(k)) + 8) * u;
    in_each_mode([&](int) {
      Tensor single = Tensor::empty({33, 65});
      kernels::matmul_into(single, a, b, false);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < single.numel(); ++i)
        wrong += std::abs(static_cast<double>(single.data<float>()[i]) - wide.data<double>()[i]) >
                         factor * magnitude.data<double>()[i]
                     ? 1
                     : 0;
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("multiply-adds are counted once, whichever way a product goes") {
  const auto work_of = [](const auto& call) {
    const std::int64_t before = kernels::multiply_adds;
    call();
    return kernels::multiply_adds - before;
  };
  for (const std::int64_t n : {3, 40})  // below and above what a plain loop does
    for (const DType dtype : {f32, f64})
      for (const Layout layout : layouts) {
        const std::int64_t m = n + 1, k = n + 2;
        const Tensor a = Tensor::ones({m, k}, dtype), b = Tensor::ones({k, n}, dtype), batch = Tensor::ones({5, m, k}, dtype);
        Tensor target = dtype == f32 ? room({m, n}, layout) : Tensor::ones({m, n}, dtype);
        CHECK(work_of([&] { kernels::matmul_into(target, a, b, true); }) == m * n * k);
        CHECK(work_of([&] { kernels::matmul(batch, b, "matmul"); }) == 5 * m * n * k);
        CHECK(work_of([&] {
                kernels::matmul(batch.transpose(0, 1).contiguous().transpose(0, 1), Tensor::ones({5, k, n}, dtype), "matmul");
              }) == 5 * m * n * k);
        CHECK(work_of([&] { kernels::linear(a, b.transpose(0, 1), Tensor()); }) == m * n * k);
        CHECK(work_of([&] { kernels::linear(a, b.transpose(0, 1), Tensor::ones({n}, dtype)); }) == m * n * k);
      }
  CHECK(work_of([] { kernels::matmul(Tensor::ones({0, 3}), Tensor::ones({3, 4}), "matmul"); }) == 0);
}

TEST_CASE("a NaN or an infinity in an operand comes through") {
  for (const std::int64_t n : {3, 40}) {
    Tensor a = whole({n, n}, 1), b = Tensor::full({n, n}, 0);
    a.mutable_data<float>()[n + 1] = std::numeric_limits<float>::quiet_NaN();
    a.mutable_data<float>()[2 * n] = std::numeric_limits<float>::infinity();
    in_each_mode([&](int) {
      const Tensor product = kernels::matmul(a, b, "matmul");
      for (std::int64_t j = 0; j < n; ++j) {
        CHECK(product.at({0, j}) == 0);
        CHECK(std::isnan(product.at({1, j})));
        CHECK(std::isnan(product.at({2, j})));  // infinity times 0
      }
    });
  }
}

TEST_CASE("what can't be multiplied is refused with both shapes") {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4, 5});
  Tensor target = Tensor::zeros({2, 5});
  CHECK_THROWS_WITH_AS(kernels::matmul(a, b, "matmul"), doctest::Contains("[2, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(kernels::matmul(a, b, "matmul"), doctest::Contains("[4, 5]"), ShapeError);
  CHECK_THROWS_AS(kernels::matmul(a, Tensor::zeros({3}), "matmul"), ShapeError);
  CHECK_THROWS_AS(kernels::matmul(a, Tensor::zeros({3, 5}, f64), "matmul"), DTypeError);
  CHECK_THROWS_AS(kernels::matmul(Tensor::zeros({2, 3}, i64), Tensor::zeros({3, 5}, i64), "matmul"), DTypeError);
  CHECK_THROWS_AS(kernels::matmul_into(target, a, Tensor::zeros({3, 4}), false), ShapeError);
  CHECK_THROWS_AS(kernels::matmul(Tensor::zeros({2, 2, 3}), Tensor::zeros({3, 3, 4}), "matmul"), ShapeError);
}
