#pragma once
#include <string_view>

namespace weft {

/// Path of the module that is running on this thread ("encoder.layers.1"); "" outside of any.
const char* current_scope();

/// Keeps one copy of `path` for the life of the process, so that a tape's node can point at it.
const char* intern(std::string_view path);

/// Enters an interned path; errors, hooks and reports speak of it until the guard goes.
class ScopeGuard {
 public:
  explicit ScopeGuard(const char* interned_path);
  ~ScopeGuard();
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  const char* previous_;
};

}  // namespace weft
