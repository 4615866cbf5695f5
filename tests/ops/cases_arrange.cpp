#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/arrange.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

// Rows of one operation with one input.
class Rows {
 public:
  Rows(std::vector<Case>& to, const char* op) : to_(to), op_(op) {}

  void operator()(const char* variant, Tensor x, Var (*function)(const Var&)) {
    to_.push_back({op_, variant, [function](const Inputs& in) { return function(in[0]); }, {std::move(x)}});
  }

 private:
  std::vector<Case>& to_;
  const char* op_;
};

void add_pads(std::vector<Case>& to) {
  Rows row(to, "pad");
  row("both ends", values({3, 4}), [](const Var& x) { return pad(x, {2, 1}); });
  row("two axes, a value", values({3, 4}), [](const Var& x) { return pad(x, {0, 1, 3, 0}, PadMode::constant, -1.5); });
  row("all of three axes", values({2, 3, 2}), [](const Var& x) { return pad(x, {1, 0, 0, 2, 1, 1}); });
  row("negative", values({4, 5}), [](const Var& x) { return pad(x, {-2, 1, 1, -3}); });
  row("no padding", values({2, 3}), [](const Var& x) { return pad(x, {}); });
  row("all taken away", values({2, 3}), [](const Var& x) { return pad(x, {-1, -2}); });
  row("scalar", values({}), [](const Var& x) { return pad(x, {}); });
  row("size 0", values({2, 0}), [](const Var& x) { return pad(x, {1, 2}); });
  row("size 1", values({1}), [](const Var& x) { return pad(x, {3, 3}); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return pad(x, {1, 1}); });
  row("strided", strided({3, 7}, -2, 2), [](const Var& x) { return pad(x, {0, 2, 1, 0}); });
  row("flipped", flipped({2, 9}, -2, 2), [](const Var& x) { return pad(x, {1, -1}); });
  row("reflect", values({3, 5}), [](const Var& x) { return pad(x, {4, 2}, PadMode::reflect); });
  row("reflect, two axes", values({2, 3, 4}), [](const Var& x) { return pad(x, {1, 3, 2, 0}, PadMode::reflect); });
  row("reflect, negative", values({2, 5}), [](const Var& x) { return pad(x, {-1, 3}, PadMode::reflect); });
  row("reflect, sliced", sliced({3, 5}, -2, 2), [](const Var& x) { return pad(x, {2, 2, 1, 1}, PadMode::reflect); });
  row("replicate", values({3, 4}), [](const Var& x) { return pad(x, {3, 1}, PadMode::replicate); });
  row("replicate, three axes", values({2, 1, 3}), [](const Var& x) { return pad(x, {1, 1, 2, 0, 0, 3}, PadMode::replicate); });
  row("replicate, size 1", values({1}), [](const Var& x) { return pad(x, {2, 2}, PadMode::replicate); });
  row("circular", values({3, 4}), [](const Var& x) { return pad(x, {4, 2}, PadMode::circular); });
  row("circular, two axes", transposed({3, 4}, -2, 2), [](const Var& x) { return pad(x, {1, 0, 0, 3}, PadMode::circular); });
  row("repeated operand", values({3, 3}), [](const Var& x) { return pad(x, {1, -1}) * x; });
  row("repeated operand, reflect", values({2, 3}), [](const Var& x) {
    return pad(x, {1, 1}, PadMode::reflect) * pad(x, {2, 0}, PadMode::circular);
  });
}

void add_rolls(std::vector<Case>& to) {
  Rows row(to, "roll");
  row("first axis", values({5, 3}), [](const Var& x) { return roll(x, 2, 0); });
  row("last axis, backwards", values({2, 3, 7}), [](const Var& x) { return roll(x, -3, -1); });
  row("more than around", values({2, 5}), [](const Var& x) { return roll(x, 13, 1); });
  row("two axes", values({3, 4}), [](const Var& x) { return roll(x, {1, -1}, {0, 1}); });
  row("one axis twice", values({3, 4}), [](const Var& x) { return roll(x, {1, 2}, {1, 1}); });
  row("all elements", values({3, 5}), [](const Var& x) { return roll(x, 4); });
  row("by nothing", values({3, 2}), [](const Var& x) { return roll(x, 0, 0); });
  row("scalar", values({}), [](const Var& x) { return roll(x, 1); });
  row("size 0", values({2, 0}), [](const Var& x) { return roll(x, 1, 1); });
  row("size 1", values({1}), [](const Var& x) { return roll(x, 5, 0); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return roll(x, 1, 0); });
  row("strided, all elements", strided({3, 7}, -2, 2), [](const Var& x) { return roll(x, -8); });
  row("flipped", flipped({2, 9}, -2, 2), [](const Var& x) { return roll(x, 4, 1); });
  row("repeated operand", values({5}), [](const Var& x) { return roll(x, 1, 0) * x; });
}

void add_repeats(std::vector<Case>& to) {
  Rows row(to, "repeat");
  row("vector", values({3}), [](const Var& x) { return repeat(x, {4}); });
  row("rows", values({2, 3}), [](const Var& x) { return repeat(x, {3, 1}); });
  row("both axes", values({2, 3}), [](const Var& x) { return repeat(x, {2, 3}); });
  row("leading dimensions", values({3, 2}), [](const Var& x) { return repeat(x, {2, 1, 1, 2}); });
  row("middle axis", values({2, 3, 2}), [](const Var& x) { return repeat(x, {1, 2, 1}); });
  row("once", values({2, 3}), [](const Var& x) { return repeat(x, {1, 1}); });
  row("not at all", values({2, 3}), [](const Var& x) { return repeat(x, {2, 0}); });
  row("scalar", values({}), [](const Var& x) { return repeat(x, {2, 3}); });
  row("scalar, no counts", values({}), [](const Var& x) { return repeat(x, {}); });
  row("size 0", values({0, 2}), [](const Var& x) { return repeat(x, {2, 3}); });
  row("size 1", values({1, 1}), [](const Var& x) { return repeat(x, {3, 5}); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return repeat(x, {2, 2}); });
  row("sliced", sliced({3, 5}, -2, 2), [](const Var& x) { return repeat(x, {1, 2}); });
  row("repeated operand", values({2, 3}), [](const Var& x) { return repeat(x, {2, 1, 1}) * x; });

  Rows tiled(to, "tile");
  tiled("last axis alone", values({2, 3}), [](const Var& x) { return tile(x, {2}); });
  tiled("both axes", values({2, 3}), [](const Var& x) { return tile(x, {3, 2}); });
  tiled("leading dimensions", values({3}), [](const Var& x) { return tile(x, {2, 2, 1}); });
  tiled("last two of three", values({2, 3, 2}), [](const Var& x) { return tile(x, {2, 3}); });
  tiled("no counts", values({2, 3}), [](const Var& x) { return tile(x, {}); });
  tiled("not at all", values({2, 3}), [](const Var& x) { return tile(x, {0}); });
  tiled("scalar", values({}), [](const Var& x) { return tile(x, {4}); });
  tiled("size 0", values({2, 0}), [](const Var& x) { return tile(x, {3, 2}); });
  tiled("size 1", values({1}), [](const Var& x) { return tile(x, {7}); });
  tiled("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return tile(x, {2, 1}); });
  tiled("strided", strided({3, 5}, -2, 2), [](const Var& x) { return tile(x, {2}); });
  tiled("flipped", flipped({2, 9}, -2, 2), [](const Var& x) { return tile(x, {2, 2}); });
  tiled("repeated operand", values({3}), [](const Var& x) { return tile(x, {2, 1}) * x; });
}

void add_unfolds(std::vector<Case>& to) {
  Rows row(to, "unfold");
  row("overlapping", values({7}), [](const Var& x) { return unfold(x, 0, 3, 1); });
  row("side by side", values({6, 2}), [](const Var& x) { return unfold(x, 0, 2, 2); });
  row("with gaps and a rest", values({8, 2}), [](const Var& x) { return unfold(x, 0, 2, 3); });
  row("last axis", values({2, 9}), [](const Var& x) { return unfold(x, -1, 4, 2); });
  row("middle axis", values({2, 5, 3}), [](const Var& x) { return unfold(x, 1, 3, 2); });
  row("both axes of an image", values({2, 4, 5}), [](const Var& x) { return unfold(unfold(x, 1, 2, 1), 2, 3, 2); });
  row("the whole axis", values({3, 4}), [](const Var& x) { return unfold(x, 1, 4, 1); });
  row("windows of one", values({3, 2}), [](const Var& x) { return unfold(x, 0, 1, 1); });
  row("windows of nothing", values({3, 2}), [](const Var& x) { return unfold(x, 0, 0, 2); });
  row("size 0", values({3, 0}), [](const Var& x) { return unfold(x, 0, 2, 1); });
  row("size 1", values({1}), [](const Var& x) { return unfold(x, 0, 1, 5); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return unfold(x, 0, 2, 2); });
  row("strided", strided({3, 7}, -2, 2), [](const Var& x) { return unfold(x, 1, 3, 1); });
  row("flipped", flipped({2, 9}, -2, 2), [](const Var& x) { return unfold(x, 1, 5, 3); });
  row("repeated operand", values({5}), [](const Var& x) { return unfold(x, 0, 3, 1) * unfold(x, 0, 1, 2); });
}

}  // namespace

void add_arrange_cases(std::vector<Case>& to) {
  add_pads(to);
  add_rolls(to);
  add_repeats(to);
  add_unfolds(to);
}

}  // namespace weft::test
