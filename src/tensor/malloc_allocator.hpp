#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>

namespace weft::detail {

/// malloc's memory for the pool's own records: unlike operator new it calls nobody's handler, and the pool holds its lock.
template <class T>
struct MallocAllocator {
  using value_type = T;

  MallocAllocator() = default;
  template <class Other>
  MallocAllocator(const MallocAllocator<Other>&) noexcept {}  // implicit: a container makes one for its nodes

  T* allocate(std::size_t n) {
    if (void* memory = std::malloc(n * sizeof(T))) return static_cast<T*>(memory);
    throw std::bad_alloc();
  }
  void deallocate(T* memory, std::size_t) noexcept { std::free(memory); }
  bool operator==(const MallocAllocator&) const = default;
};

}  // namespace weft::detail
