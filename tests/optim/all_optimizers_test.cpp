#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <vector>

#include "golden/golden.hpp"
#include "optim/golden_steps.hpp"
#include "support/allocations.hpp"
#include "support/space_limit.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"
#include "weft/optim/adadelta.hpp"
#include "weft/optim/adafactor.hpp"
#include "weft/optim/adagrad.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/lamb.hpp"
#include "weft/optim/lion.hpp"
#include "weft/optim/nadam.hpp"
#include "weft/optim/rmsprop.hpp"
#include "weft/optim/sgd.hpp"
#include "weft/optim/sparse_adam.hpp"

using namespace weft;

namespace {

struct Kind {
  const char* name;
  std::function<std::unique_ptr<optim::Optimizer>(const std::vector<Parameter*>&)> make;
};

template <class Optimizer, class Options>
Kind kind(const char* name, const Options& options) {
  return {name, [options](const std::vector<Parameter*>& p) { return std::make_unique<Optimizer>(p, options); }};
}

std::vector<Kind> kinds() {
  return {kind<optim::SGD>("SGD", optim::SGDOptions{.lr = 0.1, .momentum = 0.9}),
          kind<optim::Adam>("Adam", optim::AdamOptions{.weight_decay = 0.1}),
          kind<optim::AdamW>("AdamW", optim::AdamWOptions{.amsgrad = true}),
          kind<optim::NAdam>("NAdam", optim::NAdamOptions{}),
          kind<optim::RMSprop>("RMSprop", optim::RMSpropOptions{.momentum = 0.5, .centered = true}),
          kind<optim::Adagrad>("Adagrad", optim::AdagradOptions{.lr_decay = 0.1}),
          kind<optim::Adadelta>("Adadelta", optim::AdadeltaOptions{}),
          kind<optim::Adafactor>("Adafactor", optim::AdafactorOptions{}),
          kind<optim::Lion>("Lion", optim::LionOptions{.lr = 0.01, .weight_decay = 0.1}),
          kind<optim::LAMB>("LAMB", optim::LAMBOptions{}),
          kind<optim::SparseAdam>("SparseAdam", optim::SparseAdamOptions{})};
}

}  // namespace

TEST_CASE("every optimizer goes on with the same bits after its state was loaded") {
  for (const Kind& kind : kinds()) {
    INFO(kind.name);
    test::check_resumed_steps(kind.make);
  }
}

TEST_CASE("every optimizer takes the same steps with any number of threads") {
  const int threads = num_threads();
  for (const Kind& kind : kinds())
    for (const DType dtype : {f32, f64}) {
      INFO(kind.name);
      std::vector<Tensor> results;
      for (const int n : {1, 3}) {
        set_num_threads(n);
        Generator generator(6);
        Parameter matrix("matrix", Tensor::randn({70, 600}, generator, dtype)),
            vector("vector", Tensor::randn({40001}, generator, dtype));
        const auto optimizer = kind.make({&matrix, &vector});
        for (int step = 0; step < 3; ++step) {
          matrix.add_grad(Tensor::randn({70, 600}, generator, dtype));
          vector.add_grad(Tensor::randn({40001}, generator, dtype));
          optimizer->step();
        }
        results.push_back(matrix.value().clone());
        results.push_back(vector.value().clone());
      }
      set_num_threads(threads);
      CHECK(test::relative_error(results[0], results[2]) == 0);
      CHECK(test::relative_error(results[1], results[3]) == 0);
    }
}

TEST_CASE("every optimizer steps without memory from the system once it has run") {
  for (const Kind& kind : kinds()) {
    INFO(kind.name);
    Parameter p("p", Tensor::ones({30, 20})), q("q", Tensor::ones({7}, f64)), none("none", Tensor::zeros({0, 3}));
    const auto optimizer = kind.make({&p, &q, &none});
    const auto step = [&] {
      p.add_grad(Tensor::full({30, 20}, 0.5));
      q.add_grad(Tensor::full({7}, 0.5, f64));
      none.add_grad(Tensor::zeros({0, 3}));
      optimizer->step();
    };
    const test::SteadyState asked = test::steady_state(step);
    CHECK(asked.pool_misses == 0);
    CHECK(asked.operator_new_calls == 0);
  }
}

TEST_CASE("a gradient that another handle sees is copied before anything changes, if there is memory for it") {
  if (test::pool_is_off()) return;
  const auto check = [](const Kind& kind) {
    CAPTURE(kind.name);
    Parameter small("small", Tensor::ones({3})), large("large", Tensor::zeros({4096, 3072}));
    const auto optimizer = kind.make({&small, &large});
    small.add_grad(Tensor::ones({3}));
    large.add_grad(Tensor::zeros({4096, 3072}));
    const Tensor seen = large.grad();  // 48 MiB
    trim_memory();
    const test::SpaceLimit limit(std::size_t{12} << 20);  // small ones have room
    CHECK_THROWS_AS(optimizer->step(), OutOfMemoryError);
    for (const std::int64_t i : {0, 1, 2}) CHECK(small.value().at({i}) == 1);
    CHECK(small.grad().defined());
    for (const auto& [name, tensor] : optimizer->state_dict())
      if (tensor.dtype() == i64) CHECK(tensor.item() == 0);
  };
  check(kind<optim::Adafactor>("Adafactor", optim::AdafactorOptions{}));
  check(kind<optim::LAMB>("LAMB", optim::LAMBOptions{}));
}

TEST_CASE("an optimizer of a wide parameter steps without memory") {
  if (test::pool_is_off()) return;
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    constexpr std::int64_t columns = 4 << 20;  // Adafactor works in 32 MiB
    Parameter small("small", Tensor::ones({3})), wide("wide", Tensor::ones({1, columns}));
    const auto optimizer = kind.make({&small, &wide});
    small.add_grad(Tensor::ones({3}));
    wide.add_grad(Tensor::ones({1, columns}));
    trim_memory();
    const test::SpaceLimit limit(std::size_t{12} << 20);  // small ones have room, a copy hasn't
    optimizer->step();
    CHECK(small.value().at({0}) != 1);
  }
}
