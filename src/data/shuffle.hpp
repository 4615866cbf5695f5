#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include "weft/base/random.hpp"

namespace weft::data {

/// Fisher and Yates.
template <class T>
void shuffle(std::vector<T>& items, Generator& generator) {
  for (std::size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[generator.below(left)]);
}

}  // namespace weft::data
