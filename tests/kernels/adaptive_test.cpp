#include "kernels/adaptive.hpp"

#include <cmath>
#include <limits>

#include "kernels/update_support.hpp"

using namespace weft;
using test::compare_updates;
using test::Operands;

namespace {

constexpr double decays[] = {0.0, 0.1};

}  // namespace

TEST_CASE("RMSprop's kernel computes what its reference does") {
  Tensor none;
  for (const double decay : decays)
    for (const double momentum : {0.0, 0.9})
      for (const bool centered : {false, true}) {
        const kernels::RmspropStep step = {.lr = 0.01, .alpha = 0.9, .eps = 0.01, .momentum = momentum, .weight_decay = decay};
        // The mean's square must be below the mean square.
        const auto with = [&](const auto& update) {
          return [&](Operands& o, const Tensor& grad) {
            if (centered) o[2].fill(1.5);
            update(o[0], grad, o[2], momentum == 0 ? none : o[3], centered ? o[1] : none, step);
          };
        };
        // The difference of the two, of nearly one size, has a few more of their last bits.
        compare_updates(with(kernels::rmsprop), with(kernels::reference::rmsprop), centered ? 4e-15 : 1e-15);
      }
}

TEST_CASE("Adagrad's kernel computes what its reference does") {
  for (const double decay : decays) {
    const kernels::AdagradStep step = {.lr = 0.01, .eps = 1e-6, .weight_decay = decay};
    compare_updates([&](Operands& o, const Tensor& grad) { kernels::adagrad(o[0], grad, o[2], step); },
                    [&](Operands& o, const Tensor& grad) { kernels::reference::adagrad(o[0], grad, o[2], step); });
  }
}

TEST_CASE("Adadelta's kernel computes what its reference does") {
  for (const double decay : decays) {
    const kernels::AdadeltaStep step = {.lr = 0.5, .rho = 0.8, .eps = 1e-3, .weight_decay = decay};
    compare_updates([&](Operands& o, const Tensor& grad) { kernels::adadelta(o[0], grad, o[2], o[3], step); },
                    [&](Operands& o, const Tensor& grad) { kernels::reference::adadelta(o[0], grad, o[2], o[3], step); });
  }
}

TEST_CASE("NAdam's kernel computes what its reference does") {
  for (const double decay : decays) {
    const kernels::NadamStep step = {.grad_rate = 0.02,
                                     .mean_rate = 0.01,
                                     .beta1 = 0.9,
                                     .beta2 = 0.98,
                                     .eps = 1e-3,
                                     .weight_decay = decay,
                                     .square_correction = 0.3};
    compare_updates([&](Operands& o, const Tensor& grad) { kernels::nadam(o[0], grad, o[1], o[2], step); },
                    [&](Operands& o, const Tensor& grad) { kernels::reference::nadam(o[0], grad, o[1], o[2], step); });
  }
}

TEST_CASE("Lion's kernel computes what its reference does") {
  for (const double decay : decays) {
    const kernels::LionStep step = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.98, .weight_decay = decay};
    compare_updates([&](Operands& o, const Tensor& grad) { kernels::lion(o[0], grad, o[1], step); },
                    [&](Operands& o, const Tensor& grad) { kernels::reference::lion(o[0], grad, o[1], step); });
  }
}

TEST_CASE("LAMB's direction is what its reference computes, in the gradient's place") {
  for (const double decay : decays) {
    const kernels::LambStep step = {
        .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-3, .weight_decay = decay, .mean_correction = 0.4, .square_correction = 0.3};
    const auto with = [&](const auto& direction) {
      return [&](Operands& o, const Tensor& grad) {
        o[3].copy_from(grad);
        direction(o[0], o[3], o[1], o[2], step);
      };
    };
    compare_updates(with(kernels::lamb_direction), with(kernels::reference::lamb_direction));
  }
}

TEST_CASE("where no gradient has come yet and eps is 0 updates change nothing") {
  for (const DType dtype : {f32, f64})
    test::on_each_isa([&] {
      Generator generator(3);
      const Tensor start = test::draw(generator, 21, dtype, -2, 2), zeros = Tensor::zeros({21}, dtype);
      Tensor value = start.clone(), a = zeros.clone(), b = zeros.clone(), c = zeros.clone(), direction = zeros.clone();
      kernels::rmsprop(value, zeros, a, b, c, {.lr = 1, .alpha = 0.9, .momentum = 0.9});
      kernels::adagrad(value, zeros, a, {.lr = 1});
      kernels::adadelta(value, zeros, a, b, {.lr = 1, .rho = 0.9});
      kernels::nadam(value, zeros, a, b, {.grad_rate = 1, .mean_rate = 1, .square_correction = 0.1});
      kernels::lion(value, zeros, a, {.lr = 1, .beta1 = 0.9, .beta2 = 0.9});
      kernels::lamb_direction(value, direction, a, b, {.mean_correction = 0.1, .square_correction = 0.1});
      CHECK(test::same_bits(value, start));
      for (const Tensor* tensor : {&a, &b, &c, &direction}) CHECK(test::same_bits(*tensor, zeros));
    });
}

TEST_CASE("updates let a NaN gradient through to its element alone") {
  for (const DType dtype : {f32, f64})
    test::on_each_isa([&] {
      Tensor grad = Tensor::ones({37}, dtype);
      grad.slice(0, 21, 22).fill(std::numeric_limits<double>::quiet_NaN());
      const auto check = [&](const auto& update) {
        Tensor value = Tensor::ones({37}, dtype), a = Tensor::ones({37}, dtype), b = a.clone(), c = a.clone();
        update(value, a, b, c);
        for (std::int64_t i = 0; i < 37; ++i) CHECK(std::isnan(value.at({i})) == (i == 21));
      };
      check([&](Tensor& value, Tensor& a, Tensor& b, Tensor& c) {
        kernels::rmsprop(value, grad, a, b, c, {.lr = 1, .alpha = 0.9, .eps = 1, .momentum = 0.9});
      });
      check([&](Tensor& value, Tensor& a, Tensor&, Tensor&) { kernels::adagrad(value, grad, a, {.lr = 1}); });
      check([&](Tensor& value, Tensor& a, Tensor& b, Tensor&) { kernels::adadelta(value, grad, a, b, {.lr = 1, .rho = 0.9}); });
      check([&](Tensor& value, Tensor& a, Tensor& b, Tensor&) {
        kernels::nadam(value, grad, a, b, {.grad_rate = 1, .mean_rate = 1, .square_correction = 1});
      });
      check([&](Tensor& value, Tensor& a, Tensor&, Tensor&) { kernels::lion(value, grad, a, {.lr = 1}); });
      check([&](Tensor& value, Tensor& a, Tensor& b, Tensor&) {
        Tensor direction = grad.clone();
        kernels::lamb_direction(value, direction, a, b, {.mean_correction = 1, .square_correction = 1});
        value = direction;
      });
    });
}
