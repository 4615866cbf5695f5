#pragma once
#include <doctest/doctest.h>

#include <functional>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/random.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {

/// What a batch's rows from the first number to before the second give, rows along the first dimension.
using RunRows = std::function<Var(std::int64_t from, std::int64_t to)>;

/// That something is drawn for the batch, and that its parts, on tapes that know their first row, draw what the whole draws.
inline void check_parts(std::int64_t rows, const RunRows& run) {
  const auto drawn = [&](std::int64_t from, std::int64_t to, std::uint64_t seed) {
    Generator generator(seed, 5);
    Tape tape(generator, from);
    return run(from, to).value().clone();
  };
  const Tensor whole = drawn(0, rows, 7);
  CHECK(largest_difference(whole, drawn(0, rows, 8)) > 0);
  for (std::int64_t cut = 1; cut < rows; ++cut) {
    CAPTURE(cut);
    CHECK(largest_difference(drawn(0, cut, 7), whole.slice(0, 0, cut)) <= 1e-12);
    CHECK(largest_difference(drawn(cut, rows, 7), whole.slice(0, cut, rows)) <= 1e-12);
  }
}

}  // namespace weft::test
