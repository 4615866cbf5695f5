#include "nn/attention/checks.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "support/plain_entmax.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {
namespace {

using nn::AttentionMemory;
using nn::AttentionOutput;
using nn::AttentionState;
using nn::attention::Attention;

constexpr std::int64_t batch = 4, queries = 3, places = 5, size = attention_size, value_size = 2;

// All places; padding; a hole; none.
Tensor mask() {
  const bool x = true, o = false;
  return Tensor::from<bool>({x, x, x, x, x, x, x, x, o, o, x, o, x, x, o, o, o, o, o, o}, {batch, places});
}

struct Data {
  Tensor query = uniform({batch, queries, size}, -1, 1, 1), keys = uniform({batch, places, size}, -1, 1, 2),
         values = uniform({batch, places, value_size}, -1, 1, 3), allowed = mask();
};

std::vector<bool> open_places(const Tensor& allowed, std::int64_t row) {
  std::vector<bool> open;
  for (std::int64_t k = 0; k < places; ++k) open.push_back(allowed.at({row, k}) != 0);
  return open;
}

void check_plain(Attention& attention, const PlainWeights& plain) {
  const Data d;
  for (const Tensor& allowed : {d.allowed, Tensor()}) {
    const AttentionOutput out = attention(d.query, d.keys, d.values, allowed);
    for (std::int64_t b = 0; b < batch; ++b) {
      const auto open = allowed.defined() ? open_places(allowed, b) : std::vector<bool>(places, true);
      const Matrix expected = plain(matrix_of(d.query.select(0, b)), matrix_of(d.keys.select(0, b)), open);
      const Matrix values = matrix_of(d.values.select(0, b));
      for (std::int64_t q = 0; q < queries; ++q) {
        Vector context(value_size);
        for (std::size_t k = 0; k < values.size(); ++k) {
          const double weight = expected[static_cast<std::size_t>(q)][k];
          CHECK(std::abs(out.weights.value().at({b, q, static_cast<std::int64_t>(k)}) - weight) < 1e-10);
          for (std::size_t v = 0; v < context.size(); ++v) context[v] += weight * values[k][v];
        }
        for (std::int64_t v = 0; v < value_size; ++v)
          CHECK(std::abs(out.context.value().at({b, q, v}) - context[static_cast<std::size_t>(v)]) < 1e-10);
      }
    }
  }
}

void check_masked(Attention& attention) {
  const Data d;
  Tensor keys = d.keys.clone(), values = d.values.clone();
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t k = 0; k < places; ++k) {
      if (d.allowed.at({b, k}) != 0) continue;
      keys.select(0, b).select(0, k).fill(std::numeric_limits<double>::quiet_NaN());
      values.select(0, b).select(0, k).fill(std::numeric_limits<double>::infinity());
    }
  }
  attention.zero_grad();
  Tape tape;
  const Var q = tape.leaf(d.query), k = tape.leaf(keys), v = tape.leaf(values);
  const AttentionOutput out = attention(q, k, v, d.allowed);
  tape.backward(sum(square(out.context)) + sum(square(out.weights)));
  CHECK(largest(out.weights.value().select(0, 3)) == 0);
  CHECK(largest(out.context.value().select(0, 3)) == 0);
  CHECK(largest(out.weights.value().select(0, 1).slice(1, 3, 5)) == 0);
  CHECK(largest(tape.grad(k).select(0, 3)) == 0);
  CHECK(largest(tape.grad(v).select(0, 1).slice(0, 3, 5)) == 0);
  CHECK(largest(tape.grad(q).select(0, 3)) == 0);
  CHECK(std::isfinite(largest(tape.grad(q))));
  CHECK(std::isfinite(largest(tape.grad(k))));
  for (const Parameter* parameter : attention.parameters()) CHECK(std::isfinite(largest(parameter->grad())));
  // Whatever stands in the masked places, the result has the same bits.
  CHECK(largest_difference(attention(d.query, d.keys, d.values, d.allowed).context.value(), out.context.value()) == 0);
  attention.zero_grad();
}

void check_padding(Attention& attention) {
  const Data d;
  const AttentionOutput together = attention(d.query, d.keys, d.values, d.allowed);
  const AttentionOutput alone =
      attention(d.query.slice(0, 1, 2), d.keys.slice(0, 1, 2).slice(1, 0, 3), d.values.slice(0, 1, 2).slice(1, 0, 3));
  CHECK(largest_difference(together.context.value().slice(0, 1, 2), alone.context.value()) <= 1e-12);
  CHECK(largest_difference(together.weights.value().slice(0, 1, 2).slice(2, 0, 3), alone.weights.value()) <= 1e-12);
}

// One by one, in the order of a search: two beams for each sentence, which change places after each step.
void check_steps(Attention& attention) {
  const Data d;
  const AttentionMemory memory = attention.remember(d.keys, d.values, d.allowed);
  const AttentionOutput whole = attention(d.query, memory);
  AttentionState state;
  for (std::int64_t q = 0; q < queries; ++q) {
    const AttentionOutput one = attention(d.query.slice(1, q, q + 1), memory, state);
    CHECK(largest_difference(one.context.value(), whole.context.value().slice(1, q, q + 1)) <= 1e-14);
    CHECK(largest_difference(one.weights.value(), whole.weights.value().slice(1, q, q + 1)) <= 1e-14);
    state = one.state;
  }
  // Two and then one.
  const AttentionOutput two = attention(d.query.slice(1, 0, 2), memory);
  CHECK(largest_difference(attention(d.query.slice(1, 2, 3), memory, two.state).context.value(),
                           whole.context.value().slice(1, 2, 3)) <= 1e-14);

  const Tensor other = uniform({batch, queries, size}, -1, 1, 4);
  const AttentionOutput second = attention(other, memory);
  const Tensor swap = Tensor::from<std::int64_t>({1, 0, 3, 2, 5, 4, 7, 6}, {2 * batch});
  const Tensor beams = stack({Var(d.query), Var(other)}, 1).value().reshape({2 * batch, queries, size});
  const Tensor expected =
      stack({whole.context, second.context}, 1).value().reshape({2 * batch, queries, whole.context.size(2)});
  CHECK(largest_difference(attention(beams, memory).context.value(), expected) <= 1e-14);
  state = {};
  for (std::int64_t q = 0; q < queries; ++q) {
    const auto at = [&](const Tensor& x) {
      const Tensor now = x.slice(1, q, q + 1);
      return q % 2 == 0 ? now : now.reshape({batch, 2, 1, x.size(2)}).flip(1).reshape({2 * batch, 1, x.size(2)});
    };
    const AttentionOutput step = attention(at(beams), memory, state);
    CHECK(largest_difference(step.context.value(), at(expected)) <= 1e-14);
    state = step.state.select(swap);
  }
  const Tensor rows = Tensor::from<std::int64_t>({1, 1}, {2});
  const AttentionOutput chosen = attention(d.query.slice(0, 1, 2).expand({2, queries, size}), memory.select(rows));
  CHECK(largest_difference(chosen.weights.value().slice(0, 1, 2), whole.weights.value().slice(0, 1, 2)) <= 1e-14);
}

// The gradients of queries one by one, whose memory and state are chosen anew before each, are those of all at once.
void check_step_gradients(Attention& attention) {
  const Data d;
  const Tensor same = Tensor::from<std::int64_t>({0, 1, 2, 3}, {batch});
  const auto gradients = [&](bool by_steps) {
    attention.zero_grad();
    Tape tape;
    const Var q = tape.leaf(d.query), k = tape.leaf(d.keys), v = tape.leaf(d.values);
    AttentionMemory memory = attention.remember(k, v, d.allowed);
    const auto loss_of = [](const AttentionOutput& out) { return sum(square(out.context)) + sum(square(out.weights)); };
    Var loss = Var::scalar(0, f64);
    AttentionState state;
    for (std::int64_t t = 0; t < queries && by_steps; ++t) {
      const AttentionOutput out = attention(slice(q, 1, t, t + 1), memory, state);
      loss = loss + loss_of(out);
      state = out.state.select(same);
      memory = memory.select(same);
    }
    if (!by_steps) loss = loss_of(attention(q, memory));
    tape.backward(loss);
    std::vector<Tensor> all = {tape.grad(q), tape.grad(k), tape.grad(v)};
    for (const Parameter* parameter : attention.parameters()) all.push_back(parameter->grad().clone());
    return all;
  };
  const auto whole = gradients(false), steps = gradients(true);
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK(largest_difference(steps[i], whole[i]) <= 1e-12);
  attention.zero_grad();
}

void check_gradients(Attention& attention) {
  const Data d;
  const std::vector<Tensor> inputs{d.query, d.keys, d.values};
  const auto run = [&](const Var& q, const Var& k, const Var& v, const Tensor& allowed) {
    const AttentionOutput out = attention(q, k, v, allowed);
    return sum(square(out.context)) + sum(square(out.weights));
  };
  for (const Tensor& allowed : {Tensor(), d.allowed}) {
    const auto f = [&](const std::vector<Var>& in) { return run(in[0], in[1], in[2], allowed); };
    gradcheck(f, inputs).require();
    gradgradcheck(f, inputs, {.rtol = 1e-4, .elements = 20}).require();
    if (attention.parameters().empty()) continue;
    const auto loss = [&] { return run(inputs[0], inputs[1], inputs[2], allowed); };
    gradcheck_parameters(loss, attention.parameters()).require();
    gradgradcheck_parameters(loss, attention.parameters(), {.rtol = 1e-4, .elements = 20}).require();
  }
}

// As an encoder's outputs are.
void check_keys_that_are_values(Attention& attention) {
  const Data d;
  gradcheck([&](const std::vector<Var>& in) { return sum(square(attention(in[0], in[1], in[1], d.allowed).context)); },
            {d.query, d.keys})
      .require();
}

void check_sizes(Attention& attention) {
  const auto zeros = [](std::initializer_list<std::int64_t> sizes) { return Tensor::zeros(sizes, f64); };
  CHECK(attention(zeros({0, 2, size}), zeros({0, 4, size}), zeros({0, 4, 5})).context.shape() == Shape{0, 2, 5});
  CHECK(attention(zeros({2, 0, size}), zeros({2, 4, size}), zeros({2, 4, 5})).weights.shape() == Shape{2, 0, 4});
  const AttentionOutput nothing = attention(zeros({2, 1, size}), zeros({2, 0, size}), zeros({2, 0, 5}));
  CHECK(nothing.context.shape() == Shape{2, 1, 5});
  CHECK(largest(nothing.context.value()) == 0);
}

}  // namespace

Matrix matrix_of(const Tensor& x) {
  Matrix result;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    result.emplace_back();
    for (std::int64_t j = 0; j < x.size(1); ++j) result.back().push_back(x.at({i, j}));
  }
  return result;
}

double product(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Vector product(const Matrix& w, const Vector& x) {
  Vector result;
  for (const Vector& row : w) result.push_back(product(row, x));
  return result;
}

Vector plain_softmax(const Vector& scores, const std::vector<bool>& open) {
  Vector weights(scores.size());
  double sum = 0;
  for (std::size_t k = 0; k < scores.size(); ++k)
    if (open[k]) sum += weights[k] = std::exp(scores[k]);
  for (double& weight : weights)
    if (sum > 0) weight /= sum;
  return weights;
}

PlainNormaliser plain_normaliser(nn::Normaliser normaliser) {
  if (normaliser == nn::Normaliser::softmax) return plain_softmax;
  const bool sparse = normaliser == nn::Normaliser::sparsemax;
  return [sparse](const Vector& scores, const std::vector<bool>& open) {
    Vector kept;
    for (std::size_t k = 0; k < scores.size(); ++k)
      if (open[k]) kept.push_back(scores[k]);
    if (!kept.empty()) kept = sparse ? plain_entmax(kept, 1, 1) : plain_entmax(kept, 0.5, 2);
    Vector weights(scores.size());
    for (std::size_t k = 0, i = 0; k < scores.size(); ++k)
      if (open[k]) weights[k] = kept[i++];
    return weights;
  };
}

PlainWeights weights_of(PlainNormaliser normalise, std::function<double(const Vector&, const Vector&)> score) {
  return [normalise = std::move(normalise), score = std::move(score)](const Matrix& all, const Matrix& keys,
                                                                      const std::vector<bool>& open) {
    Matrix weights;
    for (const Vector& query : all) {
      Vector scores;
      for (const Vector& key : keys) scores.push_back(score(query, key));
      weights.push_back(normalise(scores, open));
    }
    return weights;
  };
}

void check_attention(Attention& attention, const PlainWeights& plain) {
  check_attention(attention);
  check_plain(attention, plain);
  check_keys_that_are_values(attention);
  check_sizes(attention);
}

void check_attention(Attention& attention) {
  attention.to(f64);
  check_masked(attention);
  check_padding(attention);
  check_steps(attention);
  check_step_gradients(attention);
  check_gradients(attention);
}

void check_history_gradients(Attention& attention) {
  attention.to(f64);
  const Data d;
  const std::vector<Tensor> inputs{d.query, d.keys, d.values, uniform({batch, places}, 0, 0.4, 5)};
  const auto f = [&](const std::vector<Var>& in) {
    const AttentionOutput out = attention(in[0], attention.remember(in[1], in[2], d.allowed), AttentionState{in[3], {}});
    return sum(square(out.context)) + sum(square(out.state.history));
  };
  gradcheck(f, inputs).require();
  gradgradcheck(f, inputs, {.rtol = 1e-4, .elements = 20}).require();
}

void check_refusals(Attention& attention, const std::string& name, const std::string& kept) {
  attention.to(f64);
  const auto zeros = [](std::initializer_list<std::int64_t> sizes) { return Tensor::zeros(sizes, f64); };
  const std::string not_bool =
      "; bool is needed, true where allowed: ne(mask, 0) of ones and zeros, eq(mask, 0) of one that is added, 0 and -infinity";
  const auto refused = [&](const std::string& message, const auto& call) {
    CAPTURE(message);
    try {
      call();
      FAIL_CHECK("nothing was thrown");
    } catch (const Error& error) {
      CHECK(std::string(error.what()) == "[" + name + "] " + message);
    }
  };
  const Tensor query = zeros({3, 2, size}), keys = zeros({3, 4, size});
  refused("keys and values are needed; both are undefined", [&] { attention(query, Var(), Var()); });
  refused("keys and values are needed; the values are undefined", [&] { attention(query, keys, Var()); });
  refused("the query is undefined", [&] { attention(Var(), keys, keys); });
  refused("there is nothing to attend to: the memory is empty; `remember` makes one",
          [&] { attention(query, AttentionMemory{}); });
  refused("values f64[3, 5, 3] don't fit keys f64[3, 4, 3]: batch and places differ", [&] {
    attention(query, keys, zeros({3, 5, size}));
  });
  refused("keys f64[3, 4, 3] and values f32[3, 4, 3]: both must be f32 or both f64",
          [&] { attention(query, keys, keys.to(f32)); });
  refused("query f32[3, 2, 3] and the memory's values " + kept + " differ in dtype",
          [&] { attention(query.to(f32), keys, keys); });
  refused("mask bool[3, 5] doesn't fit keys f64[3, 4, 3]: [batch, places] is needed", [&] {
    attention(query, keys, keys, Tensor::zeros({3, 5}, boolean));
  });
  refused("the mask is f32[3, 4]" + not_bool, [&] { attention(query, keys, keys, Tensor::zeros({3, 4})); });
  refused(
      "the mask is i64[3]; bool is needed, true where allowed: ne(mask, 0) of ones and zeros, sequence_mask(lengths, places) "
      "of lengths",
      [&] {
        attention(query, keys, keys, Tensor::from<std::int64_t>({4, 1, 2}, {3}));
      });
  if (!attention.parameters().empty())
    refused("keys f32[3, 4, 3] and the module's weights " + attention.parameters()[0]->value().describe() + " differ in dtype",
            [&] { attention(query.to(f32), keys.to(f32), keys.to(f32)); });
  // Memories that `remember` can't have made: one row of keys for all, other places, another module's size, half another dtype.
  const AttentionMemory memory = attention.remember(keys, keys);
  const auto no_memory = [&](const Var& its_keys, const Var& its_values) {
    CAPTURE(its_keys.describe());
    CHECK_THROWS_WITH_AS(attention(query, AttentionMemory{its_keys, its_values, {}}),
                         doctest::Contains(("[" + name + "] keys " + its_keys.describe() + " and values " +
                                            its_values.describe() + " are no memory of this module")
                                               .c_str()),
                         ShapeError);
  };
  no_memory(slice(memory.keys, 0, 0, 1), memory.values);
  no_memory(memory.keys, slice(memory.values, memory.values.rank() - 2, 0, 3));
  no_memory(unsqueeze(memory.keys, 0), memory.values);
  no_memory(memory.keys, unsqueeze(memory.values, 0));
  const AttentionMemory longer = attention.remember(zeros({3, 5, size}), zeros({3, 5, size}));
  no_memory(longer.keys, memory.values);
  refused("the memory's keys " + Var(memory.keys.value().to(f32)).describe() + " and values " + kept + " differ in dtype", [&] {
    attention(query, AttentionMemory{memory.keys.value().to(f32), memory.values, {}});
  });
  refused("the memory's mask bool[1, 4] doesn't fit its values " + kept + ": [batch, places] is needed", [&] {
    attention(query, AttentionMemory{memory.keys, memory.values, Tensor::ones({1, 4}, boolean)});
  });
  refused("the memory's mask is f32[3, 4]" + not_bool, [&] {
    attention(query, AttentionMemory{memory.keys, memory.values, Tensor::ones({3, 4})});
  });
  CHECK_THROWS_WITH_AS(attention(zeros({2, 2, size}), memory), doctest::Contains("f64[2, 2, 3] is not [3 or a multiple"),
                       ShapeError);
  for (const std::int64_t rows : {1, 2, 6})  // six are for a memory of three alone
    CHECK_THROWS_WITH_AS(
        attention(zeros({rows, 2, size}), keys, keys),
        doctest::Contains(("query f64[" + std::to_string(rows) + ", 2, 3] and keys f64[3, 4, 3] have different rows").c_str()),
        ShapeError);
  CHECK_THROWS_WITH_AS(attention(zeros({3, size}), keys, keys), doctest::Contains(("memory's values " + kept).c_str()),
                       ShapeError);
  CHECK_THROWS_AS(attention(query, zeros({3, 4}), keys), ShapeError);
  CHECK_THROWS_WITH_AS(attention(zeros({3, 2, size + 1}), keys, keys), doctest::Contains("f64[3, 2, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(attention(query, zeros({3, 4, size + 1}), keys), doctest::Contains("f64[3, 4, 4]"), ShapeError);
}

}  // namespace weft::test
