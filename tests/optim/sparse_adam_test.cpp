#include "weft/optim/sparse_adam.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "golden/golden.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/embedding.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;

TEST_CASE("SparseAdam goes PyTorch's way for a hundred steps of a table, and leaves what was never looked up") {
  const test::Golden golden = test::Golden::load("sparse_adam");
  for (const DType dtype : {f64, f32}) {
    Parameter table("table", golden["weight"].to(dtype).clone());
    const Tensor target = golden["target"].to(dtype);
    optim::SparseAdam optimizer(std::vector{&table}, {.lr = 0.02, .betas = {0.8, 0.98}, .eps = 1e-5});
    int compared = 0;
    for (int step = 1; step <= 100; ++step) {
      {
        Tape tape;
        tape.backward(mean(square(embedding(table, golden["index"].select(0, step - 1)) - target)));
      }
      optimizer.step();
      const std::string key = std::to_string(step) + ".weight";
      if (!golden.contains(key)) continue;
      INFO(key, " in ", name_of(dtype));
      CHECK(test::relative_error(table.value(), golden[key]) <= (dtype == f64 ? 1e-12 : 1e-5));
      ++compared;
    }
    CHECK(compared == 5);
    CHECK(test::relative_error(table.value().select(0, 8), golden["weight"].to(dtype).select(0, 8)) == 0);
  }
}

TEST_CASE("SparseAdam: an unused row keeps its running means too, and the step counts for it") {
  Parameter p("p", Tensor::ones({3, 2}, f64));
  optim::SparseAdam optimizer(std::vector{&p}, {});
  const auto step = [&](std::int64_t row) {
    Tensor grad = Tensor::zeros({3, 2}, f64);
    grad.select(0, row).fill(0.5);
    p.add_grad(grad);
    optimizer.step();
  };
  step(0);
  const auto state = optimizer.state_dict();
  const Tensor before = p.value().clone(), exp_avg = state[2].tensor.clone(), exp_avg_sq = state[3].tensor.clone();
  step(1);
  for (std::int64_t column = 0; column < 2; ++column) {
    CHECK(p.value().at({0, column}) == before.at({0, column}));
    CHECK(state[2].tensor.at({0, column}) == exp_avg.at({0, column}));
    CHECK(state[3].tensor.at({0, column}) == exp_avg_sq.at({0, column}));
    CHECK(p.value().at({1, column}) < 1);
    CHECK(p.value().at({2, column}) == 1);
  }
  CHECK(state[1].tensor.item() == 2);
}

TEST_CASE("SparseAdam: rows of one number, one number alone, and a NaN that stays in its row") {
  Parameter vector("vector", Tensor::zeros({4})), number("number", Tensor::zeros({})), table("table", Tensor::zeros({2, 3}));
  Tensor grad = Tensor::zeros({4});
  grad.mutable_data<float>()[2] = 3;
  vector.add_grad(grad);
  number.add_grad(Tensor::full({}, -3));
  Tensor broken = Tensor::zeros({2, 3});
  broken.mutable_data<float>()[4] = std::numeric_limits<float>::quiet_NaN();
  table.add_grad(broken);
  optim::SparseAdam(std::vector{&vector, &number, &table}, {.lr = 0.25, .eps = 0}).step();
  for (std::int64_t i = 0; i < 4; ++i) CHECK(vector.value().at({i}) == doctest::Approx(i == 2 ? -0.25 : 0));
  CHECK(number.value().item() == doctest::Approx(0.25));
  for (std::int64_t i = 0; i < 6; ++i) CHECK((table.value().at({i / 3, i % 3}) == 0) == (i != 4));
}

TEST_CASE("SparseAdam's options have PyTorch's defaults, and those out of range are refused") {
  CHECK(optim::SparseAdamOptions{}.lr == 1e-3);
  CHECK(optim::SparseAdamOptions{}.betas == std::array{0.9, 0.999});
  CHECK(optim::SparseAdamOptions{}.eps == 1e-8);
  Parameter p("p", Tensor::zeros({2, 2}));
  const std::vector<Parameter*> all{&p};
  CHECK_THROWS_WITH_AS(optim::SparseAdam(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::SparseAdam(all, {.betas = {0.9, 1}}), doctest::Contains("betas are 0.9 and 1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::SparseAdam(all, {.eps = -1}), doctest::Contains("eps is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::SparseAdam({{.parameters = all, .weight_decay = 0.1}}), doctest::Contains("weight_decay is 0.1"),
                       ValueError);
}
