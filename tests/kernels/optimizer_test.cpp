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
