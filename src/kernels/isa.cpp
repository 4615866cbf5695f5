#include "kernels/isa.hpp"

#include <fmt/format.h>
#include <hwy/highway.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>

namespace weft::kernels {
namespace {

constexpr const char* names[] = {"plain", "SSE4", "AVX2", "AVX3"};
// Of each Isa; plain is what the compiler was told that every processor has.
constexpr std::int64_t targets[] = {HWY_STATIC_TARGET, HWY_SSE4, HWY_AVX2, HWY_AVX3};

// Before any kernel runs, and so before Highway has chosen.
[[maybe_unused]] const bool limited = [] {
  const char* wanted = std::getenv("WEFT_MAX_ISA");
  if (wanted == nullptr) return false;
  for (std::size_t i = 1; i < std::size(names); ++i) {
    if (std::string_view(wanted) != names[i]) continue;
    set_max_isa(static_cast<Isa>(i));
    return true;
  }
  fmt::print(stderr, "weft: WEFT_MAX_ISA is \"{}\", which is none of SSE4, AVX2, AVX3; the processor's best is used\n", wanted);
  return false;
}();

}  // namespace

const char* name_of(Isa isa) { return names[static_cast<std::size_t>(isa)]; }

Isa isa() {
  const std::int64_t supported = hwy::SupportedTargets();
  for (const Isa candidate : {Isa::avx3, Isa::avx2, Isa::sse4})
    if ((supported & targets[static_cast<std::size_t>(candidate)]) != 0) return candidate;
  return Isa::plain;
}

void set_max_isa(Isa most) {
  hwy::SetSupportedTargetsForTest(0);
  const std::int64_t processor = hwy::SupportedTargets();
  std::int64_t allowed = targets[0];
  for (std::size_t i = 1; i <= static_cast<std::size_t>(most); ++i) allowed |= processor & targets[i];
  hwy::SetSupportedTargetsForTest(allowed);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace weft::kernels
