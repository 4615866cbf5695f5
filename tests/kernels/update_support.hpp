#pragma once
#include <doctest/doctest.h>

#include <array>
#include <cstring>

#include "golden/golden.hpp"
#include "kernels/isa_support.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"

namespace weft::test {

inline Tensor draw(Generator& generator, std::int64_t count, DType dtype, double low, double high) {
  Tensor values = Tensor::empty({count}, f64);
  auto* to = values.mutable_data<double>();
  for (std::int64_t i = 0; i < count; ++i) to[i] = low + (high - low) * generator.uniform();
  return values.to(dtype);
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

/// What a step changes: value and up to three buffers.
using Operands = std::array<Tensor, 4>;

inline Operands copy_of(const Operands& from) { return {from[0].clone(), from[1].clone(), from[2].clone(), from[3].clone()}; }

/// Compares `fast` with `plain` for many sizes and both dtypes on every instruction set, and its bits on one thread and on
/// three. Both change the operands by a gradient.
template <class Fast, class Plain>
void compare_updates(const Fast& fast, const Plain& plain, double f64_tolerance = 1e-15) {
  Generator generator(3);
  const int threads = num_threads();
  for (const std::int64_t count : {0, 1, 7, 40, 16389, 50001})
    for (const DType dtype : {f32, f64}) {
      INFO(count, " elements of ", name_of(dtype));
      const Operands start = {draw(generator, count, dtype, -2, 2), draw(generator, count, dtype, -1, 1),
                              draw(generator, count, dtype, 0, 1), draw(generator, count, dtype, 0, 1)};
      const Tensor grad = draw(generator, count, dtype, -1, 1);
      Operands expected = copy_of(start);
      plain(expected, grad);
      on_each_isa([&] {
        Operands one = copy_of(start), three = copy_of(start);
        set_num_threads(1);
        fast(one, grad);
        set_num_threads(3);
        fast(three, grad);
        set_num_threads(threads);
        for (std::size_t i = 0; i < start.size(); ++i) {
          CHECK(relative_error(one[i], expected[i]) <= (dtype == f64 ? f64_tolerance : 1e-6));
          CHECK(same_bits(one[i], three[i]));
        }
      });
    }
}

}  // namespace weft::test
