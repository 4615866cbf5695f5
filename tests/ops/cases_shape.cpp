#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

// Rows of one operation with one input.
class Rows {
 public:
  Rows(std::vector<Case>& to, const char* op) : to_(&to), op_(op) {}

  void operator()(const char* variant, Tensor x, Var (*function)(const Var&)) {
    to_->push_back({op_, variant, [function](const Inputs& in) { return function(in[0]); }, {std::move(x)}});
  }

 private:
  std::vector<Case>* to_;
  const char* op_;
};

void add_reshapes(std::vector<Case>& to) {
  Rows row(to, "reshape");
  row("matrix", values({3, 4}), [](const Var& x) { return reshape(x, {2, 6}); });
  row("open size", values({2, 3, 4}), [](const Var& x) { return reshape(x, {4, -1}); });
  row("by a shape", values({2, 3}), [](const Var& x) { return reshape(x, Shape{3, 2}); });
  row("size 0", values({0, 3}), [](const Var& x) { return reshape(x, {3, 0, 2}); });
  row("size 1", values({1}), [](const Var& x) { return reshape(x, {1, 1, 1}); });
  row("to a scalar", values({1, 1}), [](const Var& x) { return reshape(x, {}); });
  row("transposed, copied", transposed({5, 3}, -2, 2), [](const Var& x) { return reshape(x, {15}); });
  row("strided, a view", strided({3, 7}, -2, 2), [](const Var& x) { return reshape(x, {21}); });
  row("sliced, copied", sliced({3, 5}, -2, 2), [](const Var& x) { return reshape(x, {5, 3}); });
  row("repeated operand", values({2, 6}), [](const Var& x) { return reshape(x, {3, 4}) * reshape(x, {3, 4}); });
  row("flipped, copied", flipped({2, 6}, -2, 2), [](const Var& x) { return reshape(x, {3, 4}); });
  row("six dimensions", values({2, 1, 3, 1, 2, 1}), [](const Var& x) { return reshape(x, {1, 6, 1, 2}); });

  row = Rows(to, "flatten");
  row("all", values({2, 3, 4}), [](const Var& x) { return flatten(x); });
  row("first axes", values({2, 3, 4}), [](const Var& x) { return flatten(x, 0, 1); });
  row("last axes", values({2, 3, 4}), [](const Var& x) { return flatten(x, -2); });
  row("one axis", values({2, 3}), [](const Var& x) { return flatten(x, 1, 1); });
  row("size 0", values({2, 0, 3}), [](const Var& x) { return flatten(x, 1); });
  row("size 1", values({1, 1}), [](const Var& x) { return flatten(x); });
  row("scalar", values({}), [](const Var& x) { return flatten(x); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return flatten(x); });
  row("repeated operand", values({2, 3}), [](const Var& x) { return flatten(x) * flatten(x); });
  row("sliced", sliced({3, 4}, -2, 2), [](const Var& x) { return flatten(x); });
  row("strided", strided({3, 4}, -2, 2), [](const Var& x) { return flatten(x); });
  row("flipped", flipped({3, 4}, -2, 2), [](const Var& x) { return flatten(x); });
}

void add_orders(std::vector<Case>& to) {
  Rows row(to, "transpose");
  row("matrix", values({3, 4}), [](const Var& x) { return transpose(x, 0, 1); });
  row("outer and last", values({2, 3, 4}), [](const Var& x) { return transpose(x, 0, -1); });
  row("an axis with itself", values({2, 3}), [](const Var& x) { return transpose(x, 1, 1); });
  row("size 0", values({0, 3}), [](const Var& x) { return transpose(x, 0, 1); });
  row("size 1", values({1, 1}), [](const Var& x) { return transpose(x, 0, 1); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return transpose(x, 1, 0); });
  row("sliced", sliced({3, 5}, -2, 2), [](const Var& x) { return transpose(x, -1, -2); });
  row("repeated operand", values({3, 3}), [](const Var& x) { return transpose(x, 0, 1) * x; });
  row("strided", strided({3, 4}, -2, 2), [](const Var& x) { return transpose(x, 0, 1); });
  row("flipped", flipped({3, 4}, -2, 2), [](const Var& x) { return transpose(x, 0, 1); });
  row("inner axes of four", values({2, 3, 2, 2}), [](const Var& x) { return transpose(x, 1, 2); });
  row("a row", values({1, 9}), [](const Var& x) { return transpose(x, 0, 1); });

  row = Rows(to, "permute");
  row("cycle", values({2, 3, 4}), [](const Var& x) { return permute(x, {2, 0, 1}); });
  row("other cycle", values({2, 3, 4, 1}), [](const Var& x) { return permute(x, {1, 3, 0, 2}); });
  row("negative axes", values({2, 3}), [](const Var& x) { return permute(x, {-1, 0}); });
  row("no axis", values({}), [](const Var& x) { return permute(x, {}); });
  row("size 0", values({2, 0, 3}), [](const Var& x) { return permute(x, {1, 2, 0}); });
  row("size 1", values({1, 1, 1}), [](const Var& x) { return permute(x, {2, 1, 0}); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return permute(x, {1, 0}); });
  row("repeated operand", values({2, 2, 2}), [](const Var& x) { return permute(x, {2, 0, 1}) * permute(x, {1, 2, 0}); });
  row("sliced", sliced({3, 4}, -2, 2), [](const Var& x) { return permute(x, {1, 0}); });
  row("strided", strided({3, 4}, -2, 2), [](const Var& x) { return permute(x, {1, 0}); });
  row("flipped", flipped({3, 4}, -2, 2), [](const Var& x) { return permute(x, {1, 0}); });
  row("unchanged", values({2, 3}), [](const Var& x) { return permute(x, {0, 1}); });

  row = Rows(to, "flip");
  row("first axis", values({3, 4}), [](const Var& x) { return flip(x, 0); });
  row("last axis", values({2, 3, 5}), [](const Var& x) { return flip(x, -1); });
  row("twice", values({3, 4}), [](const Var& x) { return flip(flip(x, 0), 1); });
  row("size 0", values({2, 0}), [](const Var& x) { return flip(x, 1); });
  row("size 1", values({1}), [](const Var& x) { return flip(x, 0); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return flip(x, 0); });
  row("flipped", flipped({2, 9}, -2, 2), [](const Var& x) { return flip(x, 1); });
  row("repeated operand", values({5}), [](const Var& x) { return flip(x, 0) * x; });
  row("sliced", sliced({3, 4}, -2, 2), [](const Var& x) { return flip(x, 1); });
  row("strided", strided({3, 4}, -2, 2), [](const Var& x) { return flip(x, 1); });
  row("middle axis", values({2, 3, 2}), [](const Var& x) { return flip(x, 1); });
  row("odd size", values({17}), [](const Var& x) { return flip(x, 0); });
}

void add_parts(std::vector<Case>& to) {
  Rows row(to, "slice");
  row("rows", values({5, 3}), [](const Var& x) { return slice(x, 0, 1, 4); });
  row("columns", values({3, 7}), [](const Var& x) { return slice(x, -1, 2, 7); });
  row("middle axis", values({2, 5, 3}), [](const Var& x) { return slice(x, 1, 4, 5); });
  row("all", values({3, 2}), [](const Var& x) { return slice(x, 0, 0, 3); });
  row("nothing", values({3, 2}), [](const Var& x) { return slice(x, 0, 2, 2); });
  row("size 0", values({0, 2}), [](const Var& x) { return slice(x, 1, 0, 1); });
  row("size 1", values({1}), [](const Var& x) { return slice(x, 0, 0, 1); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return slice(x, 0, 1, 3); });
  row("flipped", flipped({2, 9}, -2, 2), [](const Var& x) { return slice(x, 1, 3, 6); });
  row("repeated operand, overlapping", values({5, 2}), [](const Var& x) { return slice(x, 0, 0, 3) * slice(x, 0, 2, 5); });
  row("repeated operand, part and all", values({4, 2}), [](const Var& x) { return slice(x, 0, 1, 2) * x; });
  row("strided", strided({3, 7}, -2, 2), [](const Var& x) { return slice(x, 1, 2, 6); });

  row = Rows(to, "select");
  row("row", values({5, 3}), [](const Var& x) { return select(x, 0, 2); });
  row("column", values({3, 7}), [](const Var& x) { return select(x, -1, 6); });
  row("middle axis", values({2, 5, 3}), [](const Var& x) { return select(x, 1, 0); });
  row("to a scalar", values({4}), [](const Var& x) { return select(x, 0, 3); });
  row("size 0", values({2, 0}), [](const Var& x) { return select(x, 0, 1); });
  row("size 1", values({1}), [](const Var& x) { return select(x, 0, 0); });
  row("transposed", transposed({5, 3}, -2, 2), [](const Var& x) { return select(x, 0, 1); });
  row("repeated operand", values({2, 2, 2}), [](const Var& x) { return select(x, 0, 1) * select(x, 1, 1); });
  row("sliced", sliced({3, 4}, -2, 2), [](const Var& x) { return select(x, 1, 2); });
  row("strided", strided({3, 4}, -2, 2), [](const Var& x) { return select(x, 0, 2); });
  row("flipped", flipped({3, 4}, -2, 2), [](const Var& x) { return select(x, 1, 0); });
  row("of four dimensions", values({2, 3, 1, 2}), [](const Var& x) { return select(x, -2, 0); });

  row = Rows(to, "split");
  row("rows", values({6, 2}), [](const Var& x) {
    const auto parts = split(x, {1, 2, 3}, 0);
    return concat({parts[2], parts[0], parts[1]}, 0);
  });
  row("columns, one unused", values({3, 7}), [](const Var& x) {
    const auto parts = split(x, {2, 3, 2}, -1);
    return parts[0] * parts[2];
  });
  row("whole", values({3, 2}), [](const Var& x) { return split(x, {3}, 0)[0]; });
  row("a part of nothing", values({3, 2}), [](const Var& x) {
    const auto parts = split(x, {0, 3}, 0);
    return concat({parts[1], parts[0]}, 0);
  });
  row("size 0", values({0, 2}), [](const Var& x) { return split(x, {1, 1}, 1)[1]; });
  row("size 1", values({1}), [](const Var& x) { return split(x, {1}, 0)[0]; });
  row("transposed", transposed({5, 4}, -2, 2), [](const Var& x) {
    const auto parts = split(x, {2, 2}, 1);
    return parts[1] * parts[0];
  });
  row("repeated operand", values({4}), [](const Var& x) { return split(x, {1, 3}, 0)[0] * x; });
  row("sliced", sliced({4, 5}, -2, 2), [](const Var& x) {
    const auto parts = split(x, {2, 1, 2}, -1);
    return parts[2] * parts[0] + parts[1];
  });
  row("strided", strided({4, 5}, -2, 2), [](const Var& x) {
    const auto parts = split(x, {2, 1, 2}, -1);
    return parts[2] * parts[0] + parts[1];
  });
  row("flipped", flipped({4, 5}, -2, 2), [](const Var& x) {
    const auto parts = split(x, {2, 1, 2}, -1);
    return parts[2] * parts[0] + parts[1];
  });
  row("middle axis", values({2, 3, 2}), [](const Var& x) { return split(x, {1, 2}, 1)[1]; });
}

// Part i, or the last one where a random input has fewer.
Var part(const PoolVector<Var>& parts, std::size_t i) { return i < parts.size() ? parts[i] : parts.back(); }

void add_chunks(std::vector<Case>& to) {
  Rows row(to, "chunk");
  row("equal parts", values({6, 2}), [](const Var& x) { return part(chunk(x, 3), 1); });
  row("a smaller last one", values({2, 7}), [](const Var& x) { return part(chunk(x, 3, 1), 2); });
  row("fewer than asked", values({5, 2}), [](const Var& x) {
    const auto parts = chunk(x, 4);
    return part(parts, 0) * part(parts, 1);
  });
  row("joined again", values({2, 5, 2}), [](const Var& x) {
    const auto parts = chunk(x, 2, 1);
    return concat({part(parts, 1), part(parts, 0)}, 1);
  });
  row("one", values({3, 2}), [](const Var& x) { return part(chunk(x, 1), 0); });
  row("single elements", values({3}), [](const Var& x) { return part(chunk(x, 9), 2); });
  row("gates", values({2, 8}), [](const Var& x) {
    const auto parts = chunk(x, 4, -1);
    return part(parts, 0) * part(parts, 1) + part(parts, 2) * part(parts, 3);
  });
  row("size 0", values({0, 2}), [](const Var& x) { return part(chunk(x, 3), 2); });
  row("size 0 beside", values({4, 0}), [](const Var& x) { return part(chunk(x, 2), 1); });
  row("size 1", values({1}), [](const Var& x) { return part(chunk(x, 2), 0); });
  row("transposed", transposed({5, 4}, -2, 2), [](const Var& x) { return part(chunk(x, 2, 1), 1); });
  row("strided", strided({4, 3}, -2, 2), [](const Var& x) { return part(chunk(x, 2), 0); });
  row("flipped", flipped({2, 9}, -2, 2), [](const Var& x) { return part(chunk(x, 2, 1), 1); });
  row("repeated operand", values({4, 1}), [](const Var& x) { return part(chunk(x, 4), 1) * part(chunk(x, 4), 0) * x; });
}

void add_sizes(std::vector<Case>& to) {
  Rows row(to, "expand");
  row("rows", values({1, 3}), [](const Var& x) { return expand(x, {4, 3}); });
  row("leading dimensions", values({3}), [](const Var& x) { return expand(x, {2, 4, 3}); });
  row("in the middle", values({2, 1, 3}), [](const Var& x) { return expand(x, {2, 5, 3}); });
  row("scalar", values({}), [](const Var& x) { return expand(x, {2, 3}); });
  row("unchanged", values({2, 3}), [](const Var& x) { return expand(x, {2, 3}); });
  row("size 0", values({1, 0}), [](const Var& x) { return expand(x, {3, 0}); });
  row("to nothing", values({1, 2}), [](const Var& x) { return expand(x, {0, 2}); });
  row("size 1", values({1}), [](const Var& x) { return expand(x, {7}); });
  row("transposed", transposed({4, 3}, -2, 2), [](const Var& x) { return expand(x, {2, 4, 3}); });
  row("repeated operand", values({3}), [](const Var& x) { return expand(x, {2, 3}) * x; });
  row("sliced", sliced({1, 4}, -2, 2), [](const Var& x) { return expand(x, {3, 4}); });
  row("strided", strided({3, 1}, -2, 2), [](const Var& x) { return expand(x, {3, 5}); });

  row = Rows(to, "unsqueeze");
  row("front", values({2, 3}), [](const Var& x) { return unsqueeze(x, 0); });
  row("back", values({2, 3}), [](const Var& x) { return unsqueeze(x, -1); });
  row("between", values({2, 3}), [](const Var& x) { return unsqueeze(x, 1); });
  row("scalar", values({}), [](const Var& x) { return unsqueeze(x, 0); });
  row("size 0", values({0, 3}), [](const Var& x) { return unsqueeze(x, -2); });
  row("transposed", transposed({4, 3}, -2, 2), [](const Var& x) { return unsqueeze(x, 1); });
  row("repeated operand", values({3}), [](const Var& x) { return unsqueeze(x, 0) * unsqueeze(x, 1); });
  row("sliced", sliced({3, 4}, -2, 2), [](const Var& x) { return unsqueeze(x, -2); });
  row("strided", strided({3, 4}, -2, 2), [](const Var& x) { return unsqueeze(x, -2); });
  row("flipped", flipped({3, 4}, -2, 2), [](const Var& x) { return unsqueeze(x, -2); });
  row("size 1", values({1}), [](const Var& x) { return unsqueeze(x, 1); });
  row("of four dimensions", values({2, 1, 3, 2}), [](const Var& x) { return unsqueeze(x, 2); });

  row = Rows(to, "squeeze");
  row("front", values({1, 2, 3}), [](const Var& x) { return squeeze(x, 0); });
  row("back", values({2, 3, 1}), [](const Var& x) { return squeeze(x, -1); });
  row("between", values({2, 1, 3}), [](const Var& x) { return squeeze(x, 1); });
  row("size 1", values({1}), [](const Var& x) { return squeeze(x, 0); });
  row("size 0", values({0, 1}), [](const Var& x) { return squeeze(x, 1); });
  row("a column of a view", sliced({4, 1}, -2, 2), [](const Var& x) { return squeeze(x, 1); });
  row("repeated operand", values({3, 1}), [](const Var& x) { return squeeze(x, 1) * x; });
  row("a row of a view", transposed({1, 4}, -2, 2), [](const Var& x) { return squeeze(x, 0); });
  row("strided", strided({1, 4}, -2, 2), [](const Var& x) { return squeeze(x, 0); });
  row("flipped", flipped({1, 4}, -2, 2), [](const Var& x) { return squeeze(x, 0); });
  row("of four dimensions", values({2, 1, 3, 1}), [](const Var& x) { return squeeze(x, 1); });
  row("twice", values({1, 1, 3}), [](const Var& x) { return squeeze(squeeze(x, 0), 0); });
}

void add_joins(std::vector<Case>& to) {
  const auto concats = [&](const char* variant, int axis, std::vector<Tensor> parts) {
    to.push_back({"concat", variant, [axis](const Inputs& in) { return concat(in, axis); }, std::move(parts)});
  };
  concats("rows", 0, {values({2, 3}), values({1, 3}, 0.1), values({4, 3}, 0.2)});
  concats("columns", -1, {values({3, 2}), values({3, 5}, 0.1)});
  concats("middle axis", 1, {values({2, 1, 3}), values({2, 4, 3}, 0.1)});
  concats("one part", 0, {values({2, 3})});
  concats("size 0", 1, {values({2, 3}), values({2, 0}), values({2, 1}, 0.1)});
  concats("nothing", 0, {values({0, 3}), values({0, 3})});
  concats("size 1", 0, {values({1}), values({1}, 0.1)});
  concats("scalars of one element", -1, {values({1, 1}), values({1, 3}, 0.1)});
  concats("three dimensions, back", 2, {values({2, 2, 1}), values({2, 2, 2}, 0.1)});
  concats("views", 1, {transposed({4, 3}, -2, 2), strided({4, 5}, -2, 2), flipped({4, 2}, -2, 2)});
  to.push_back({"concat",
                "repeated operand",
                [](const Inputs& in) {
                  return concat({in[0], in[0], in[0]}, 0);
                },
                {values({2, 3})}});
  to.push_back({"concat",
                "with a constant",
                [](const Inputs& in) {
                  return concat({in[0], Var(Tensor::ones({2, 3}, in[0].dtype())), in[0] * in[0]}, 0);
                },
                {values({2, 3})}});

  const auto stacks = [&](const char* variant, int axis, std::vector<Tensor> parts) {
    to.push_back({"stack", variant, [axis](const Inputs& in) { return stack(in, axis); }, std::move(parts)});
  };
  stacks("front", 0, {values({2, 3}), values({2, 3}, 0.1), values({2, 3}, 0.2)});
  stacks("back", -1, {values({2, 3}), values({2, 3}, 0.1)});
  stacks("between", 1, {values({2, 3}), values({2, 3}, 0.1)});
  stacks("scalars", 0, {values({}), values({}, 0.1)});
  stacks("one part", 1, {values({2, 3})});
  stacks("size 0", 0, {values({0, 3}), values({0, 3})});
  stacks("size 1", 1, {values({1}), values({1}, 0.1)});
  stacks("four parts", -2, {values({2}), values({2}, 0.1), values({2}, 0.2), values({2}, 0.3)});
  stacks("three dimensions", 3, {values({2, 1, 2}), values({2, 1, 2}, 0.1)});
  to.push_back({"stack",
                "with a constant",
                [](const Inputs& in) {
                  return stack({in[0], Var(Tensor::ones({2, 3}, in[0].dtype())), in[0] * in[0]}, 0);
                },
                {values({2, 3})}});
  stacks("views", 2, {transposed({4, 3}, -2, 2), strided({4, 3}, -2, 2), flipped({4, 3}, -2, 2)});
  to.push_back({"stack", "repeated operand", [](const Inputs& in) { return stack({in[0], in[0]}, 1); }, {values({2, 3})}});
}

}  // namespace

void add_shape_cases(std::vector<Case>& to) {
  add_reshapes(to);
  add_orders(to);
  add_parts(to);
  add_chunks(to);
  add_sizes(to);
  add_joins(to);
}

}  // namespace weft::test
