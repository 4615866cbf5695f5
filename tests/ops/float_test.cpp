#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "ops/outcome.hpp"

using namespace weft;
using namespace weft::test;

namespace {

void compare(const char* what, const Tensor& single, const Tensor& wide, double tolerance) {
  CAPTURE(what);
  CHECK(single.dtype() == f32);
  CHECK(error_of(single, wide) <= tolerance);
}

}  // namespace

TEST_CASE("f32 values and gradients agree with f64") {
  for (const Case& row : cases()) {
    INFO(row.op, ": ", row.variant);
    try {
      const Outcome single = run(row, f32), wide = run(row, f64);
      compare("value", single.value, wide.value, row.f32_tolerance);
      for (std::size_t i = 0; i < wide.gradients.size(); ++i)
        compare(("gradient of input " + std::to_string(i)).c_str(), single.gradients[i], wide.gradients[i], row.f32_tolerance);
    } catch (const std::exception& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
}
