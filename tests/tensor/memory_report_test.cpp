#include "weft/tensor/memory_report.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "weft/base/scope.hpp"
#include "weft/tensor/tensor.hpp"

using namespace weft;

namespace {

std::optional<MemoryUse> use_of(const char* module) {
  const MemoryReport report = memory_report();
  for (const ModuleMemory& each : report.modules)
    if (each.module == module) return each.use;
  return std::nullopt;
}

}  // namespace

TEST_CASE("memory is reported by module while it is tracked") {
  const char *encoder = intern("report.encoder"), *decoder = intern("report.decoder");
  Tensor kept;
  {
    const TrackModuleMemory track;
    {
      const ScopeGuard scope(encoder);
      kept = Tensor::zeros({1000}, f64);
      const Tensor more = Tensor::zeros({500}, f64);
      CHECK(use_of(encoder)->current == 12000);
    }
    const ScopeGuard scope(decoder);
    const Tensor view = kept.slice(0, 0, 10);  // a view holds nothing of its own
    CHECK_FALSE(use_of(decoder));
    const Tensor other = Tensor::zeros({10}, f64);
    CHECK(use_of(decoder)->current == 80);
  }
  CHECK(use_of(encoder)->current == 8000);
  CHECK(use_of(encoder)->peak == 12000);
  CHECK(use_of(decoder)->current == 0);
  {
    const ScopeGuard scope(decoder);
    const Tensor untracked = Tensor::zeros({10}, f64);
    CHECK(use_of(decoder)->current == 0);
  }
  kept = Tensor();  // also when nothing is tracked any more
  CHECK(use_of(encoder)->current == 0);
}

TEST_CASE("peaks by module start again with the others") {
  const char* module = intern("peaks.module");
  const TrackModuleMemory track;
  const ScopeGuard scope(module);
  const Tensor kept = Tensor::zeros({10}, f64);
  Tensor::zeros({1 << 20}, f64);
  CHECK(use_of(module)->peak == (8 << 20) + 80);
  reset_peak_memory();
  CHECK(use_of(module)->peak == 80);
  CHECK(memory_report().statistics.total.peak == memory_report().statistics.total.current);
}

TEST_CASE("the report is a table with the largest module first") {
  const char *small = intern("table.small"), *large = intern("table.large");
  const TrackModuleMemory track;
  {
    const ScopeGuard scope(small);
    Tensor::zeros({1 << 18});
  }
  {
    const ScopeGuard scope(large);
    Tensor::zeros({1 << 20});
  }
  const std::string text = memory_report().str();
  CHECK(text.find("activations") != std::string::npos);
  CHECK(text.find("table.large                            0.00       4.00") != std::string::npos);
  CHECK(text.find("table.large") < text.find("table.small"));
}
