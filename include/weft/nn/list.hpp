#pragma once
#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include "weft/nn/module.hpp"

namespace weft::nn {

/// For List: throws IndexError about item `i` of `size`.
[[noreturn]] void throw_no_item(const ModuleBase& list, std::size_t i, std::size_t size);

/// Many modules of one type, constructed in place and named "0", "1", ...:
///   nn::List<nn::Linear> layers({this, "layers"});
///   layers.emplace(nn::LinearOptions{.in_features = 4, .out_features = 4});
template <class T>
class List : public ModuleBase {
 public:
  explicit List(const Scope& scope = {}) : ModuleBase(scope) {}

  /// Appends T(args..., scope).
  template <class... Args>
  T& emplace(Args&&... args) {
    return items_.emplace_back(std::forward<Args>(args)..., Scope{this, std::to_string(items_.size())});
  }

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  /// Throws IndexError beyond the end.
  T& operator[](std::size_t i) {
    if (i >= items_.size()) [[unlikely]]
      throw_no_item(*this, i, items_.size());
    return items_[i];
  }
  /// Throws IndexError where there is none.
  T& back() { return (*this)[items_.size() - 1]; }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }

 private:
  std::deque<T> items_;  // its elements stay where they are
};

}  // namespace weft::nn
