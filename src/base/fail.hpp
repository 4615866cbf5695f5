#pragma once
#include <fmt/format.h>

#include <concepts>
#include <string>
#include <utility>

#include "weft/base/error.hpp"
#include "weft/base/scope.hpp"

namespace weft {

template <class T>
concept Describes = requires(const T& x) {
  { x.describe() } -> std::same_as<std::string>;
};
template <class T>
concept Prints = !Describes<T> && requires(const T& x) {
  { x.str() } -> std::same_as<std::string>;
};

}  // namespace weft

// Shapes and tensors are arguments of messages as they are: their text is made when something has failed, not before.
template <class T>
requires(weft::Describes<T> || weft::Prints<T>) struct fmt::formatter<T, char> : fmt::formatter<std::string> {
  auto format(const T& x, fmt::format_context& context) const {
    if constexpr (weft::Describes<T>) {
      return fmt::formatter<std::string>::format(x.describe(), context);
    } else {
      return fmt::formatter<std::string>::format(x.str(), context);
    }
  }
};

namespace weft {

/// Throws E with "[op] message (in module.path)".
template <class E, class... Args>
[[noreturn]] void fail(const char* op, fmt::format_string<Args...> format, Args&&... args) {
  std::string message = fmt::format("[{}] ", op) + fmt::format(format, std::forward<Args>(args)...);
  if (const char* path = current_scope(); *path != '\0') message += fmt::format(" (in {})", path);
  throw E(message);
}

/// `fail` unless `condition`; nothing is formatted when it holds. Pass shapes and tensors, not their str() or describe().
template <class E, class... Args>
void check(bool condition, const char* op, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    fail<E>(op, format, std::forward<Args>(args)...);
}

}  // namespace weft
