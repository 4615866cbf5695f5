#pragma once
#include <cstddef>
#include <vector>

#include "weft/tensor/memory.hpp"

namespace weft {

/// Standard allocator over the memory pool: a vector made anew in every step costs no trip to the system.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}  // NOLINT(google-explicit-constructor): required of allocators
  T* allocate(std::size_t count) { return static_cast<T*>(detail::pool_allocate(count * sizeof(T))); }
  void deallocate(T* block, std::size_t count) { detail::pool_release(block, count * sizeof(T)); }
  template <class U>
  bool operator==(const PoolAllocator<U>&) const {
    return true;
  }
};

template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

}  // namespace weft
