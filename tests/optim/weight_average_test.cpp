#include "weft/optim/weight_average.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "golden/golden.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"

using namespace weft;

TEST_CASE("the average is the sum of all values, each weighted by its age") {
  for (const DType dtype : {f32, f64}) {
    Generator generator(4);
    Parameter p("p", Tensor::zeros({3, 7}, dtype));
    optim::WeightAverage average(std::vector{&p}, {.decay = 0.8});
    std::vector<double> expected(21);
    for (int update = 0; update < 20; ++update) {
      p.mutable_value() = Tensor::randn({3, 7}, generator, dtype);
      average.update();
      for (std::int64_t i = 0; i < 21; ++i) {
        double& e = expected[static_cast<std::size_t>(i)];
        const double x = p.value().at({i / 7, i % 7});
        e = update == 0 ? x : 0.8 * e + 0.2 * x;
      }
    }
    const Tensor plain = Tensor::from<double>(expected, {3, 7}), last = p.value().clone();
    CHECK(test::relative_error(average.state_dict()[1].tensor, plain) <= (dtype == f64 ? 1e-15 : 1e-6));
    const Tensor& held = p.value();
    average.swap();
    CHECK(test::relative_error(held, plain) <= (dtype == f64 ? 1e-15 : 1e-6));
    average.swap();
    CHECK(test::relative_error(held, last) == 0);
  }
}

TEST_CASE("values that stand still are their own average, however slowly the past fades") {
  Generator generator(4);
  for (const double decay : {0.9, 0.999, 0.999999, 0.99999999}) {
    Parameter p("p", Tensor::randn({50}, generator));
    optim::WeightAverage average(std::vector{&p}, {.decay = decay});
    for (int update = 0; update < 3000; ++update) average.update();
    CHECK(test::relative_error(average.state_dict()[1].tensor, p.value()) == 0);
  }
}

TEST_CASE("an average goes on with the same bits after its state was loaded") {
  Parameter p("p", Tensor::ones({5})), q("q", Tensor::ones({5}));
  optim::WeightAverage straight(std::vector{&p}), before(std::vector{&p}), after(std::vector{&p});
  for (int update = 0; update < 6; ++update) {
    p.mutable_value().fill(update * 0.37);
    straight.update();
    if (update == 3) after.load_state_dict(before.state_dict());
    (update < 3 ? before : after).update();
  }
  CHECK(test::relative_error(straight.state_dict()[1].tensor, after.state_dict()[1].tensor) == 0);
  CHECK(after.state_dict()[0].tensor.item() == 6);
  CHECK_THROWS_WITH_AS(after.load_state_dict(optim::WeightAverage(std::vector{&q}).state_dict()),
                       doctest::Contains("1 missing: 'p'"), ValueError);
}

TEST_CASE("an average refuses what it can't be of") {
  Parameter p("p", Tensor::ones({5})), twin("p", Tensor::ones({5}));
  CHECK_THROWS_AS(optim::WeightAverage(std::vector<Parameter*>{}), ValueError);
  CHECK_THROWS_AS(optim::WeightAverage(std::vector<Parameter*>{nullptr}), ValueError);
  CHECK_THROWS_AS(optim::WeightAverage(std::vector{&p, &twin}), ValueError);
  Parameter count("updates", Tensor::ones({2}));
  CHECK_THROWS_WITH_AS(optim::WeightAverage(std::vector{&p, &count}), doctest::Contains("a parameter is called 'updates'"),
                       ValueError);
  CHECK_THROWS_WITH_AS(optim::WeightAverage(std::vector{&p}, {.decay = 1}), doctest::Contains("decay is 1"), ValueError);
  optim::WeightAverage average(std::vector{&p});
  CHECK_THROWS_WITH_AS(average.swap(), doctest::Contains("nothing was averaged yet"), ValueError);
  average.update();
  average.swap();
  CHECK_THROWS_WITH_AS(average.update(), doctest::Contains("the parameters hold the averages; swap() them back first"),
                       ValueError);
  CHECK_THROWS_AS(average.state_dict(), ValueError);
  CHECK_THROWS_AS(average.load_state_dict({}), ValueError);
  average.swap();
  p.to(f64);
  CHECK_THROWS_AS(average.update(), DTypeError);
  p.mutable_value() = Tensor::ones({6});
  CHECK_THROWS_AS(average.swap(), ShapeError);
}
