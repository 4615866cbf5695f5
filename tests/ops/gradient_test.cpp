#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "support/leaks.hpp"
#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// The table holds tensors and stays until the end.
const BeforeTests table_is_made([] { cases(); });

// Names in the order of the table.
std::vector<std::string> operations() {
  std::vector<std::string> names;
  for (const Case& row : cases())
    if (std::find(names.begin(), names.end(), row.op) == names.end()) names.push_back(row.op);
  return names;
}

std::ptrdiff_t cases_of(const std::string& op) {
  return std::count_if(cases().begin(), cases().end(), [&](const Case& row) { return row.op == op; });
}

const Option list_ops("--list-ops", [] {
  for (const std::string& name : operations()) std::printf("%s\n", name.c_str());
});

template <class Predicate>
bool any_input(const Case& row, const Predicate& predicate) {
  return std::any_of(row.inputs.begin(), row.inputs.end(), predicate);
}

// Whether several elements are one in memory: such a view can't be written to.
bool is_expanded(const Tensor& x) {
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x.size(axis) > 1 && x.stride(axis) == 0) return true;
  return false;
}

}  // namespace

TEST_CASE("every operation's gradients agree with central differences") {
  for (const Case& row : cases()) {
    INFO(row.op, ": ", row.variant);
    try {
      const GradcheckReport report = gradcheck(row.function, row.inputs);
      CHECK_MESSAGE(report.ok(), report.str());
    } catch (const std::exception& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
  const std::vector<std::string> names = operations();
  for (std::size_t i = 0; i < names.size(); ++i)
    std::printf("%-20s %3td%s", names[i].c_str(), cases_of(names[i]), i % 4 == 3 || i + 1 == names.size() ? "\n" : "   ");
  std::printf("%zu gradient cases, %zu operations\n", cases().size(), names.size());
}

TEST_CASE("every operation's second derivatives agree with differences of its gradients") {
  for (const Case& row : cases()) {
    INFO(row.op, ": ", row.variant);
    try {
      if (!row.second_order) {
        CHECK_THROWS_AS(gradgradcheck(row.function, row.inputs), TapeError);
        continue;
      }
      const GradcheckReport report = gradgradcheck(row.function, row.inputs);
      CHECK_MESSAGE(report.ok(), report.str());
    } catch (const std::exception& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
}

TEST_CASE("an input's gradient doesn't depend on whether the others want one") {
  for (const Case& row : cases()) {
    if (row.inputs.size() < 2) continue;
    INFO(row.op, ": ", row.variant);
    for (const bool create_graph : {false, true}) {
      if (create_graph && !row.second_order) continue;
      CAPTURE(create_graph);
      const auto gradients = [&](const auto& wanted) {
        Generator generator(1);
        Tape tape(generator);
        std::vector<Var> operands;
        for (std::size_t i = 0; i < row.inputs.size(); ++i)
          operands.push_back(wanted(i) ? tape.leaf(row.inputs[i]) : Var(row.inputs[i]));
        const Var output = row.function(operands);
        if (output.requires_grad())
          tape.backward(output, uniform(output.shape(), -1, 1, 7, f64), {.create_graph = create_graph});
        std::vector<Tensor> result(row.inputs.size());
        for (std::size_t i = 0; i < row.inputs.size(); ++i)
          if (wanted(i)) result[i] = tape.grad(operands[i]).clone();
        return result;
      };
      const auto all = gradients([](std::size_t) { return true; });
      for (std::size_t one = 0; one < row.inputs.size(); ++one) {
        CAPTURE(one);
        const double allowed = 1e-12 * std::max(1.0, largest(all[one]));
        CHECK(largest_difference(gradients([&](std::size_t i) { return i == one; })[one], all[one]) <= allowed);
        const auto others = gradients([&](std::size_t i) { return i != one; });
        for (std::size_t i = 0; i < others.size(); ++i)
          if (i != one) CHECK(largest_difference(others[i], all[i]) <= 1e-12 * std::max(1.0, largest(all[i])));
      }
    }
  }
}

// A value that was changed after it was used, input or output, makes backward an error or changes nothing: the operation
// had no need of it.
TEST_CASE("a value changed before backward never gives a wrong gradient") {
  for (const Case& row : cases()) {
    INFO(row.op, ": ", row.variant);
    // `victim`: which input is changed; the number of inputs stands for the output, above it nothing is.
    const auto gradients = [&](std::size_t victim) {
      Generator generator(1);
      Tape tape(generator);
      std::vector<Tensor> values;
      std::vector<Var> leaves;
      for (const Tensor& input : row.inputs) {
        values.push_back(same_layout(input, f64));
        leaves.push_back(tape.leaf(values.back()));
      }
      const Var output = row.function(leaves);
      values.push_back(output.value());
      if (victim < values.size() && !is_expanded(values[victim])) values[victim].fill(0.37);
      if (output.requires_grad()) tape.backward(output, uniform(output.shape(), -1, 1, 7, f64));
      std::vector<Tensor> result;
      for (const Var& leaf : leaves) result.push_back(tape.grad(leaf).clone());
      return result;
    };
    const std::vector<Tensor> right = gradients(row.inputs.size() + 1);
    for (std::size_t victim = 0; victim <= row.inputs.size(); ++victim) {
      CAPTURE(victim);
      try {
        const std::vector<Tensor> found = gradients(victim);
        for (std::size_t i = 0; i < right.size(); ++i) CHECK(largest_difference(found[i], right[i]) == 0);
      } catch (const TapeError& error) {
        CHECK(std::string(error.what()).find("changed before backward") != std::string::npos);
      }
    }
  }
}

TEST_CASE("every operation has the cases that it needs") {
  struct Seen {
    int cases = 0;
    bool empty = false, single = false, view = false, repeated = false;
  };
  std::map<std::string, Seen> seen;
  for (const Case& row : cases()) {
    Seen& s = seen[row.op];
    ++s.cases;
    s.empty = s.empty || any_input(row, [](const Tensor& x) { return x.numel() == 0; });
    s.single = s.single || any_input(row, [](const Tensor& x) { return x.numel() == 1; });
    s.view = s.view || any_input(row, [](const Tensor& x) { return !x.is_contiguous(); });
    s.repeated = s.repeated || row.variant.find("repeated operand") != std::string::npos;
  }
  for (const auto& entry : seen) {
    const auto& op = entry.first;
    const auto& s = entry.second;
    INFO(op);
    CHECK(s.cases >= 12);
    CHECK_MESSAGE(s.empty, "no input of size 0");
    CHECK_MESSAGE(s.single, "no input of size 1");
    CHECK_MESSAGE(s.view, "no input that is a view with gaps or another order");
    CHECK_MESSAGE(s.repeated, "no variant with a \"repeated operand\"");
  }
}
