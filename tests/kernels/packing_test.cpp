#include "kernels/packing.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "support/random.hpp"

using namespace weft;
using namespace weft::test;
using kernels::Packing;

namespace {

std::vector<std::int64_t> numbers(const Tensor& x) {
  const auto* first = x.data<std::int64_t>();
  return {first, first + x.numel()};
}

const Tensor lengths = Tensor::from<std::int64_t>({2, 4, 0, 2}, {4});

}  // namespace

TEST_CASE("rows lie by falling length, rows of one length as they were, each step without those that have ended") {
  const Packing packing(lengths, 4, 5);
  CHECK(packing.batch() == 4);
  CHECK(packing.steps() == 5);
  CHECK(packing.total() == 8);
  CHECK(std::vector(packing.order(), packing.order() + 4) == std::vector<std::int64_t>{1, 0, 3, 2});
  const std::int64_t rows[] = {3, 3, 1, 1, 0};
  for (std::int64_t t = 0; t < 5; ++t) CHECK(packing.rows(t) == rows[t]);
  CHECK(packing.rows(-1) == 0);
  CHECK(packing.rows(5) == 0);
  CHECK(packing.start(2) == 6);
  CHECK_FALSE(packing.is_full());
}

TEST_CASE("what is packed and unpacked is what it was, zeros behind the ends") {
  for (const DType type : {f32, f64}) {
    Tensor x = uniform({4, 5, 3}, -1, 1, 1, type);
    Tensor kept = Tensor::zeros({4, 5, 3}, type);
    for (std::int64_t row = 0; row < 4; ++row) {
      const std::int64_t end = lengths.data<std::int64_t>()[row];
      Tensor inside = kept.select(0, row).slice(0, 0, end), behind = x.select(0, row).slice(0, end, 5);
      inside.copy_from(x.select(0, row).slice(0, 0, end));
      behind.fill(std::numeric_limits<double>::quiet_NaN());
    }
    const Packing packing(lengths, 4, 5);
    const Tensor packed = packing.pack(x);
    CHECK(packed.shape() == Shape{8, 3});
    CHECK(largest_difference(packing.step(packed, 1).select(0, 2), x.select(0, 3).select(0, 1)) == 0);
    CHECK(largest_difference(packing.unpack(packed), kept) == 0);
    CHECK(largest_difference(packing.unpack(packing.pack(x.transpose(0, 1).contiguous().transpose(0, 1))), kept) == 0);
    const Tensor states = uniform({4, 3}, -1, 1, 2, type);
    CHECK(largest_difference(packing.sort(states).select(0, 0), states.select(0, 1)) == 0);
    CHECK(largest_difference(packing.unsort(packing.sort(states)), states) == 0);
  }
}

TEST_CASE("rows that all have all steps stand as in the batch") {
  for (const Tensor& given : {Tensor(), Tensor::full({3}, 2, i64)}) {
    const Packing packing(given, 3, 2);
    CHECK(packing.is_full());
    CHECK_FALSE(packing.active().defined());
    const Tensor x = uniform({3, 2, 4}, -1, 1, 1, f32);
    CHECK(largest_difference(packing.pack(x).reshape({2, 3, 4}), x.transpose(0, 1)) == 0);
    CHECK(largest_difference(packing.unpack(packing.pack(x)), x) == 0);
    CHECK_FALSE(packing.pack(x).same_buffer(x));
  }
  const Tensor one_step = Tensor::ones({3, 1, 2});
  CHECK_FALSE(Packing({}, 3, 1).pack(one_step).same_buffer(one_step));
}

TEST_CASE("first rows and flags are those of the batch's rows, in both directions") {
  const Packing packing(lengths, 4, 5);
  CHECK(numbers(packing.first_rows(false)) == std::vector<std::int64_t>{1, 0, 8 + 3, 2});
  CHECK(numbers(packing.first_rows(true)) == std::vector<std::int64_t>{3 + 1, 7, 8 + 3, 3 + 2});
  const Tensor active = packing.active();
  for (std::int64_t t = 0; t < 5; ++t)
    for (std::int64_t row = 0; row < 4; ++row) CHECK((active.at({t, row}) == 1) == (t < lengths.data<std::int64_t>()[row]));
}

TEST_CASE("batches and sequences of nothing are packed") {
  CHECK(Packing({}, 0, 3).total() == 0);
  CHECK(Packing({}, 3, 0).total() == 0);
  const Packing none(Tensor::zeros({2}, i64), 2, 3);
  CHECK(none.total() == 0);
  CHECK(largest_difference(none.unpack(Tensor::empty({0, 2})), Tensor::zeros({2, 3, 2})) == 0);
}
