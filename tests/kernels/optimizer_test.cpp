#include "kernels/optimizer.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "golden/golden.hpp"
#include "kernels/isa_support.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using test::relative_error;

namespace {

Tensor draw(Generator& generator, std::int64_t count, DType dtype, double low, double high) {
  Tensor values = Tensor::empty({count}, f64);
  auto* to = values.mutable_data<double>();
  for (std::int64_t i = 0; i < count; ++i) to[i] = low + (high - low) * generator.uniform();
  return values.to(dtype);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

// What a step changes: value and two buffers.
using Operands = std::array<Tensor, 3>;

Operands copy_of(const Operands& from) { return {from[0].clone(), from[1].clone(), from[2].clone()}; }

// Compares `fast` with `plain` for many sizes and both dtypes on every instruction set, and its bits on one thread and on
// three.
template <class Fast, class Plain>
void compare(const Fast& fast, const Plain& plain) {
  Generator generator(3);
  const int threads = num_threads();
  for (const std::int64_t count : {0, 1, 7, 40, 16389, 50001})
    for (const DType dtype : {f32, f64}) {
      INFO(count, " elements of ", name_of(dtype));
      const Operands start = {draw(generator, count, dtype, -2, 2), draw(generator, count, dtype, -1, 1),
                              draw(generator, count, dtype, 0, 1)};
      const Tensor grad = draw(generator, count, dtype, -1, 1);
      Operands expected = copy_of(start);
      plain(expected, grad);
      test::on_each_isa([&] {
        Operands one = copy_of(start), three = copy_of(start);
        set_num_threads(1);
        fast(one, grad);
        set_num_threads(3);
        fast(three, grad);
        set_num_threads(threads);
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(relative_error(one[i], expected[i]) <= (dtype == f64 ? 1e-15 : 1e-6));
          CHECK(same_bits(one[i], three[i]));
        }
      });
    }
}

}  // namespace

TEST_CASE("Adam's kernel computes what its reference does") {
  for (const bool decoupled : {false, true})
    for (const double weight_decay : {0.0, 0.1}) {
      const kernels::AdamStep step = {.lr = 0.01,
                                      .beta1 = 0.9,
                                      .beta2 = 0.98,
                                      .eps = 1e-8,
                                      .weight_decay = weight_decay,
                                      .decoupled = decoupled,
                                      .step = 3};
      compare([&](Operands& o, const Tensor& grad) { kernels::adam(o[0], grad, o[1], o[2], step); },
              [&](Operands& o, const Tensor& grad) { kernels::reference::adam(o[0], grad, o[1], o[2], step); });
    }
}

TEST_CASE("where no gradient has come yet Adam changes nothing, with eps or without") {
  for (const DType dtype : {f32, f64})
    for (const double eps : {1e-8, 0.0})
      test::on_each_isa([&] {
        Generator generator(3);
        for (const std::int64_t step : {1, 10000000}) {
          const Tensor start = draw(generator, 21, dtype, -2, 2);
          Tensor value = start.clone(), m = Tensor::zeros({21}, dtype), v = m.clone();
          const kernels::AdamStep settings = {
              .lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = eps, .weight_decay = 0, .decoupled = false, .step = step};
          kernels::adam(value, Tensor::zeros({21}, dtype), m, v, settings);
          CHECK(same_bits(value, start));
          CHECK(same_bits(m, v));
          CHECK(m.at({20}) == 0);
        }
      });
}

TEST_CASE("SGD's kernel computes what its reference does") {
  for (const double momentum : {0.0, 0.9})
    for (const bool first : {false, true}) {
      const kernels::SgdStep step = {
          .lr = 0.01, .momentum = momentum, .dampening = 0, .weight_decay = 0.1, .nesterov = momentum != 0, .first = first};
      Tensor none;
      compare([&](Operands& o, const Tensor& grad) { kernels::sgd(o[0], grad, momentum == 0 ? none : o[1], step); },
              [&](Operands& o, const Tensor& grad) { kernels::reference::sgd(o[0], grad, momentum == 0 ? none : o[1], step); });
    }
}

TEST_CASE("the sum of squares is what its reference computes") {
  Generator generator(4);
  for (const std::int64_t count : {0, 1, 7, 40, 16389, 50001})
    for (const DType dtype : {f32, f64}) {
      const Tensor x = draw(generator, count, dtype, -1, 1);
      CHECK(kernels::sum_of_squares(x) == doctest::Approx(kernels::reference::sum_of_squares(x)).epsilon(1e-13));
    }
}
