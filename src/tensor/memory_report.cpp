#include "weft/tensor/memory_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "tensor/module_peaks.hpp"

namespace weft {
namespace {

/// Modules that tensors were counted for. Never destroyed: tensors may outlive other statics.
struct Modules {
  std::mutex mutex;
  std::map<const char*, MemoryUse> uses;
};

Modules& modules() {
  static auto* const all = new Modules;
  return *all;
}

double mebibytes(std::int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

namespace detail {

constinit thread_local bool tracking_modules = false;

void add_module_bytes(const char* scope, std::int64_t bytes) {
  const std::lock_guard lock(modules().mutex);
  MemoryUse& use = modules().uses[scope];
  use.current += bytes;
  use.peak = std::max(use.peak, use.current);
}

void remove_module_bytes(const char* scope, std::int64_t bytes) noexcept {
  const std::lock_guard lock(modules().mutex);
  modules().uses.find(scope)->second.current -= bytes;
}

void reset_module_peaks() {
  const std::lock_guard lock(modules().mutex);
  for (auto& [scope, use] : modules().uses) use.peak = use.current;
}

}  // namespace detail

TrackModuleMemory::TrackModuleMemory() : previous_(detail::tracking_modules) { detail::tracking_modules = true; }
TrackModuleMemory::~TrackModuleMemory() { detail::tracking_modules = previous_; }

MemoryReport memory_report() {
  MemoryReport report{memory_statistics(), {}};
  {
    const std::lock_guard lock(modules().mutex);
    for (const auto& [scope, use] : modules().uses) report.modules.push_back({scope, use});
  }
  std::sort(report.modules.begin(), report.modules.end(), [](const ModuleMemory& a, const ModuleMemory& b) {
    return a.use.peak != b.use.peak ? a.use.peak > b.use.peak : a.module < b.module;
  });
  return report;
}

std::string MemoryReport::str() const {
  std::string text;
  const auto line = [&](std::string_view name, const MemoryUse& use) {
    text += fmt::format("{:<32} {:>10.2f} {:>10.2f}\n", name, mebibytes(use.current), mebibytes(use.peak));
  };
  text += fmt::format("{:<32} {:>10} {:>10}\n", "MiB by purpose", "now", "peak");
  for (std::size_t i = 0; i < memory_categories; ++i) line(name_of(static_cast<MemoryCategory>(i)), statistics.by_category[i]);
  line("total", statistics.total);
  line("taken from the system", statistics.reserved);
  if (modules.empty()) return text;
  text += fmt::format("{:<32} {:>10} {:>10}\n", "MiB by module", "now", "peak");
  for (const ModuleMemory& each : modules) line(each.module.empty() ? "(outside)" : each.module, each.use);
  return text;
}

}  // namespace weft
