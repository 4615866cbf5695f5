#include "weft/nn/attention/local.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "nn/attention/parts.hpp"
#include "ops/distances.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

std::int64_t checked_window(const char* kind, std::int64_t window) {
  check<ValueError>(window >= 1, kind, "window is {}; it must be 1 or more", window);
  return window;
}

/// The number of places up to the last open one, i64 [batch].
Tensor ends_of(const AttentionMemory& memory) {
  const std::int64_t batch = memory.values.size(0), places = memory.values.size(1);
  Tensor ends = Tensor::full({batch}, static_cast<double>(places), i64);
  if (!memory.mask.defined()) return ends;
  const Tensor mask = memory.mask.contiguous();
  auto* end = ends.mutable_data<std::int64_t>();
  for (std::int64_t b = 0; b < batch; ++b)
    while (end[b] > 0 && !mask.data<bool>()[b * places + end[b] - 1]) --end[b];
  return ends;
}

/// 0, 1, ... [places]
Tensor numbers(std::int64_t places, DType dtype) {
  Tensor result = Tensor::empty({places}, i64);
  auto* number = result.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < places; ++i) number[i] = i;
  return result.to(dtype);
}

/// Those of the places `near` [batch, n, places] that are open.
Tensor open_among(const Tensor& near, const AttentionMemory& memory) {
  return memory.mask.defined() ? logical_and(near, memory.mask.unsqueeze(1)) : near;
}

/// Places within the window around positions i64 [batch, n], none of them behind the last place: bool [batch, n, places].
Tensor within(const Tensor& positions, std::int64_t window, std::int64_t places) {
  Tensor near = Tensor::zeros({positions.size(0), positions.size(1), places}, boolean);
  const auto* position = positions.data<std::int64_t>();
  bool* row = near.mutable_data<bool>();
  for (std::int64_t i = 0; i < positions.numel(); ++i, row += places) {
    const std::int64_t first = std::max<std::int64_t>(position[i] - window, 0);
    const std::int64_t end = window < places - position[i] ? position[i] + window + 1 : places;
    if (first < end) std::fill(row + first, row + end, true);
  }
  return near;
}

}  // namespace

LocalM::LocalM(const LocalOptions& options, const Scope& scope)
    : General("attention::LocalM",
              {.query_dim = options.query_dim,
               .key_dim = options.key_dim,
               .normaliser = options.normaliser,
               .dropout = options.dropout},
              scope),
      window_(checked_window(kind(), options.window)) {}

// Positions [rows, queries] of rows that share the memory as [batch, n].
AttentionOutput LocalM::around(const Tensor& positions, const Var& queries, const AttentionMemory& memory) {
  const Var raw = scores(folded(queries, memory), memory.keys);
  const Tensor near = within(positions.reshape(Shape{raw.size(0), raw.size(1)}), window_, raw.size(2));
  return averaged(normalised(raw, open_among(near, memory)), memory, queries);
}

AttentionOutput LocalM::at(const Tensor& positions, const Var& queries, const AttentionMemory& memory) {
  return run([&] {
    check_query(queries, memory);
    check<ShapeError>(positions.defined() && positions.shape() == Shape{queries.size(0), queries.size(1)}, kind(),
                      "positions {} don't fit query {}: [rows, queries] is needed",
                      positions.defined() ? positions.describe() : "(undefined)", queries.value());
    check<DTypeError>(is_integer(positions.dtype()), kind(), "positions {} for query {} must be integers", positions,
                      queries.value());
    const Tensor given = positions.to(i64).contiguous();
    for (std::int64_t i = 0; i < given.numel(); ++i) {
      const std::int64_t position = given.data<std::int64_t>()[i];
      check<ValueError>(position >= 0 && position < memory.values.size(1), kind(),
                        "position {} of row {}, query {} is none of the places 0 to {} (the memory's values {})", position,
                        i / given.size(1), i % given.size(1), memory.values.size(1) - 1, memory.values.value());
    }
    return around(given, queries, memory);
  });
}

void LocalM::check_state(const Var& queries, const AttentionMemory& /*memory*/, const AttentionState& state) const {
  check_no_history(queries, state);
  if (!state.position.defined()) return;
  check<ShapeError>(state.position.shape() == Shape{queries.size(0)}, kind(),
                    "the state's position {} doesn't fit query {}: [rows] is needed", state.position, queries.value());
  check<DTypeError>(state.position.dtype() == i64, kind(), "the state's position {} for query {} must be i64", state.position,
                    queries.value());
  const Tensor positions = state.position.contiguous();
  for (std::int64_t row = 0; row < positions.numel(); ++row) {
    const std::int64_t position = positions.data<std::int64_t>()[row];
    check<ValueError>(position >= 0 && position <= most_places, kind(),
                      "the state's position {} of row {} is no number of a query, 0 or more (query {})", position, row,
                      queries.value());
  }
}

AttentionOutput LocalM::attend(const Var& queries, const AttentionMemory& memory, const AttentionState& state) {
  const std::int64_t rows = queries.size(0), count = queries.size(1), batch = memory.values.size(0);
  const Tensor start = state.position.defined() ? state.position.contiguous() : Tensor::zeros({rows}, i64);
  const Tensor ends = ends_of(memory);
  Tensor positions = Tensor::empty({rows, count}, i64), next = Tensor::empty({rows}, i64);
  auto* position = positions.mutable_data<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t first = start.data<std::int64_t>()[row], last = ends.data<std::int64_t>()[row / (rows / batch)] - 1;
    for (std::int64_t t = 0; t < count; ++t) *position++ = std::min(first + t, last);
    next.mutable_data<std::int64_t>()[row] = first + count;
  }
  AttentionOutput output = around(positions, queries, memory);
  output.state.position = next;
  return output;
}

LocalP::LocalP(const LocalPOptions& options, const Scope& scope)
    : General("attention::LocalP",
              {.query_dim = options.query_dim,
               .key_dim = options.key_dim,
               .normaliser = options.normaliser,
               .dropout = options.dropout},
              scope),
      position(unbiased(options.query_dim, positive(kind(), "hidden", options.hidden)), {this, "position"}),
      position_score(unbiased(options.hidden, 1), {this, "position_score"}),
      window_(checked_window(kind(), options.window)) {}

AttentionOutput LocalP::attend(const Var& queries, const AttentionMemory& memory, const AttentionState& /*state*/) {
  const Var one_row = folded(queries, memory), raw = scores(one_row, memory.keys);
  const Tensor ends = ends_of(memory).to(raw.dtype());
  const Var centres = sigmoid(position_score(tanh(position(one_row)))) * Var(ends.unsqueeze(1).unsqueeze(2));  // [batch, n, 1]
  const Var distances = Var(numbers(raw.size(2), raw.dtype())) - centres;
  const double deviation = static_cast<double>(window_) / 2;
  const Var bell = exp(square(distances) * (-0.5 / (deviation * deviation)));
  const Tensor near = le(abs(distances), static_cast<double>(window_));
  return averaged(normalised(raw, open_among(near, memory)) * bell, memory, queries);
}

}  // namespace weft::nn::attention
