#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <new>
#include <utility>
#include <vector>

#include "tensor/malloc_allocator.hpp"

namespace weft::detail {

/// Blocks in use for a smaller class, by address, with their own class. Once it has room for as many as are lent at a time,
/// nothing allocates.
class Loans {
 public:
  /// False where there is no memory for it.
  bool add(void* block, std::size_t index) noexcept {
    try {
      loans_.insert(place_of(block), {block, index});
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  /// The own class of a block that comes back; `otherwise` where it wasn't lent.
  std::size_t end(void* block, std::size_t otherwise) noexcept {
    const auto place = place_of(block);
    if (place == loans_.end() || place->first != block) return otherwise;
    const std::size_t index = place->second;
    loans_.erase(place);
    return index;
  }

 private:
  using Loan = std::pair<void*, std::size_t>;
  using List = std::vector<Loan, MallocAllocator<Loan>>;

  List::iterator place_of(void* block) noexcept {
    return std::lower_bound(loans_.begin(), loans_.end(), block,
                            [](const Loan& loan, void* b) { return std::less<void*>()(loan.first, b); });
  }

  List loans_;
};

}  // namespace weft::detail
