// lstm, gru and rnn take the same operands, so they have the same rows.
#include <utility>

#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/gru.hpp"
#include "weft/ops/lstm.hpp"
#include "weft/ops/rnn.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -1, 1, start); }

// Where the operands of a layer stand among a row's inputs; c is an LSTM's alone.
enum Place : std::size_t { x, w_ih, w_hh, b_ih, b_hh, h, c };

std::vector<Tensor> layer(const Shape& input, std::int64_t gates, std::int64_t hidden, bool has_cell) {
  const std::int64_t rows = input[0], in = input.back(), height = gates * hidden;
  std::vector<Tensor> result = {values(input),         values({height, in}, 0.1), values({height, hidden}, 0.2),
                                values({height}, 0.3), values({height}, 0.4),     values({rows, hidden}, 0.6)};
  if (has_cell) result.push_back(values({rows, hidden}, 0.7));
  return result;
}

// The same operands as views: transposed, every second element, from the middle, from back to front.
std::vector<Tensor> as_views(std::vector<Tensor> operands) {
  operands[x] = operands[x].transpose(0, 1).clone().transpose(0, 1);
  operands[w_ih] = operands[w_ih].transpose(0, 1).clone().transpose(0, 1);
  operands[w_hh] = sliced(operands[w_hh].shape(), -1, 1, 0.2);
  const std::int64_t height = operands[b_ih].size(0);
  operands[b_ih] = values({height, 2}, 0.3).select(1, 1);
  operands[b_hh] = values({height}, 0.4).flip(0);
  for (std::size_t i = h; i < operands.size(); ++i) operands[i] = strided(operands[i].shape(), -1, 1, 0.6);
  return operands;
}

// A cell state is one more input and one more result.
Var cell_of(const Inputs& in) { return in.size() > c ? in[c] : Var(); }
Var flat(const Var& v) { return reshape(v, {-1}); }

struct Options {
  std::vector<std::int64_t> lengths;
  bool reverse = false;
  Tensor tensor() const {
    return lengths.empty() ? Tensor() : Tensor::from(std::span(lengths), {static_cast<std::int64_t>(lengths.size())});
  }
};

struct SequenceResult {
  Var output, h, c;
};

// An operation over sequences; undefined inputs are left out.
using Sequence = std::function<SequenceResult(const Inputs& operands, const Options&)>;
using Step = std::function<SequenceResult(const Inputs& operands, const Tensor& active)>;  // no output

struct Family {
  std::string op, prefix;
  std::int64_t gates;
  bool has_cell;
};

// Everything that a layer gives, side by side, so that one cotangent reaches all of it.
Var joined(const SequenceResult& r) {
  std::vector<Var> parts;
  for (const Var* v : {&r.output, &r.h, &r.c})
    if (v->defined()) parts.push_back(flat(*v));
  return concat(parts, 0);
}

void add_sequence_rows(std::vector<Case>& to, const Family& family, const Sequence& run) {
  const auto add = [&](const char* variant, std::function<Var(const Inputs&)> function, std::vector<Tensor> inputs) {
    to.push_back({family.op, family.prefix + variant, std::move(function), std::move(inputs)});
  };
  const auto operands = [&](const Shape& input, std::int64_t hidden) {
    return layer(input, family.gates, hidden, family.has_cell);
  };
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, Options options = {}) {
    add(
        variant, [run, options](const Inputs& in) { return joined(run(in, options)); }, std::move(inputs));
  };
  row("a sequence", operands({2, 4, 3}, 3));
  row("reverse", operands({2, 4, 3}, 3), {.reverse = true});
  row("lengths", operands({3, 4, 2}, 3), {.lengths = {4, 1, 2}});
  row("lengths, reverse", operands({3, 4, 2}, 3), {.lengths = {2, 4, 1}, .reverse = true});
  row("lengths below the number of steps", operands({2, 4, 2}, 2), {.lengths = {1, 2}});
  row("every row as long as it can be", operands({2, 3, 2}, 2), {.lengths = {3, 3}});
  row("a length of 0", operands({2, 3, 2}, 2), {.lengths = {0, 3}});
  row("a length of 0, reverse", operands({2, 3, 2}, 2), {.lengths = {3, 0}, .reverse = true});
  row("lengths of 0 only", operands({2, 3, 2}, 2), {.lengths = {0, 0}});
  row("one step", operands({2, 1, 3}, 2));
  row("size 1", operands({1, 1, 1}, 1));
  row("no rows", operands({0, 3, 2}, 2));
  row("no steps", operands({2, 0, 2}, 2));
  row("no features", operands({2, 2, 0}, 2));
  row("wider than a vector", operands({2, 2, 5}, 19));
  row("views", as_views(operands({2, 3, 2}, 3)), {.lengths = {3, 2}});
  row("views, reverse", as_views(operands({3, 2, 3}, 2)), {.reverse = true});

  const std::int64_t height = family.gates * 2;
  const std::vector<Tensor> weights = {values({2, 3, 2}), values({height, 2}, 0.1), values({height, 2}, 0.2)};
  const auto bare = [](const Inputs& in) { return Inputs{in[x], in[w_ih], in[w_hh], {}, {}, {}}; };
  add(
      "no bias, no state, the output alone", [run, bare](const Inputs& in) { return run(bare(in), {}).output; }, weights);
  add(
      "the last state alone", [run, bare](const Inputs& in) { return run(bare(in), {}).h; }, weights);
  for (const bool first : {true, false}) {
    std::vector<Tensor> inputs = weights;
    inputs.push_back(values({height}, 0.3));
    add(
        first ? "the first bias alone" : "the second bias alone",
        [run, first](const Inputs& in) {
          return run({in[0], in[1], in[2], first ? in[3] : Var(), first ? Var() : in[3], {}}, {.lengths = {2, 3}}).output;
        },
        std::move(inputs));
  }
  add(
      "repeated operand: the same weights in two layers",
      [run, bare](const Inputs& in) {
        Inputs second = bare(in);
        second[x] = run(bare(in), {}).output;
        return run(second, {.reverse = true}).output;
      },
      weights);
  add("repeated operand: one bias twice",
      [run](const Inputs& in) {
        return run({in[0], in[1], in[2], in[3], in[3], {}}, {}).output;
      },
      {values({2, 3, 2}), values({height, 2}, 0.1), values({height, 2}, 0.2), values({height}, 0.3)});
}

void add_step_rows(std::vector<Case>& to, const Family& family, const Step& run) {
  const auto add = [&](const char* variant, std::function<Var(const Inputs&)> function, std::vector<Tensor> inputs) {
    to.push_back({family.op, family.prefix + variant, std::move(function), std::move(inputs)});
  };
  const auto operands = [&](const Shape& input, std::int64_t hidden) {
    return layer(input, family.gates, hidden, family.has_cell);
  };
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, Tensor active = {}) {
    add(
        variant, [run, active = std::move(active)](const Inputs& in) { return joined(run(in, active)); }, std::move(inputs));
  };
  row("a step", operands({3, 4}, 2));
  row("some rows rest", operands({3, 4}, 2), Tensor::from<bool>({true, false, true}, {3}));
  row("all rows rest", operands({2, 3}, 2), Tensor::from<bool>({false, false}, {2}));
  row("none rests", operands({2, 3}, 2), Tensor::from<bool>({true, true}, {2}));
  row("size 1", operands({1, 1}, 1));
  row("no rows", operands({0, 3}, 2));
  row("no features", operands({2, 0}, 2));
  row("wider than a vector", operands({2, 5}, 19));
  row("views", as_views(operands({3, 2}, 3)));
  row("views, some rows rest", as_views(operands({3, 2}, 3)),
      Tensor::from<bool>({false, true, true, false, true, true}, {3, 2}).select(1, 0));

  const std::int64_t height = family.gates * 2;
  const std::vector<Tensor> weights = {values({2, 3}), values({height, 3}, 0.1), values({height, 2}, 0.2)};
  add(
      "without bias and state",
      [run](const Inputs& in) {
        return run({in[x], in[w_ih], in[w_hh], {}, {}, {}}, {}).h;
      },
      weights);
  add(
      "repeated operand: three steps with one weight",
      [run](const Inputs& in) {
        Inputs now = {in[x], in[w_ih], in[w_hh], {}, {}, {}};
        SequenceResult result;
        for (int t = 0; t < 3; ++t) {
          result = run(now, t == 1 ? Tensor::from<bool>({true, false}, {2}) : Tensor());
          now[h] = result.h;
          now.resize(h + 1);
          if (result.c.defined()) now.push_back(result.c);
        }
        return joined(result);
      },
      weights);
  add("repeated operand: the input is the state",
      [run](const Inputs& in) {
        return run({in[0], in[1], in[2], in[3], in[3], in[0]}, {}).h;
      },
      {values({3, 2}), values({height, 2}, 0.1), values({height, 2}, 0.2), values({height}, 0.3)});
}

}  // namespace

void add_recurrent_cases(std::vector<Case>& to) {
  add_sequence_rows(to, {"lstm", "", 4, true}, [](const Inputs& in, const Options& options) {
    const LSTMResult r = lstm(in[x], in[w_ih], in[w_hh], in[b_ih], in[b_hh],
                              {.lengths = options.tensor(), .reverse = options.reverse}, {in[h], cell_of(in)});
    return SequenceResult{r.output, r.h, r.c};
  });
  add_step_rows(to, {"lstm_step", "", 4, true}, [](const Inputs& in, const Tensor& active) {
    const LSTMState next = lstm_step(in[x], {in[h], cell_of(in)}, in[w_ih], in[w_hh], in[b_ih], in[b_hh], active);
    return SequenceResult{{}, next.h, next.c};
  });
  add_sequence_rows(to, {"gru", "", 3, false}, [](const Inputs& in, const Options& options) {
    const GRUResult r =
        gru(in[x], in[w_ih], in[w_hh], in[b_ih], in[b_hh], {.lengths = options.tensor(), .reverse = options.reverse}, in[h]);
    return SequenceResult{r.output, r.h, {}};
  });
  add_step_rows(to, {"gru_step", "", 3, false}, [](const Inputs& in, const Tensor& active) {
    return SequenceResult{{}, gru_step(in[x], in[h], in[w_ih], in[w_hh], in[b_ih], in[b_hh], active), {}};
  });
  for (const RNNNonlinearity kind : {RNNNonlinearity::tanh, RNNNonlinearity::relu}) {
    const char* prefix = kind == RNNNonlinearity::tanh ? "tanh: " : "relu: ";
    add_sequence_rows(to, {"rnn", prefix, 1, false}, [kind](const Inputs& in, const Options& options) {
      const RNNResult r = rnn(in[x], in[w_ih], in[w_hh], in[b_ih], in[b_hh],
                              {.lengths = options.tensor(), .reverse = options.reverse, .nonlinearity = kind}, in[h]);
      return SequenceResult{r.output, r.h, {}};
    });
    add_step_rows(to, {"rnn_step", prefix, 1, false}, [kind](const Inputs& in, const Tensor& active) {
      return SequenceResult{{}, rnn_step(in[x], in[h], in[w_ih], in[w_hh], in[b_ih], in[b_hh], active, kind), {}};
    });
  }
}

}  // namespace weft::test
