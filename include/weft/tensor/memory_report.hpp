#pragma once
#include <string>
#include <vector>

#include "weft/tensor/memory.hpp"

namespace weft {

/// While it lives, tensors made on this thread are also counted by the module that runs, until they go.
class TrackModuleMemory {
 public:
  TrackModuleMemory();
  ~TrackModuleMemory();
  TrackModuleMemory(const TrackModuleMemory&) = delete;
  TrackModuleMemory& operator=(const TrackModuleMemory&) = delete;

 private:
  bool previous_;
};

struct ModuleMemory {
  std::string module;  ///< its path; "" outside of any
  MemoryUse use;
};

/// Where the bytes are: by purpose, and by module as far as a TrackModuleMemory was alive.
struct MemoryReport {
  MemoryStatistics statistics;
  std::vector<ModuleMemory> modules;  ///< largest peak first

  /// Two tables, in MiB.
  std::string str() const;
};

MemoryReport memory_report();

namespace detail {

/// Whether this thread's new tensors are counted by module.
extern constinit thread_local bool tracking_modules;
/// What the module at `scope` (an interned path) has, more or less, from any thread. Only what was added is taken away.
void add_module_bytes(const char* scope, std::int64_t bytes);
void remove_module_bytes(const char* scope, std::int64_t bytes) noexcept;

}  // namespace detail
}  // namespace weft
