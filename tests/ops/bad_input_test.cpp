#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// Calls an operation on any inputs, and backward where there is something to go back through. A typed exception is as good
// as a result; what it did is "" or the error's text.
std::optional<std::string> call(const Case& row, const std::vector<Tensor>& inputs) {
  Generator generator(1);
  Tape tape(generator);
  std::vector<Var> leaves;
  for (const Tensor& input : inputs)
    leaves.push_back(input.defined() && is_floating(input.dtype()) ? tape.leaf(input) : Var(input));
  try {
    const Var output = row.function(leaves);
    if (output.requires_grad()) tape.backward(output, Tensor::ones(output.shape(), output.dtype()));
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

// An input as it shouldn't be: another shape, another dtype, or none at all. Only small ones.
std::vector<Tensor> wrong_forms(const Tensor& right) {
  std::vector<Tensor> forms = {Tensor(), Tensor::ones({}, f64), Tensor::ones({0}, f64), Tensor::ones({5, 1, 4}, f64)};
  const Shape& shape = right.shape();
  for (int axis = 0; axis < shape.rank(); ++axis) {
    forms.push_back(Tensor::ones(shape.with(axis, shape[axis] + 1), f64));
    forms.push_back(Tensor::ones(shape.with(axis, 0), f64));
    forms.push_back(Tensor::ones(shape.without(axis), f64));
  }
  if (shape.rank() < max_rank) forms.push_back(Tensor::ones(shape.with_inserted(0, 2), f64));
  for (const DType dtype : {f32, i32, i64, boolean}) forms.push_back(Tensor::ones(shape, dtype));
  return forms;
}

// The operation that was called, not one that it is made of. Rows whose results are several multiply them together.
void check_names_the_operation(const Case& row, const std::optional<std::string>& message) {
  if (!message || message->starts_with("[Tensor] an undefined tensor")) return;
  const bool several = row.op == "split" || row.op == "chunk";
  const bool named = message->starts_with("[" + row.op + "]") || (several && message->starts_with("[mul]"));
  CHECK_MESSAGE(named, *message);
}

}  // namespace

TEST_CASE("wrong shapes, dtypes and undefined operands end in a result or a typed exception that names the operation") {
  std::string last_op;
  int rows = 0;
  for (const Case& row : cases()) {
    // A few rows an operation: the first ones have the plainest shapes.
    rows = row.op == last_op ? rows + 1 : 0;
    last_op = row.op;
    if (rows >= 3) continue;
    INFO(row.op, ": ", row.variant);
    std::vector<Tensor> inputs = row.inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      for (const Tensor& wrong : wrong_forms(row.inputs[i])) {
        inputs[i] = wrong;
        try {
          check_names_the_operation(row, call(row, inputs));
          for (std::size_t j = i + 1; j < inputs.size(); ++j) {
            for (const Tensor& other : wrong_forms(row.inputs[j])) {
              inputs[j] = other;
              check_names_the_operation(row, call(row, inputs));
            }
            inputs[j] = row.inputs[j];
          }
        } catch (const std::exception& error) {
          FAIL_CHECK(wrong.describe(), " as input ", i, ": ", error.what());
          inputs = row.inputs;
        }
      }
      inputs[i] = row.inputs[i];
    }
  }
}

// WEFT_FUZZ_CALLS=1000000 is the long version; it belongs under the sanitizers, with detect_stack_use_after_return=0:
// exceptions leave its stacks full, and looking for room in them then takes most of an hour.
TEST_CASE("random calls end in a result or a typed exception") {
  const char* asked = std::getenv("WEFT_FUZZ_CALLS");
  const std::int64_t calls = asked != nullptr ? std::atoll(asked) : 50000;
  constexpr std::int64_t sizes[] = {0, 1, 2, 3, 7};
  constexpr DType dtypes[] = {f64, f64, f64, f32, f32, i64, i32, boolean};
  constexpr std::int64_t most_elements = 1500;
  Generator generator(17);
  const auto pick = [&](std::size_t count) { return generator.below(count); };
  const auto random_input = [&] {
    Shape shape;
    const auto rank = static_cast<int>(pick(7));
    for (int axis = 0; axis < rank; ++axis) {
      const Shape larger = shape.with_inserted(shape.rank(), sizes[pick(5)]);
      if (larger.numel() <= most_elements) shape = larger;
    }
    const Tensor values = uniform(shape, -3, 3, generator.below(1000));
    return shape.rank() >= 2 && pick(4) == 0 ? values.to(dtypes[pick(8)]).transpose(0, -1) : values.to(dtypes[pick(8)]);
  };
  std::int64_t results = 0;
  for (std::int64_t i = 0; i < calls; ++i) {
    const Case& row = cases()[pick(cases().size())];
    // Half of the calls change one input of a row that works, so that later checks are reached too.
    std::vector<Tensor> inputs = row.inputs;
    const bool all = pick(2) == 0;
    const std::size_t changed = inputs.empty() ? 0 : pick(inputs.size());
    for (std::size_t k = 0; k < inputs.size(); ++k)
      if (all || k == changed) inputs[k] = random_input();
    try {
      results += call(row, inputs) ? 0 : 1;
    } catch (const std::exception& error) {
      INFO(row.op, ": ", row.variant);
      for (const Tensor& input : inputs) MESSAGE(input.describe());
      FAIL_CHECK("call ", i, ": ", error.what());
    }
  }
  std::printf("%lld random calls, %lld with a result\n", static_cast<long long>(calls), static_cast<long long>(results));
  CHECK(results > calls / 10);
}
