#include "kernels/optimizer.hpp"

#include "kernels/update_support.hpp"

using namespace weft;
using test::draw;
using test::Operands;
using test::same_bits;

TEST_CASE("Adam's kernel computes what its reference does") {
  Tensor none;
  for (const bool decoupled : {false, true})
    for (const double weight_decay : {0.0, 0.1})
      for (const bool amsgrad : {false, true}) {
        const kernels::AdamStep step = {.lr = 0.01,
                                        .beta1 = 0.9,
                                        .beta2 = 0.98,
                                        .eps = 1e-8,
                                        .weight_decay = weight_decay,
                                        .decoupled = decoupled,
                                        .step = 3};
        test::compare_updates(
            [&](Operands& o, const Tensor& grad) { kernels::adam(o[0], grad, o[1], o[2], amsgrad ? o[3] : none, step); },
            [&](Operands& o, const Tensor& grad) {
              kernels::reference::adam(o[0], grad, o[1], o[2], amsgrad ? o[3] : none, step);
            });
      }
}

TEST_CASE("where no gradient has come yet Adam changes nothing, with eps or without") {
  for (const DType dtype : {f32, f64})
    for (const double eps : {1e-8, 0.0})
      test::on_each_isa([&] {
        Generator generator(3);
        for (const std::int64_t step : {1, 10000000}) {
          const Tensor start = draw(generator, 21, dtype, -2, 2);
          Tensor value = start.clone(), m = Tensor::zeros({21}, dtype), v = m.clone(), largest = m.clone();
          const kernels::AdamStep settings = {
              .lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = eps, .weight_decay = 0, .decoupled = false, .step = step};
          kernels::adam(value, Tensor::zeros({21}, dtype), m, v, largest, settings);
          CHECK(same_bits(value, start));
          CHECK(same_bits(m, v));
          CHECK(m.at({20}) == 0);
        }
      });
}

TEST_CASE("Adam by rows updates those whose gradient isn't all zeros, as Adam does, and leaves the others alone") {
  const kernels::AdamStep settings = {
      .lr = 0.01, .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-6, .weight_decay = 0, .decoupled = false, .step = 4};
  constexpr std::int64_t rows = 700, width = 67;
  const auto used = [](std::int64_t i) { return i % 3 == 1 || i > 650; };
  const int threads = num_threads();
  for (const DType dtype : {f32, f64}) {
    Generator generator(3);
    const Shape shape = {rows, width};
    const Operands start = {draw(generator, rows * width, dtype, -2, 2).reshape(shape),
                            draw(generator, rows * width, dtype, -1, 1).reshape(shape),
                            draw(generator, rows * width, dtype, 0, 1).reshape(shape), Tensor::zeros(shape, dtype)};
    Tensor grad = Tensor::zeros(shape, dtype), none;
    for (std::int64_t i = 0; i < rows; ++i)
      if (used(i)) grad.select(0, i).slice(0, width - 1, width).fill(-0.5);
    test::on_each_isa([&] {
      Operands all = test::copy_of(start), one = test::copy_of(start), three = test::copy_of(start);
      kernels::adam(all[0], grad, all[1], all[2], none, settings);
      set_num_threads(1);
      kernels::adam_rows(one[0], grad, one[1], one[2], settings);
      set_num_threads(3);
      kernels::adam_rows(three[0], grad, three[1], three[2], settings);
      set_num_threads(threads);
      for (std::size_t k = 0; k < 3; ++k) {
        CHECK(same_bits(one[k], three[k]));
        for (std::int64_t i = 0; i < rows; ++i) CHECK(same_bits(one[k].select(0, i), (used(i) ? all : start)[k].select(0, i)));
      }
    });
  }
}

TEST_CASE("SGD's kernel computes what its reference does") {
  for (const double momentum : {0.0, 0.9})
    for (const bool first : {false, true}) {
      const kernels::SgdStep step = {
          .lr = 0.01, .momentum = momentum, .dampening = 0, .weight_decay = 0.1, .nesterov = momentum != 0, .first = first};
      Tensor none;
      test::compare_updates(
          [&](Operands& o, const Tensor& grad) { kernels::sgd(o[0], grad, momentum == 0 ? none : o[1], step); },
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
