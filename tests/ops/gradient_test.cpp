#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "support/support.hpp"
#include "weft/autograd/gradcheck.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// Names in the order of the table.
std::vector<std::string> operations() {
  std::vector<std::string> names;
  for (const Case& row : cases())
    if (std::find(names.begin(), names.end(), row.op) == names.end()) names.push_back(row.op);
  return names;
}

const Option list_ops("--list-ops", [] {
  for (const std::string& name : operations()) std::printf("%s\n", name.c_str());
});

template <class Predicate>
bool any_input(const Case& row, const Predicate& predicate) {
  return std::any_of(row.inputs.begin(), row.inputs.end(), predicate);
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
  std::printf("%zu gradient cases, %zu operations\n", cases().size(), operations().size());
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
  for (const auto& [op, s] : seen) {
    INFO(op);
    CHECK(s.cases >= 5);
    CHECK_MESSAGE(s.empty, "no input of size 0");
    CHECK_MESSAGE(s.single, "no input of size 1");
    CHECK_MESSAGE(s.view, "no input that is a view with gaps or another order");
    CHECK_MESSAGE(s.repeated, "no variant with a \"repeated operand\"");
  }
}
