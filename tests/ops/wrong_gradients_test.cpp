#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "kernels/elementwise.hpp"
#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

// The checker is checked: gradients that are wrong in the ways that people get them wrong. Each has to be caught.

using namespace weft;
using namespace weft::test;

namespace {

using Inputs = std::vector<Var>;

struct Wrong {
  const char* what;
  GradcheckFunction function;
  std::vector<Tensor> inputs;
  bool at_second_order = false;  ///< right at first order
  bool control = false;          ///< right: shows that the others are caught for their fault and not for their making
};

// The value of a right operation under a wrong rule(Sink&, inputs, output).
template <class Operation, class Rule>
GradcheckFunction wrong(const Operation& operation, const Rule& rule) {
  return [operation, rule](const Inputs& in) {
    Tensor value;
    {
      const NoGrad guard;
      value = operation(in).value().clone();
    }
    std::vector<Var> outputs = {Var(value)};
    PoolVector<const Var*> operands;
    for (const Var& each : in) operands.push_back(&each);
    record("wrong", outputs, operands, [rule, in, value](Sink& s) { rule(s, in, Var(value)); });
    return outputs[0];
  };
}

Tensor x34(double low = -2, double high = 2) { return spread({3, 4}, low, high); }
Tensor x33(double start = 0.5) { return spread({3, 3}, -2, 2, start); }
Tensor row4() { return spread({4}, -2, 2, 0.3); }
Var mask(const Var& x, kernels::Binary comparison, double bound) {
  return kernels::binary(comparison, x.value(), bound).to(f64);
}

void add_elementwise(std::vector<Wrong>& to) {
  const auto two = [&](const char* what, const auto& operation, const auto& rule) {
    to.push_back({what, wrong(operation, rule), {x34(0.5, 2), spread({3, 4}, 0.5, 2, 0.2)}});
  };
  const auto product = [](const Inputs& in) { return in[0] * in[1]; };
  two("mul: sign of the first", product, [](Sink& s, const Inputs& in, const Var&) {
    s.add(0, -s.grad() * in[1]);
    s.add(1, s.grad() * in[0]);
  });
  two("mul, as it should be", product, [](Sink& s, const Inputs& in, const Var&) {
    s.add(0, s.grad() * in[1]);
    s.add(1, s.grad() * in[0]);
  });
  to.back().control = true;
  two("mul: operands exchanged", product, [](Sink& s, const Inputs& in, const Var&) {
    s.add(0, s.grad() * in[0]);
    s.add(1, s.grad() * in[1]);
  });
  two("mul: second forgotten", product, [](Sink& s, const Inputs& in, const Var&) { s.add(0, s.grad() * in[1]); });
  two("mul: wrong by a ten-thousandth", product, [](Sink& s, const Inputs& in, const Var&) {
    s.add(0, s.grad() * in[1] * 1.0001);
    s.add(1, s.grad() * in[0]);
  });
  const auto quotient = [](const Inputs& in) { return in[0] / in[1]; };
  two("div: divisor not squared", quotient, [](Sink& s, const Inputs& in, const Var&) {
    s.add(0, s.grad() / in[1]);
    s.add(1, -s.grad() * in[0] / in[1]);
  });
  two("div: sign of the divisor's", quotient, [](Sink& s, const Inputs& in, const Var& y) {
    s.add(0, s.grad() / in[1]);
    s.add(1, s.grad() * y / in[1]);
  });
  two(
      "sub: sign of the second", [](const Inputs& in) { return in[0] - in[1]; },
      [](Sink& s, const Inputs&, const Var&) {
        s.add(0, s.grad());
        s.add(1, s.grad());
      });
  two(
      "maximum: both get all", [](const Inputs& in) { return maximum(in[0], in[1]); },
      [](Sink& s, const Inputs&, const Var&) {
        s.add(0, s.grad());
        s.add(1, s.grad());
      });
  two(
      "where: the mask not turned round for the second",
      [](const Inputs& in) { return where(kernels::binary(kernels::Binary::gt, in[0].value(), 1.2), in[0], in[1]); },
      [](Sink& s, const Inputs& in, const Var&) {
        const Var chosen = mask(in[0], kernels::Binary::gt, 1.2);
        s.add(0, s.grad() * chosen);
        s.add(1, s.grad() * chosen);
      });

  const auto one = [&](const char* what, const auto& operation, const auto& factor, double low = -2) {
    to.push_back({what,
                  wrong([operation](const Inputs& in) { return operation(in[0]); },
                        [factor](Sink& s, const Inputs& in, const Var& y) { s.add(0, s.grad() * factor(in[0], y)); }),
                  {x34(low, 2)}});
  };
  one(
      "square: 2 missing", [](const Var& x) { return square(x); }, [](const Var& x, const Var&) { return x; });
  one(
      "x * x: overwritten instead of accumulated", [](const Var& x) { return x * x; },
      [](const Var& x, const Var&) { return x; });
  one(
      "exp: of the input instead of the output", [](const Var& x) { return exp(x); },
      [](const Var& x, const Var&) { return x; });
  one(
      "log: input instead of its inverse", [](const Var& x) { return log(x); }, [](const Var& x, const Var&) { return x; },
      0.4);
  one(
      "sqrt: half missing", [](const Var& x) { return sqrt(x); }, [](const Var&, const Var& y) { return 1 / y; }, 0.4);
  one(
      "pow: exponent not reduced", [](const Var& x) { return pow(x, 3); },
      [](const Var& x, const Var&) { return 3 * pow(x, 3); });
  one(
      "tanh: output not squared", [](const Var& x) { return tanh(x); }, [](const Var&, const Var& y) { return 1 - y; });
  one(
      "tanh: input instead of output", [](const Var& x) { return tanh(x); },
      [](const Var& x, const Var&) { return 1 - x * x; });
  one(
      "sigmoid: sign inside", [](const Var& x) { return sigmoid(x); }, [](const Var&, const Var& y) { return y * (1 + y); });
  one(
      "abs: sign lost", [](const Var& x) { return abs(x); }, [](const Var& x, const Var&) { return x / x; });
  one(
      "relu: mask turned round", [](const Var& x) { return relu(x); },
      [](const Var& x, const Var&) { return mask(x, kernels::Binary::lt, 0); });
  one(
      "clamp: passes outside", [](const Var& x) { return clamp(x, -1, 1); }, [](const Var& x, const Var&) { return x / x; });
  one(
      "gelu: derivative of the approximation", [](const Var& x) { return gelu(x); },
      [](const Var& x, const Var&) {
        const Var t = tanh(0.7978845608028654 * (x + 0.044715 * x * x * x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 3 * 0.044715 * x * x);
      });
  to.push_back({"relu: mask of the gradient instead of the input",
                wrong([](const Inputs& in) { return relu(in[0]); },
                      [](Sink& s, const Inputs&, const Var&) { s.add(0, s.grad() * mask(s.grad(), kernels::Binary::gt, 0)); }),
                {x34()}});
  to.push_back({"one element of many",
                wrong([](const Inputs& in) { return exp(in[0]); },
                      [](Sink& s, const Inputs&, const Var& y) {
                        Tensor factor = y.value().clone();
                        factor.mutable_data<double>()[7] *= 0.99;
                        s.add(0, s.grad() * factor);
                      }),
                {x34()}});
}

void add_reductions(std::vector<Wrong>& to) {
  const auto add = [&](const char* what, const auto& operation, const auto& rule, Tensor x = x34()) {
    to.push_back({what, wrong([operation](const Inputs& in) { return operation(in[0]); }, rule), {std::move(x)}});
  };
  add(
      "sum: divided by N", [](const Var& x) { return sum(x); },
      [](Sink& s, const Inputs& in, const Var&) { s.add(0, expand(s.grad() / 12, in[0].shape())); });
  add(
      "mean: 1/N missing", [](const Var& x) { return mean(x); },
      [](Sink& s, const Inputs& in, const Var&) { s.add(0, expand(s.grad(), in[0].shape())); });
  add(
      "mean of an axis: N of the whole", [](const Var& x) { return mean(x, {0}); },
      [](Sink& s, const Inputs& in, const Var&) { s.add(0, expand(s.grad() / 12, in[0].shape())); });
  add(
      "sum of an axis: spread along the other", [](const Var& x) { return sum(x, {0}); },
      [](Sink& s, const Inputs& in, const Var&) { s.add(0, expand(unsqueeze(s.grad(), 1), in[0].shape())); }, x33());
  add(
      "max: the neighbour gets it", [](const Var& x) { return max(x, {1}, true); },
      [](Sink& s, const Inputs& in, const Var& y) {
        const Var here = kernels::binary(kernels::Binary::eq, in[0].value(), y.value(), "eq").to(f64);
        s.add(0, concat({slice(here, 1, 3, 4), slice(here, 1, 0, 3)}, 1) * s.grad());
      });
  add(
      "logsumexp: not normalised", [](const Var& x) { return logsumexp(x, {1}, true); },
      [](Sink& s, const Inputs& in, const Var&) { s.add(0, s.grad() * exp(in[0])); });
  add(
      "softmax: sum missing", [](const Var& x) { return softmax(x, 1); },
      [](Sink& s, const Inputs&, const Var& y) { s.add(0, y * s.grad()); });
  add(
      "softmax: sum over the wrong axis", [](const Var& x) { return softmax(x, 1); },
      [](Sink& s, const Inputs&, const Var& y) { s.add(0, y * (s.grad() - sum(y * s.grad(), {0}, true))); });
  add(
      "log_softmax: exp missing", [](const Var& x) { return log_softmax(x, 1); },
      [](Sink& s, const Inputs&, const Var& y) { s.add(0, s.grad() - y * sum(s.grad(), {1}, true)); });
  const Tensor open = Tensor::from<bool>({true, true, false, true}, {4});
  add(
      "masked_softmax: leaks into closed places", [open](const Var& x) { return masked_softmax(x, open); },
      [](Sink& s, const Inputs&, const Var& y) { s.add(0, (y + 0.01) * (s.grad() - sum(y * s.grad(), {1}, true))); });
  const auto normal = [](const Var& x) {
    const Var centred = x - mean(x, {1}, true);
    return centred * pow(mean(square(centred), {1}, true) + 1e-5, -0.5);
  };
  const auto inverse = [](const Var& x, double power) {
    return pow(mean(square(x - mean(x, {1}, true)), {1}, true) + 1e-5, power);
  };
  add("layer norm: mean of the gradient missing", normal, [inverse](Sink& s, const Inputs& in, const Var& n) {
    s.add(0, inverse(in[0], -0.5) * (s.grad() - n * mean(s.grad() * n, {1}, true)));
  });
  add("layer norm: variance taken for constant", normal, [inverse](Sink& s, const Inputs& in, const Var&) {
    s.add(0, inverse(in[0], -0.5) * (s.grad() - mean(s.grad(), {1}, true)));
  });
  add("layer norm: divided by the variance", normal, [inverse](Sink& s, const Inputs& in, const Var& n) {
    s.add(0, inverse(in[0], -1) * (s.grad() - mean(s.grad(), {1}, true) - n * mean(s.grad() * n, {1}, true)));
  });
}

void add_broadcasts_and_shapes(std::vector<Wrong>& to) {
  const auto bias = [](const Inputs& in) { return in[0] + in[1]; };
  to.push_back({"broadcast: only the first row is counted",
                wrong(bias,
                      [](Sink& s, const Inputs&, const Var&) {
                        s.add(0, s.grad());
                        s.add(1, select(s.grad(), 0, 0));
                      }),
                {x34(), row4()}});
  to.push_back({"broadcast: averaged instead of summed",
                wrong(bias,
                      [](Sink& s, const Inputs&, const Var&) {
                        s.add(0, s.grad());
                        s.add(1, mean(s.grad(), {0}));
                      }),
                {x34(), row4()}});
  const auto add = [&](const char* what, const auto& operation, const auto& rule) {
    to.push_back({what, wrong([operation](const Inputs& in) { return operation(in[0]); }, rule), {x33()}});
  };
  add(
      "transpose: not turned back", [](const Var& x) { return transpose(x, 0, 1); },
      [](Sink& s, const Inputs&, const Var&) { s.add(0, s.grad()); });
  add(
      "flip: not turned back", [](const Var& x) { return flip(x, 0); },
      [](Sink& s, const Inputs&, const Var&) { s.add(0, s.grad()); });
  add(
      "slice: off by one", [](const Var& x) { return slice(x, 0, 1, 2); },
      [](Sink& s, const Inputs&, const Var&) { s.add_slice(0, 0, 2, s.grad()); });
  add(
      "cumulative sum: in the forward direction",
      [](const Var& x) {
        return matmul(Tensor::from<double>({1, 0, 0, 1, 1, 0, 1, 1, 1}, {3, 3}), x);
      },
      [](Sink& s, const Inputs&, const Var&) {
        s.add(0, matmul(Tensor::from<double>({1, 0, 0, 1, 1, 0, 1, 1, 1}, {3, 3}), s.grad()));
      });
  const Tensor rows = Tensor::from<std::int64_t>({2, 0, 2}, {3}), distinct = Tensor::from<std::int64_t>({1, 0, 2}, {3});
  add(
      "embedding: another row", [rows](const Var& x) { return index_select(x, 0, rows); },
      [distinct](Sink& s, const Inputs&, const Var&) { s.add_rows(0, distinct, s.grad()); });
  add(
      "embedding: repeated rows overwrite", [rows](const Var& x) { return index_select(x, 0, rows); },
      [rows](Sink& s, const Inputs&, const Var&) {
        s.add_rows(0, rows, s.grad() * Tensor::from<double>({0, 1, 1}, {3, 1}));
      });
  to.push_back({"concat: parts exchanged",
                wrong(
                    [](const Inputs& in) {
                      return concat({in[0], in[1]}, 0);
                    },
                    [](Sink& s, const Inputs&, const Var&) {
                      s.add(0, slice(s.grad(), 0, 3, 6));
                      s.add(1, slice(s.grad(), 0, 0, 3));
                    }),
                {x33(), x33(0.2)}});
  const auto product = [](const Inputs& in) { return matmul(in[0], in[1]); };
  to.push_back({"matmul: weight not transposed",
                wrong(product,
                      [](Sink& s, const Inputs& in, const Var&) {
                        s.add(0, matmul(s.grad(), in[1]));
                        s.add(1, matmul(transpose(in[0], 0, 1), s.grad()));
                      }),
                {x33(), x33(0.2)}});
  to.push_back({"matmul: input not transposed",
                wrong(product,
                      [](Sink& s, const Inputs& in, const Var&) {
                        s.add(0, matmul(s.grad(), transpose(in[1], 0, 1)));
                        s.add(1, matmul(in[0], s.grad()));
                      }),
                {x33(), x33(0.2)}});
}

void add_losses_and_sequences(std::vector<Wrong>& to) {
  // Mean cross entropy of rows 0 and 2; row 1 is ignored. Classes 1 and 3.
  const Tensor one_hot = Tensor::from<double>({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, {3, 4});
  const Tensor counts = Tensor::from<double>({1, 0, 1}, {3, 1});
  const auto entropy = [one_hot](const Inputs& in) { return sum(log_softmax(in[0], 1) * one_hot) * -0.5; };
  const auto loss = [&](const char* what, const auto& gradient) {
    to.push_back({what,
                  wrong(entropy, [gradient](Sink& s, const Inputs& in,
                                            const Var&) { s.add(0, s.grad() * gradient(softmax(in[0], 1))); }),
                  {x34()}});
  };
  loss("cross entropy, as it should be", [=](const Var& p) { return (p - one_hot) * counts * 0.5; });
  to.back().control = true;
  loss("cross entropy: target not subtracted", [counts](const Var& p) { return p * counts * 0.5; });
  loss("cross entropy: ignored row divides too", [=](const Var& p) { return (p - one_hot) * counts * (1.0 / 3); });
  loss("cross entropy: ignored row learns", [=](const Var& p) { return (p - one_hot) * 0.5; });
  loss("cross entropy: smoothing in the gradient alone",
       [=](const Var& p) { return (p - (one_hot * 0.9 + 0.025)) * counts * 0.5; });
  // h[t] = tanh(x[t] w + h[t-1] u) for three steps of two rows; the rule has to go back through time.
  const auto states = [](const Inputs& in) {
    std::vector<Var> h = {Var(Tensor::zeros({2, 3}, f64))};
    for (std::int64_t t = 0; t < 3; ++t) h.push_back(tanh(select(in[0], 0, t) + matmul(h.back(), in[1])));
    return h;
  };
  // `before(h, t)`: the state that the recurrent weight's gradient of step t is taken with.
  const auto recurrent = [&](const char* what, const auto& before, bool carried, double scale) {
    to.push_back({what,
                  wrong([states](const Inputs& in) { return states(in).back(); },
                        [=](Sink& s, const Inputs& in, const Var&) {
                          const std::vector<Var> h = states({in[0].detach(), in[1].detach()});
                          Var g = s.grad();
                          for (std::size_t t = 3; t >= 1; --t) {
                            const Var inner = g * (1 - h[t] * h[t]) * scale;
                            s.add_slice(0, 0, static_cast<std::int64_t>(t) - 1, unsqueeze(inner, 0));
                            s.add(1, matmul(transpose(before(h, t), 0, 1), inner));
                            if (!carried) break;
                            g = matmul(inner, transpose(in[1], 0, 1));
                          }
                        }),
                  {spread({3, 2, 3}, -1, 1), spread({3, 3}, -1, 1, 0.2)}});
  };
  recurrent(
      "recurrence, as it should be", [](const auto& h, std::size_t t) { return h[t - 1]; }, true, 1);
  to.back().control = true;
  recurrent(
      "recurrence: off by one time step", [](const auto& h, std::size_t t) { return h[t]; }, true, 1);
  recurrent(
      "recurrence: stale capture of the last state", [](const auto& h, std::size_t) { return h.back(); }, true, 1);
  recurrent(
      "recurrence: truncated to one step", [](const auto& h, std::size_t t) { return h[t - 1]; }, false, 1);
  recurrent(
      "recurrence: a leak of a thousandth a step", [](const auto& h, std::size_t t) { return h[t - 1]; }, true, 0.999);
}

// Right in an ordinary backward pass.
void add_second_order(std::vector<Wrong>& to) {
  to.push_back({"second order: the saved input is a constant",
                [](const Inputs& in) {
                  return record("wrong", square(in[0].detach()).value(), {&in[0]},
                                [x = in[0].detach()](Sink& s) { s.add(0, s.grad() * x * 2); });
                },
                {x34()},
                true});
  to.push_back({"second order: the output is a constant",
                [](const Inputs& in) {
                  const Tensor y = exp(in[0].detach()).value();
                  return record("wrong", y, {&in[0]}, [y](Sink& s) { s.add(0, s.grad() * y); });
                },
                {x34()},
                true});
  to.push_back({"second order: the gradient is a constant",
                [](const Inputs& in) {
                  return record("wrong", square(in[0].detach()).value(), {&in[0]},
                                [x = Saved(in[0])](Sink& s) { s.add(0, s.grad().detach() * x.get() * 2); });
                },
                {x34()},
                true});
  to.push_back({"second order: the composite form lost a factor",
                [](const Inputs& in) {
                  return record("wrong", square(in[0].detach()).value(), {&in[0]},
                                [x = Saved(in[0])](Sink& s) { s.add(0, s.grad() * x.get() * (s.recording() ? 1 : 2)); });
                },
                {x34()},
                true});
}

std::vector<Wrong> wrong_gradients() {
  std::vector<Wrong> all;
  add_elementwise(all);
  add_reductions(all);
  add_broadcasts_and_shapes(all);
  add_losses_and_sequences(all);
  add_second_order(all);
  return all;
}

}  // namespace

TEST_CASE("every wrong gradient is caught") {
  const std::vector<Wrong> all = wrong_gradients();
  int caught = 0, wrong = 0;
  for (const Wrong& each : all) {
    INFO(each.what);
    const GradcheckReport first = gradcheck(each.function, each.inputs);
    CHECK_MESSAGE(first.problem.empty(), first.str());
    CHECK_MESSAGE(first.ok() == (each.at_second_order || each.control), first.str());
    if (each.control) continue;
    ++wrong;
    const bool found = !first.ok() || !gradgradcheck(each.function, each.inputs).ok();
    CHECK(found);
    caught += found ? 1 : 0;
  }
  std::printf("%d of %d wrong gradients caught\n", caught, wrong);
  CHECK(wrong >= 40);
}

TEST_CASE("no right gradient is accused, whatever the seed") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    for (const Case& row : cases()) {
      INFO(row.op, ": ", row.variant, ", seed ", seed);
      const GradcheckReport report = gradcheck(row.function, row.inputs, {.seed = seed});
      CHECK_MESSAGE(report.ok(), report.str());
    }
  }
}
