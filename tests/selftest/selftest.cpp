// weft-selftest: every operation's gradients and PyTorch's golden values, on the machine where it runs.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "ops/outcome.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr const char* usage = R"(weft-selftest [--help]

Checks every operation of weft on this machine: f32 values and gradients against f64, first and second derivatives against
central differences in f64, and modules and optimizers against PyTorch's golden values. Ends with 1 if something differs.
WEFT_MAX_ISA (SSE4, AVX2, AVX3) limits the instruction set, WEFT_CASES=NAME,... the operations.
)";

/// Worst errors of one operation.
struct Line {
  std::string op;
  int cases = 0, failed = 0;
  double single = 0;             // f32 against f64, as a part of the largest value
  double first = 0, second = 0;  // derivatives, as a multiple of what is allowed
};

void check(const Case& row, Line& line) {
  ++line.cases;
  bool ok = true;
  try {
    const Outcome single = run(row, f32), wide = run(row, f64);
    double error = error_of(single.value, wide.value);
    for (std::size_t i = 0; i < wide.gradients.size(); ++i)
      error = std::max(error, error_of(single.gradients[i], wide.gradients[i]));
    line.single = std::max(line.single, error);
    const GradcheckReport first = gradcheck(row.function, row.inputs);
    line.first = std::max(line.first, first.worst);
    ok = error <= row.f32_tolerance && first.ok();
    if (row.second_order) {
      const GradcheckReport second = gradgradcheck(row.function, row.inputs);
      line.second = std::max(line.second, second.worst);
      ok = ok && second.ok();
    }
  } catch (const std::exception& error) {
    std::printf("%s, %s: %s\n", row.op.c_str(), row.variant.c_str(), error.what());
    ok = false;
  }
  line.failed += ok ? 0 : 1;
}

bool check_operations() {
  std::vector<Line> lines;
  for (const Case& row : cases()) {
    auto line = std::find_if(lines.begin(), lines.end(), [&](const Line& each) { return each.op == row.op; });
    if (line == lines.end()) line = lines.insert(lines.end(), Line{.op = row.op});
    check(row, *line);
  }
  std::printf("%-28s %6s %6s  %12s  %12s  %12s\n", "operation", "cases", "failed", "f32 error", "first order", "second order");
  bool ok = true;
  for (const Line& line : lines) {
    std::printf("%-28s %6d %6d  %12.1e  %12.1e  %12.1e\n", line.op.c_str(), line.cases, line.failed, line.single, line.first,
                line.second);
    ok = ok && line.failed == 0;
  }
  std::printf("%zu gradient cases, %zu operations: %s\n", cases().size(), lines.size(), ok ? "all right" : "SOME DIFFER");
  return ok;
}

bool check_golden() {
  std::ostringstream report;
  doctest::Context context;
  context.setCout(&report);
  const bool ok = context.run() == 0;
  if (!ok) std::printf("%s", report.str().c_str());
  std::printf("PyTorch's golden values: %s\n", ok ? "all met" : "SOME DIFFER");
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool help = argc == 2 && std::string(argv[1]) == "--help";
    std::fputs(usage, help ? stdout : stderr);
    return help ? 0 : 2;
  }
  try {
    std::printf("%d threads\n", num_threads());
    const bool operations = check_operations(), golden = check_golden();
    return operations && golden ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft-selftest: %s\n", error.what());
    return 2;
  }
}
