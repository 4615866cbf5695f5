#include "kernels/repeated_matmul.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/isa_support.hpp"
#include "kernels/matmul.hpp"
#include "support/random.hpp"
#include "weft/base/threads.hpp"
#include "weft/tensor/memory.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// The same values in other places: transposed, or in the middle of a wider matrix.
std::vector<Tensor> layouts(const Tensor& x) {
  Tensor wide = Tensor::full({x.size(0) + 2, x.size(1) + 5}, std::numeric_limits<double>::quiet_NaN(), x.dtype());
  Tensor turned = Tensor::full({x.size(1) + 3, x.size(0) + 7}, std::numeric_limits<double>::quiet_NaN(), x.dtype());
  Tensor inside = wide.slice(0, 1, x.size(0) + 1).slice(1, 2, x.size(1) + 2);
  Tensor across = turned.slice(0, 1, x.size(1) + 1).slice(1, 4, x.size(0) + 4).transpose(0, 1);
  inside.copy_from(x);
  across.copy_from(x);
  return {x, x.transpose(0, 1).contiguous().transpose(0, 1), inside, across};
}

void check_close(const Tensor& got, const Tensor& wanted, std::int64_t k) {
  CHECK(largest_difference(got, wanted) <= 1e-6 * std::sqrt(static_cast<double>(k)) * std::max(1.0, largest(wanted)));
}

}  // namespace

TEST_CASE("a repeated product is the reference's for all sizes and layouts on every instruction set") {
  const std::pair<std::int64_t, std::int64_t> sizes[] = {{64, 96}, {65, 97}, {131, 33}, {33, 130},
                                                         {7, 400}, {512, 5}, {1, 3000}};
  for (const std::int64_t m : {1, 2, 3, 4, 5, 8, 11, 16, 64, 257})
    for (const auto& entry : sizes) {
      const auto& k = entry.first;
      const auto& n = entry.second;
      INFO(m, " x ", k, " times ", k, " x ", n);
      const Tensor a = uniform({m, k}, -1, 1, 1, f32), b = uniform({k, n}, -1, 1, 2, f32), c = uniform({m, n}, -1, 1, 3, f32);
      Tensor product = Tensor::empty({m, n}, f32), sum = c.clone();
      kernels::reference::matmul_into(product, a, b, false);
      kernels::reference::matmul_into(sum, a, b, true);
      for (const Tensor& right : layouts(b))
        on_each_isa([&] {
          check_close(kernels::repeated_matmul(a, right), product, k);
          Tensor onto = c.clone();
          kernels::repeated_matmul_into(onto, a, right, true);
          check_close(onto, sum, k);
        });
    }
}

TEST_CASE("a repeated product into a part of a matrix leaves the rest alone") {
  const Tensor a = uniform({9, 40}, -1, 1, 1, f32), b = uniform({40, 50}, -1, 1, 2, f32);
  on_each_isa([&] {
    Tensor whole = Tensor::full({9, 60}, 7);
    Tensor part = whole.slice(1, 3, 53);
    kernels::repeated_matmul_into(part, a, b, false);
    check_close(part, kernels::repeated_matmul(a, b), 40);
    CHECK(largest_difference(whole.slice(1, 0, 3), Tensor::full({9, 3}, 7)) == 0);
    CHECK(largest_difference(whole.slice(1, 53, 60), Tensor::full({9, 7}, 7)) == 0);
  });
}

TEST_CASE("a repeated product sees every change of the weight, and keeps several views apart") {
  Tensor weight = uniform({64, 64}, -1, 1, 1, f32);
  const Tensor a = uniform({8, 64}, -1, 1, 2, f32);
  for (int round = 0; round < 3; ++round) {
    for (const Tensor& view : {weight, weight.transpose(0, 1), weight.slice(1, 0, 40), weight.slice(1, 24, 64),
                               weight.slice(0, 0, 64).slice(1, 8, 60)}) {
      Tensor wanted = Tensor::empty({8, view.size(1)});
      kernels::reference::matmul_into(wanted, a, view, false);
      check_close(kernels::repeated_matmul(a, view), wanted, 64);
    }
    weight.mutable_data<float>()[65 * round] += 3;
  }
}

TEST_CASE("repeated linear adds the bias") {
  for (const DType type : {f32, f64}) {
    const Tensor x = uniform({8, 64}, -1, 1, 1, type), weight = uniform({50, 64}, -1, 1, 2, type),
                 bias = uniform({50}, -1, 1, 3, type);
    check_close(kernels::repeated_linear(x, weight, bias), kernels::linear(x, weight, bias), 64);
    check_close(kernels::repeated_linear(x, weight, {}), kernels::linear(x, weight, {}), 64);
  }
}

TEST_CASE("a NaN reaches its row or column of a repeated product and nothing else") {
  Tensor a = Tensor::zeros({9, 64}), b = uniform({64, 70}, -1, 1, 1, f32);
  b.slice(0, 5, 6).slice(1, 33, 34).fill(std::numeric_limits<double>::quiet_NaN());
  a.slice(0, 2, 3).slice(1, 7, 8).fill(std::numeric_limits<double>::quiet_NaN());
  on_each_isa([&] {
    const Tensor product = kernels::repeated_matmul(a, b);
    for (std::int64_t i = 0; i < 9; ++i)
      for (std::int64_t j = 0; j < 70; ++j) CHECK(std::isnan(product.at({i, j})) == (i == 2 || j == 33));
  });
}

TEST_CASE("a repeated product has the same bits for any number of threads, and from several threads at once") {
  const Tensor a = uniform({50, 200}, -1, 1, 1, f32), b = uniform({200, 300}, -1, 1, 2, f32);
  const int threads = num_threads();
  set_num_threads(1);
  const Tensor one = kernels::repeated_matmul(a, b.clone());
  set_num_threads(threads < 3 ? 3 : threads);
  const auto same = [&](const Tensor& x) {
    return std::memcmp(x.raw(), one.raw(), static_cast<std::size_t>(x.numel()) * 4) == 0;
  };
  CHECK(same(kernels::repeated_matmul(a, b)));
  const Tensor fresh = b.clone();
  std::vector<Tensor> results(4);
  {
    std::vector<std::jthread> workers;
    for (Tensor& result : results) workers.emplace_back([&] { result = kernels::repeated_matmul(a, fresh); });
  }
  for (const Tensor& result : results) CHECK(same(result));
  set_num_threads(threads);
}

TEST_CASE("what a repeated product keeps goes with the weight") {
  const Tensor a = uniform({8, 64}, -1, 1, 1, f32);
  const auto scratch = [] {
    return memory_statistics().by_category[static_cast<std::size_t>(MemoryCategory::scratch)].current;
  };
  const std::int64_t before = scratch();
  {
    const Tensor weight = uniform({64, 64}, -1, 1, 2, f32);
    static_cast<void>(kernels::repeated_matmul(a, weight));
    CHECK(scratch() > before);
  }
  CHECK(scratch() == before);
}
