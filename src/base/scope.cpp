#include "weft/base/scope.hpp"

#include <mutex>
#include <set>
#include <string>

namespace weft {
namespace {

thread_local const char* scope_path = "";

}  // namespace

const char* current_scope() { return scope_path; }

const char* intern(std::string_view path) {
  static std::mutex mutex;
  // Node-based: c_str() stays valid. Never destroyed: reports at a program's end have these names.
  static auto* const paths = new std::set<std::string, std::less<>>;
  std::lock_guard lock(mutex);
  auto found = paths->find(path);
  if (found == paths->end()) found = paths->emplace(path).first;
  return found->c_str();
}

ScopeGuard::ScopeGuard(const char* interned_path) : previous_(scope_path) { scope_path = interned_path; }
ScopeGuard::~ScopeGuard() { scope_path = previous_; }

}  // namespace weft
