#include "weft/autograd/gradcheck.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "autograd/local_ops.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

namespace {

using kernels::Binary;

Tensor product(const Tensor& a, const Tensor& b) { return kernels::binary(Binary::mul, a, b, "product"); }

// a * b with a gradient rule of the caller's choice.
template <class Rule>
Var product_with(const Var& a, const Var& b, const Rule& rule) {
  return record("product", product(a.value(), b.value()), {&a, &b},
                [a = a.value(), b = b.value(), rule](Sink& s) { rule(s, s.grad().value(), a, b); });
}

template <class Rule>
GradcheckReport check_product(const Rule& rule, const Tensor& a = vector({1, -2, 3}), const Tensor& b = vector({0.5, 4, -1})) {
  return gradcheck([&](const std::vector<Var>& in) { return product_with(in[0], in[1], rule); }, {a, b});
}

}  // namespace

TEST_CASE("right gradients pass") {
  const auto report = check_product([](Sink& s, const Tensor& g, const Tensor& a, const Tensor& b) {
    s.add(0, product(g, b));
    s.add(1, product(g, a));
  });
  CHECK(report.ok());
  CHECK(report.elements == 6);
  CHECK(report.worst < 0.1);
  CHECK(report.operation == "product");
  CHECK(report.str().find("6 elements agree") != std::string::npos);
  report.require();
}

TEST_CASE("a wrong sign is found in the input that has it") {
  const auto report = check_product([](Sink& s, const Tensor& g, const Tensor& a, const Tensor& b) {
    s.add(0, product(g, b));
    s.add(1, kernels::unary(kernels::Unary::neg, product(g, a)));
  });
  CHECK_FALSE(report.ok());
  REQUIRE(report.failures.size() == 3);
  for (const auto& failure : report.failures) {
    CHECK(failure.input == "input 1");
    CHECK(failure.analytic == doctest::Approx(-failure.numeric).epsilon(1e-6));
  }
  CHECK(report.failures[1].index == "[1]");
  CHECK(report.worst > 1e4);
  CHECK_THROWS_WITH_AS(report.require(), doctest::Contains("'product': 3 of 6 elements differ"), Error);
  CHECK_THROWS_WITH_AS(report.require(), doctest::Contains("input 1 at [1]: analytic"), Error);
}

TEST_CASE("a missing factor, a lost term and a missing input are found") {
  const auto square_without_two = gradcheck(
      [](const std::vector<Var>& in) {
        const Tensor x = in[0].value();
        return record("square", product(x, x), {&in[0]}, [x](Sink& s) { s.add(0, product(s.grad().value(), x)); });
      },
      {vector({1, 2})});
  CHECK(square_without_two.failures.size() == 2);

  const auto lost_term = gradcheck(
      [](const std::vector<Var>& in) {
        const Tensor x = in[0].value();
        return record("x + x^2", kernels::add(x, product(x, x)), {&in[0]}, [x](Sink& s) {
          const Tensor g = s.grad().value();
          s.add(0, kernels::binary(Binary::mul, product(g, x), 2));
        });
      },
      {vector({1, 2})});
  CHECK(lost_term.failures.size() == 2);

  const auto forgotten =
      check_product([](Sink& s, const Tensor& g, const Tensor&, const Tensor& b) { s.add(0, product(g, b)); });
  CHECK(forgotten.failures.size() == 3);
  CHECK(forgotten.failures[0].input == "input 1");
  CHECK(forgotten.failures[0].analytic == 0);
}

TEST_CASE("one wrong element is found") {
  const auto report = check_product(
      [](Sink& s, const Tensor& g, const Tensor& a, const Tensor& b) {
        Tensor wrong = product(g, b);
        wrong.mutable_data<double>()[4] *= 1.001;
        s.add(0, wrong);
        s.add(1, product(g, a));
      },
      Tensor::full({2, 3}, 2, f64), Tensor::full({2, 3}, 3, f64));
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].input == "input 0");
  CHECK(report.failures[0].index == "[1, 1]");
}

TEST_CASE("a gradient that only a plain sum would accept is found") {
  // The outputs' gradients are averaged: under a cotangent of ones nobody would see it.
  const auto report = gradcheck(
      [](const std::vector<Var>& in) {
        return record("copy", in[0].value().clone(), {&in[0]}, [](Sink& s) {
          const int axes[] = {0};
          const Tensor mean =
              kernels::binary(Binary::mul, kernels::reduce(kernels::Reduction::sum, s.grad().value(), axes), 0.25);
          s.add(0, Tensor(mean.expand({4}).clone()));
        });
      },
      {vector({1, 2, 3, 4})});
  CHECK(report.failures.size() == 4);
}

TEST_CASE("NaN never passes") {
  const auto report = check_product([](Sink& s, const Tensor& g, const Tensor& a, const Tensor& b) {
    s.add(0, Tensor::full(b.shape(), std::numeric_limits<double>::quiet_NaN(), f64));
    s.add(1, product(g, a));
  });
  CHECK(report.failures.size() == 3);
}

TEST_CASE("a check that has compared nothing says so") {
  const Tensor constant = vector({1, 2});
  constexpr const char* none = "the output depends on none of the inputs or parameters, so nothing was checked";
  const auto report = gradcheck([&](const std::vector<Var>&) { return Var(constant); }, {vector({3})});
  CHECK(report.problem == none);
  CHECK(report.operation == "");
  CHECK_FALSE(report.ok());
  // One of two inputs is enough, and an output that hangs on an input by a rule that adds nothing.
  CHECK(gradcheck([](const std::vector<Var>& in) { return times(in[1], in[1]); }, {vector({3}), vector({2})}).ok());
  const auto step = [](const std::vector<Var>& in) {
    return record("step", Tensor::ones(in[0].shape(), f64), {&in[0]}, [](Sink&) {});
  };
  CHECK(gradcheck(step, {vector({3})}).ok());
  // An output that was taken off the tape.
  const auto detached = gradcheck([](const std::vector<Var>& in) { return Var(times(in[0], in[0]).value()); }, {vector({3})});
  CHECK_FALSE(detached.ok());
  CHECK(detached.str().starts_with("gradcheck: the output changes with the inputs or parameters, but no recorded operation"));
  const auto first = [](const std::vector<Var>& in) { return times(in[0], in[0]); };
  CHECK(gradcheck(first, {}).problem == "there is nothing to compare: no inputs or parameters were given");
  CHECK_THROWS_WITH_AS(gradcheck([](const std::vector<Var>&) { return Var(); }, {vector({3})}),
                       doctest::Contains("the output is undefined"), DTypeError);
  // The parameters of another model.
  Parameter used("used", vector({1, 2})), other("other", vector({3}));
  Parameter* const wrong[] = {&other};
  const auto loss = [&] { return total(times(used, used)); };
  CHECK(gradcheck_parameters(loss, wrong).problem == none);
  CHECK(gradgradcheck_parameters(loss, wrong).problem == none);
  for (const GradcheckReport& nothing : {gradcheck([&](const std::vector<Var>&) { return Var(constant); }, {}),
                                         gradcheck_parameters(loss, {}), gradgradcheck_parameters(loss, {})}) {
    CHECK_FALSE(nothing.ok());
    CHECK(nothing.problem == "there is nothing to compare: no inputs or parameters were given");
  }
  CHECK(gradcheck([](const std::vector<Var>& in) { return times(in[0], in[0]); }, {Tensor::zeros({0}, f64)}).ok());
}

TEST_CASE("derivatives that differ by no more than a large output's rounding come with a hint") {
  const Tensor large = vector({3e4});
  const auto f = [&](const std::vector<Var>& in) { return plus(times(in[0], in[0]), large); };
  const GradcheckOptions strict{.rtol = 0, .atol = 1e-9};
  const auto report = gradcheck(f, {vector({0.7})}, strict);
  CHECK_FALSE(report.ok());
  CHECK(report.hint.starts_with("no difference is more than rounding makes of an output of 3e+04"));
  CHECK(report.str().ends_with(report.hint));
  const auto wrong = check_product([](Sink& s, const Tensor& g, const Tensor& a, const Tensor& b) {
    s.add(0, product(g, b));
    s.add(1, product(g, b));
    (void)a;
  });
  CHECK_FALSE(wrong.ok());
  CHECK(wrong.hint.empty());
  // Half of a product's gradient, beside a number that has nothing to do with it.
  const auto masked = gradcheck(
      [](const std::vector<Var>& in) {
        return plus(product_with(in[0], in[0],
                                 [](Sink& s, const Tensor& g, const Tensor& a, const Tensor&) { s.add(0, product(g, a)); }),
                    vector({0, -1e9}));
      },
      {vector({0.7, 0})});
  CHECK_FALSE(masked.ok());
  CHECK(masked.hint.empty());
  // Small derivatives, which fail first, beside large ones, at the tolerances that are there.
  const Tensor larger = vector({3e5});
  const auto mixed = gradcheck([&](const std::vector<Var>& in) { return plus(total(times(in[0], in[0])), larger); },
                               {vector({0.5, 0.7, 0.3, 0.21, 0.9, 0.001, 0.002})});
  CHECK_FALSE(mixed.ok());
  CHECK(mixed.hint.starts_with("no difference is more than rounding makes of an output of 3e+05"));
  // An infinite output excuses nothing.
  const Tensor endless = vector({std::numeric_limits<double>::infinity()});
  const auto infinite = gradcheck(
      [&](const std::vector<Var>& in) {
        return plus(product_with(in[0], in[0],
                                 [](Sink& s, const Tensor& g, const Tensor& a, const Tensor&) { s.add(0, product(g, a)); }),
                    endless);
      },
      {vector({0.7})});
  CHECK_FALSE(infinite.ok());
  CHECK(infinite.hint.empty());
  // Neither does one that is infinite on one side of the step alone.
  const auto half = [](Sink& s, const Tensor& g, const Tensor& a, const Tensor&) { s.add(0, product(g, a)); };
  const auto edge = gradcheck(
      [&](const std::vector<Var>& in) {
        const bool beyond = in[0].value().at({0}) > 0.7;
        return plus(product_with(in[0], in[0], half), vector({beyond ? std::numeric_limits<double>::infinity() : 0}));
      },
      {vector({0.7})});
  CHECK_FALSE(edge.ok());
  CHECK(edge.hint.empty());
  // Nor the size of another output's element, where each has its own row.
  const auto rows = gradcheck(
      [&](const std::vector<Var>& in) {
        return plus(times(in[0], vector({1e9, 0})), product_with(in[0], in[0], half));
      },
      {vector({0.7, 0.7})}, {.directions = 1, .full_jacobian = true});
  CHECK_FALSE(rows.ok());
  CHECK(rows.hint.empty());
}

TEST_CASE("differences at a kink come with a hint, wrong gradients beside one don't hide") {
  const auto rectified = [](double factor) {
    return [factor](const std::vector<Var>& in) {
      const Tensor x = in[0].value();
      Tensor on = Tensor::zeros(x.shape(), f64);
      for (std::int64_t i = 0; i < x.numel(); ++i) on.mutable_data<double>()[i] = x.at({i}) > 0 ? 1 : 0;
      return record("rectified", product(x, on), {&in[0]},
                    [on = product(on, vector({factor}))](Sink& s) { s.add(0, times(s.grad(), on)); });
    };
  };
  const GradcheckReport kink = gradcheck(rectified(1), {vector({1, 0, -1, 0})});
  CHECK(kink.failures.size() == 2);
  CHECK(kink.hint.starts_with(
      "at a kink, as relu has at 0, where there is no derivative: 2 of 2 (from input 0 at [1] the slope is "));
  CHECK(kink.str().ends_with(kink.hint));
  CHECK(gradcheck(rectified(1), {vector({1, -1})}).hint.empty());
  CHECK(gradcheck(rectified(1), {vector({1, 0})}, {.full_jacobian = true}).hint.find("1 of 1 (") != std::string::npos);
  const GradcheckReport both = gradcheck(rectified(2), {vector({1, 0, -1})});
  CHECK(both.failures.size() == 2);
  CHECK(both.hint.find("1 of 2 (") != std::string::npos);
  // At the bottom of a parabola the slopes to both sides differ too, by what a step's curvature makes of them.
  const auto parabola = [](const std::vector<Var>& in) {
    return product_with(in[0], in[0], [](Sink& s, const Tensor& g, const Tensor&, const Tensor&) { s.add(0, g); });
  };
  const GradcheckReport smooth = gradcheck(parabola, {vector({0})});
  CHECK(smooth.failures.size() == 1);
  CHECK(smooth.hint.empty());
  // Neither a curve that a step is too long for, whether the rule is right or not.
  const auto logarithm = [](double error) {
    return [error](const std::vector<Var>& in) {
      return record("logarithm", kernels::unary(kernels::Unary::log, in[0].value()), {&in[0]},
                    [x = in[0].value(), error](Sink& s) {
                      s.add(0, kernels::binary(Binary::div, s.grad().value(), kernels::add(x, vector({error})), "div"));
                    });
    };
  };
  for (const double error : {0.0, 1e-7}) {
    const GradcheckReport bends = gradcheck(logarithm(error), {vector({1e-4})});
    CHECK(bends.failures.size() == 1);
    CHECK(bends.hint == "the function bends within a step of 1e-06, at 1 of 1: take a smaller step");
  }
  CHECK(gradcheck(logarithm(0), {vector({1e-4})}, {.step = 1e-8}).ok());
  CHECK_FALSE(gradcheck(logarithm(1e-7), {vector({1e-4})}, {.step = 1e-8}).ok());
  // A gradient that jumps.
  CHECK(gradgradcheck([&](const std::vector<Var>& in) { return times(rectified(1)(in), in[0]); }, {vector({0, 2})})
            .hint.starts_with("at a kink"));
}

TEST_CASE("second order names the gradient whose rule is wrong") {
  // The second input's gradient by a rule that is right, but can't be differentiated; the first one's by Vars.
  const auto half_recorded = [](const std::vector<Var>& in) {
    return record("half recorded", product(in[0].value(), in[1].value()), {&in[0], &in[1]},
                  [a = in[0].value(), b = Saved(in[1], true)](Sink& s) {
                    s.add(0, times(s.grad(), b.get()));
                    s.add(1, product(s.grad().value(), a));
                  });
  };
  const std::vector<Tensor> inputs = {vector({1, -2}), vector({0.5, 4})};
  CHECK(gradcheck(half_recorded, inputs).ok());
  const GradcheckReport report = gradgradcheck(half_recorded, inputs);
  REQUIRE(report.failures.size() == 4);  // by the first input and by the cotangent, two elements each
  for (const GradcheckFailure& failure : report.failures) CHECK(failure.output == "the gradient of input 1");
  CHECK(report.failures[0].input == "input 0");
  CHECK(report.failures[2].input == "cotangent");
  CHECK(report.str().find("input 0 at [0] for the gradient of input 1: analytic 0, numeric") != std::string::npos);
  CHECK(
      report.hint.starts_with("the gradient of input 1 doesn't depend on input 0; the gradient of input 1 doesn't depend on "
                              "s.grad(), in the recorded backward pass: a tensor stands in its rule"));
  // The numbers are those of the gradient that is named, beside another that is right: x^2 y, whose second rule forgets x.
  const auto partly = [](const std::vector<Var>& in) {
    const Tensor x = in[0].value();
    return record("partly", product(product(x, x), in[1].value()), {&in[0], &in[1]},
                  [squared = product(x, x), x = Saved(in[0], true), y = Saved(in[1], true)](Sink& s) {
                    s.add(0, times(times(s.grad(), vector({2})), times(x.get(), y.get())));
                    s.add(1, times(s.grad(), squared));
                  });
  };
  CHECK(gradcheck(partly, inputs).ok());
  const GradcheckReport forgets = gradgradcheck(partly, inputs);
  REQUIRE(forgets.failures.size() == 2);
  for (const GradcheckFailure& failure : forgets.failures) {
    CHECK(failure.input == "input 0");
    CHECK(failure.output == "the gradient of input 1");
    CHECK(failure.analytic == 0);
  }
  CHECK(forgets.hint.starts_with("the gradient of input 1 doesn't depend on input 0, in the recorded backward pass"));
  // One that is NaN differs most.
  const auto not_a_number = [&](const std::vector<Var>& in) {
    return record("nan", product(in[0].value(), in[1].value()), {&in[0], &in[1]},
                  [a = Saved(in[0], true), b = Saved(in[1], true)](Sink& s) {
                    const double factor = s.recording() ? std::numeric_limits<double>::quiet_NaN() : 1;
                    s.add(0, times(times(s.grad(), b.get()), vector({factor})));
                    s.add(1, times(times(s.grad(), a.get()), vector({s.recording() ? 2.0 : 1.0})));
                  });
  };
  const GradcheckReport nan = gradgradcheck(not_a_number, inputs);
  REQUIRE(nan.failures.back().input == "cotangent");  // on which both depend
  CHECK(nan.failures.back().output == "the gradient of input 0");
  const GradcheckReport single = gradgradcheck(half_recorded, inputs, {.rtol = 1e-4, .full_jacobian = true});
  REQUIRE(single.failures.size() == 4);
  CHECK(single.failures[0].output == "the gradient of input 1 at [0]");
  // Parts that make up for each other but for less than each is allowed: the one that differs most.
  const auto nearly = [](const std::vector<Var>& in) {
    return record("nearly", kernels::add(product(in[0].value(), vector({3e4})), product(in[1].value(), vector({3e4}))),
                  {&in[0], &in[1]}, [](Sink& s) {
                    if (!s.recording()) {
                      for (int i : {0, 1}) s.add(i, product(s.grad().value(), vector({3e4})));
                      return;
                    }
                    s.add(0, times(s.grad(), vector({3e4 + 1})));
                    s.add(1, times(s.grad(), vector({3e4 + 2})));
                  });
  };
  bool differed = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)  // some cotangents nearly cancel
    for (const GradcheckFailure& failure :
         gradgradcheck(nearly, {vector({1}), vector({1})}, {.rtol = 1e-4, .seed = seed}).failures) {
      differed = true;
      CHECK(failure.output == "the gradient of input 1");
    }
  CHECK(differed);
  // One that is there and wrong is no constant.
  const auto halved = [](const std::vector<Var>& in) {
    return record(
        "halved", product(in[0].value(), in[0].value()), {&in[0]},
        [a = in[0].value(), x = Saved(in[0], true)](Sink& s) { s.add(0, plus(times(s.grad(), a), times(s.grad(), x.get()))); });
  };
  CHECK(gradcheck(halved, {inputs[0]}).ok());
  const GradcheckReport wrong = gradgradcheck(halved, {inputs[0]});
  REQUIRE(wrong.failures.size() == 2);
  CHECK(wrong.failures[0].output == "the gradient of input 0");
  CHECK(wrong.hint.empty());
}

TEST_CASE("an output whose shape changes within a step is told") {
  const auto report =
      gradcheck([](const std::vector<Var>& in) { return in[0].value().at({0}) > 0.7 ? in[0] : Var(slice(in[0], 0, 0, 1)); },
                {vector({0.7, 1, 2})});
  CHECK_FALSE(report.ok());
  CHECK(report.problem == "a step of 1e-06 of input 0 at [0] changes the output's shape");
  const auto shrinks = [](const std::vector<Var>& in) {
    const Var squares = times(in[0], in[0]);
    return in[0].value().at({0}) > 0.7 ? squares : Var(slice(squares, 0, 0, 1));
  };
  CHECK(gradgradcheck(shrinks, {vector({0.7, 1, 2})}).problem == report.problem);
  // One without elements has no cotangent to compare with.
  const auto nothing = [](const std::vector<Var>& in) { return Var(slice(in[0], 0, 0, 0)); };
  CHECK(gradcheck(nothing, {vector({0.7, 1, 2})}, {.full_jacobian = true}).ok());
  const auto empty = [](const std::vector<Var>& in) { return times(in[0], in[0]); };
  CHECK(gradgradcheck(empty, {Tensor::zeros({0}, f64)}, {.full_jacobian = true}).ok());
}

TEST_CASE("steps, tolerances and counts that can't be are refused") {
  const std::vector<Parameter*> null{nullptr};
  const auto constant = [] { return Var::scalar(1, f64); };
  CHECK_THROWS_WITH_AS(gradcheck_parameters(constant, null), "[gradcheck_parameters] a parameter is a null pointer",
                       ValueError);
  CHECK_THROWS_AS(gradgradcheck_parameters(constant, null), ValueError);
  const auto check = [](const GradcheckOptions& options) {
    return gradcheck([](const std::vector<Var>& in) { return times(in[0], in[0]); }, {vector({3, -2})}, options);
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const GradcheckOptions& options :
       {GradcheckOptions{.step = 0}, GradcheckOptions{.step = -1e-6}, GradcheckOptions{.step = infinity},
        GradcheckOptions{.rtol = -1}, GradcheckOptions{.rtol = 1},
        GradcheckOptions{.atol = std::numeric_limits<double>::quiet_NaN()}, GradcheckOptions{.elements = -1},
        GradcheckOptions{.directions = -1}})
    CHECK_THROWS_AS(check(options), ValueError);
  const GradcheckReport lost = check({.step = 1e-30});
  CHECK(lost.problem == "a step of 1e-30 is lost beside the numbers of input 0 at [1]: take a larger one");
  CHECK_FALSE(check({.step = 1e-30, .directions = 2}).ok());
  // Of a step that is rounded by a third the difference says nothing, right or wrong.
  const auto twice = [](const std::vector<Var>& in) { return times(in[0], vector({2})); };
  CHECK(gradcheck(twice, {vector({4e9})}).problem.find("is lost beside the numbers of input 0") != std::string::npos);
  CHECK(gradcheck(twice, {vector({4e9})}, {.step = 1}).ok());
  CHECK(check({.rtol = 0}).ok());
}

TEST_CASE("operations that give their input, a view or nothing") {
  CHECK(gradcheck([](const std::vector<Var>& in) { return in[0]; }, {vector({1, 2})}).ok());
  CHECK(gradcheck([](const std::vector<Var>& in) { return slice(in[0], 0, 1, 2); }, {vector({1, 2})}).ok());
  CHECK(gradcheck([](const std::vector<Var>& in) { return slice(in[0], 0, 1, 1); }, {vector({1, 2})}).ok());
  const auto empty =
      gradcheck([](const std::vector<Var>& in) { return times(in[0], in[1]); }, {Tensor::zeros({0, 2}, f64), vector({1, 2})});
  CHECK(empty.ok());
  CHECK(empty.elements == 2);
}

TEST_CASE("a function that isn't repeatable is reported") {
  int calls = 0;
  const auto report =
      gradcheck([&](const std::vector<Var>& in) { return times(in[0], vector({1.0 + ++calls})); }, {vector({1})});
  CHECK_FALSE(report.ok());
  CHECK(report.str().find("different values") != std::string::npos);
  CHECK_THROWS_AS(report.require(), Error);
}

TEST_CASE("a function that gives another shape each time is reported") {
  int calls = 0;
  const auto report = gradcheck(
      [&](const std::vector<Var>& in) {
        return record("grows", Tensor::zeros({++calls}, f64), {&in[0]}, [](Sink& s) { s.add(0, Tensor::zeros({1}, f64)); });
      },
      {vector({1})});
  CHECK_FALSE(report.ok());
  CHECK(report.str().find("different values") != std::string::npos);
}

TEST_CASE("gradients that aren't repeatable are reported at second order") {
  int runs = 0;
  const auto report = gradgradcheck(
      [&](const std::vector<Var>& in) {
        return record("drifts", product(in[0].value(), in[0].value()), {&in[0]},
                      [&runs](Sink& s) { s.add(0, times(s.grad(), vector({1.0 + ++runs}))); });
      },
      {vector({1})});
  CHECK(report.str().find("different values") != std::string::npos);
}

TEST_CASE("an operation that misreads views is reported") {
  const auto misread = [](const std::vector<Var>& in) {
    const Tensor x = in[0].value();
    Tensor y = Tensor::empty(x.shape(), f64);
    std::copy_n(x.data<double>(), x.numel(), y.mutable_data<double>());
    return record("misread", y, {&in[0]}, [](Sink& s) { s.add(0, s.grad()); });
  };
  const Tensor x = Tensor::from<double>({1, 2, 3, 4}, {2, 2});
  CHECK(gradcheck(misread, {x}).ok());
  CHECK(gradcheck(misread, {x.transpose(0, 1)}).str().find("dense copies") != std::string::npos);
}

TEST_CASE("inputs stay as they are and must be f64") {
  const Tensor x = vector({1, 2});
  const std::uint32_t version = x.version();
  CHECK(gradcheck([](const std::vector<Var>& in) { return times(in[0], in[0]); }, {x}).ok());
  CHECK(x.version() == version);
  CHECK_THROWS_WITH_AS(gradcheck([](const std::vector<Var>& in) { return in[1]; }, {x, Tensor::ones({2})}),
                       doctest::Contains("input 1 is f32[2]"), DTypeError);
}

TEST_CASE("an outer tape is left alone, and a function that throws leaves nothing behind") {
  Tape outer;
  const Var x = outer.leaf(vector({2}));
  CHECK(gradcheck([](const std::vector<Var>& in) { return times(in[0], in[0]); }, {vector({3})}).ok());
  CHECK(Tape::recording() == &outer);
  CHECK(outer.size() == 0);
  CHECK_THROWS_AS(gradcheck([](const std::vector<Var>&) -> Var { throw ValueError("no"); }, {vector({3})}), ValueError);
  CHECK(Tape::recording() == &outer);
  CHECK_THROWS_AS(gradcheck([&](const std::vector<Var>& in) { return times(in[0], x); }, {vector({3})}), TapeError);
  const NoGrad guard;
  CHECK_THROWS_AS(gradcheck([](const std::vector<Var>& in) { return in[0]; }, {vector({3})}), TapeError);
}

TEST_CASE("whole models: parameters are perturbed and restored") {
  Parameter w("layer.weight", Tensor::from<double>({1, -2, 3, 0.5, 2, -1}, {2, 3})), b("layer.bias", vector({0.1, 0.2, 0.3}));
  const Tensor x = vector({0.5, -1, 2});
  w.add_grad(Tensor::full({2, 3}, 7, f64));
  const Tensor value = w.value();
  const std::uint32_t version = value.version();
  Parameter* const parameters[] = {&w, &b};
  const auto model = [&] { return exponential(plus(times(w, times(x, vector({0.1}))), b)); };
  const auto report = gradcheck_parameters(model, parameters);
  CHECK(report.ok());
  CHECK(report.elements == 9);
  CHECK(w.value().is_same(value));
  CHECK(value.version() == version);
  CHECK(w.grad().at({1, 2}) == 7);
  CHECK_FALSE(b.grad().defined());

  const auto wrong = [&] {
    const Var bias = b;
    const Var halved =
        record("halved", bias.value().clone(), {&bias}, [](Sink& s) { s.add(0, times(s.grad(), vector({0.5}))); });
    return plus(w, halved);
  };
  const auto failed = gradcheck_parameters(wrong, parameters);
  REQUIRE(failed.failures.size() == 3);
  CHECK(failed.failures[2].input == "'layer.bias'");
  CHECK(failed.failures[2].index == "[2]");
  CHECK_THROWS_AS(gradcheck_parameters([]() -> Var { throw ValueError("no"); }, parameters), ValueError);
  const auto refuses_others = [&]() -> Var {
    if (w.value().at({0, 0}) != 1) throw ValueError("no");
    return total(times(w, w));
  };
  CHECK_THROWS_AS(gradcheck_parameters(refuses_others, parameters), ValueError);
  CHECK(w.value().at({0, 0}) == 1);
  CHECK(w.value().is_same(value));
  CHECK(w.grad().at({0, 0}) == 7);
}

TEST_CASE("whole models: elements are sampled where there are many") {
  Parameter w("w", Tensor::full({100}, 2, f64)), small("small", vector({1, 2}));
  Parameter* const parameters[] = {&w, &small};
  const auto model = [&] { return plus(total(times(w, w)), total(times(small, small))); };
  const auto report = gradcheck_parameters(model, parameters, {.elements = 7});
  CHECK(report.ok());
  CHECK(report.elements == 9);
  Parameter single("f32", Tensor::ones({1}));
  Parameter* const wrong[] = {&single};
  CHECK_THROWS_WITH_AS(gradcheck_parameters([&] { return single.var(); }, wrong), doctest::Contains("f32"), DTypeError);
}

TEST_CASE("the full Jacobian names the output's element") {
  const auto swapped = [](const std::vector<Var>& in) {
    return record("swapped", in[0].value().clone(), {&in[0]}, [](Sink& s) {
      const Tensor g = s.grad().value();
      Tensor wrong = Tensor::from<double>({g.at({1}), g.at({0}), g.at({2})}, {3});
      s.add(0, wrong);
    });
  };
  const auto report = gradcheck(swapped, {vector({1, 2, 3})}, {.full_jacobian = true});
  CHECK(report.elements == 9);
  REQUIRE(report.failures.size() == 4);
  CHECK(report.failures[0].input == "input 0");
  CHECK(report.failures[0].index == "[0]");
  CHECK(report.failures[0].output == "[0]");
  CHECK(report.failures[0].analytic == 0);
  CHECK(report.failures[0].numeric == doctest::Approx(1));
  CHECK(report.failures[1].output == "[1]");
  CHECK(report.str().find("input 0 at [0] for output [1]: analytic 1") != std::string::npos);
  const auto right = gradcheck([](const std::vector<Var>& in) { return times(in[0], in[1]); },
                               {vector({1, 2, 3}), vector({4, 5, 6})}, {.full_jacobian = true});
  CHECK(right.ok());
  CHECK(right.elements == 18);
}

TEST_CASE("random directions through each input") {
  const auto product_of = [](double factor) {
    return [factor](const std::vector<Var>& in) {
      return record("scaled", product(in[0].value(), in[1].value()), {&in[0], &in[1]},
                    [a = in[0].value(), b = in[1].value(), factor](Sink& s) {
                      s.add(0, product(s.grad().value(), b));
                      s.add(1, kernels::binary(Binary::mul, product(s.grad().value(), a), factor));
                    });
    };
  };
  const std::vector<Tensor> inputs = {vector({1, -2, 3}), vector({0.5, 4, -1})};
  const auto right = gradcheck(product_of(1), inputs, {.directions = 5});
  CHECK(right.ok());
  CHECK(right.elements == 10);
  CHECK(gradcheck(product_of(1), inputs, {.directions = 1}).elements == static_cast<std::int64_t>(inputs.size()));
  const auto wrong = gradcheck(product_of(1.01), inputs, {.directions = 5});
  REQUIRE(wrong.failures.size() == 5);
  CHECK(wrong.failures[2].input == "input 1");
  CHECK(wrong.failures[2].index == "direction 2");
}

TEST_CASE("second derivatives") {
  const auto cube = [](const std::vector<Var>& in) { return times(times(in[0], in[0]), exponential(in[1])); };
  const auto right = gradgradcheck(cube, {vector({1, -2}), vector({0.3, 0.1})});
  CHECK_MESSAGE(right.ok(), right.str());
  CHECK(right.order == 2);
  CHECK(right.elements == 6);  // two inputs and the cotangent
  // A rule that is right at first order, but loses its dependence on the input under create_graph.
  const auto stale = [](const std::vector<Var>& in) {
    return record("stale", product(in[0].value(), in[0].value()), {&in[0]},
                  [x = in[0].value()](Sink& s) { s.add(0, times(s.grad(), Var(kernels::binary(Binary::mul, x, 2)))); });
  };
  const std::vector<Tensor> inputs = {vector({1, -2})};
  CHECK(gradcheck(stale, inputs).ok());
  const auto wrong = gradgradcheck(stale, inputs);
  REQUIRE(wrong.failures.size() == 2);
  CHECK(wrong.failures[0].operation == "stale");
  CHECK(wrong.failures[0].input == "input 0");
  CHECK(wrong.failures[0].analytic == 0);
  CHECK_THROWS_WITH_AS(wrong.require(), doctest::Contains("gradgradcheck of 'stale': 2 of 4 elements differ"), Error);
  // A fused first-order rule that is not what its composite form says.
  const auto two_faced = [](const std::vector<Var>& in) {
    return record("two-faced", product(in[0].value(), in[0].value()), {&in[0]}, [x = Saved(in[0])](Sink& s) {
      s.add(0, times(s.grad(), s.recording() ? times(x.get(), vector({3, 3})) : times(x.get(), vector({2, 2}))));
    });
  };
  CHECK(gradcheck(two_faced, inputs).ok());
  CHECK_FALSE(gradgradcheck(two_faced, inputs).ok());
}

TEST_CASE("second derivatives of functions without any") {
  const Tensor constant = vector({1, 2});
  CHECK_FALSE(gradgradcheck([&](const std::vector<Var>&) { return Var(constant); }, {vector({3})}).ok());
  CHECK(gradgradcheck([](const std::vector<Var>& in) { return plus(in[0], in[0]); }, {vector({3, 4})}).ok());
  CHECK(gradgradcheck([](const std::vector<Var>& in) { return times(in[0], in[0]); }, {Tensor::zeros({0}, f64)}).ok());
}

TEST_CASE("second derivatives of whole models") {
  Parameter w("w", Tensor::from<double>({1, -2, 3, 0.5, 2, -1}, {2, 3})), b("b", vector({0.1, 0.2, 0.3}));
  w.add_grad(Tensor::full({2, 3}, 7, f64));
  const Tensor value = w.value();
  Parameter* const parameters[] = {&w, &b};
  const auto model = [&] { return total(exponential(plus(times(w, vector({0.1, 0.2, -0.3})), times(b, b)))); };
  const auto report = gradgradcheck_parameters(model, parameters);
  CHECK_MESSAGE(report.ok(), report.str());
  CHECK(report.elements == 10);
  CHECK(w.value().is_same(value));
  CHECK(w.grad().at({1, 2}) == 7);
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("a parameter that is listed twice is checked once") {
  Parameter w("w", vector({1, -2}));
  w.add_grad(vector({7, 7}));
  const Tensor value = w.value();
  Parameter* const twice[] = {&w, &w};
  const auto report = gradcheck_parameters([&] { return total(times(w, w)); }, twice);
  CHECK_MESSAGE(report.ok(), report.str());
  CHECK(report.elements == 2);
  CHECK(gradgradcheck_parameters([&] { return total(times(w, w)); }, twice).ok());
  CHECK(w.value().is_same(value));
  CHECK(w.grad().at({1}) == 7);
}
