#pragma once
#include <fmt/format.h>

#include <utility>

#include "weft/base/error.hpp"
#include "weft/base/scope.hpp"

namespace weft {

/// Throws E with "[op] message (in module.path)".
template <class E, class... Args>
[[noreturn]] void fail(const char* op, fmt::format_string<Args...> format, Args&&... args) {
  std::string message = fmt::format("[{}] ", op) + fmt::format(format, std::forward<Args>(args)...);
  if (const char* path = current_scope(); *path != '\0') message += fmt::format(" (in {})", path);
  throw E(message);
}

/// `fail` unless `condition`; nothing is formatted when it holds.
template <class E, class... Args>
void check(bool condition, const char* op, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    fail<E>(op, format, std::forward<Args>(args)...);
}

}  // namespace weft
