#pragma once
// Makes a program count its allocations, for benchmark_step and allocations() (weft/train/benchmark.hpp): include it in exactly
// one source file of the program. It replaces operator new and operator delete by ones that count and call malloc and free.
#include <cstddef>
#include <cstdlib>
#include <new>

namespace weft::detail {

void count_allocation() noexcept;

inline void* counted_or_null(std::size_t bytes, std::size_t alignment) noexcept {
  count_allocation();
  // aligned_alloc wants whole multiples of the alignment.
  return alignment == 0 ? std::malloc(bytes == 0 ? 1 : bytes)
                        : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

inline void* counted(std::size_t bytes, std::size_t alignment) {
  void* block = counted_or_null(bytes, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace weft::detail

// The array forms call these. AddressSanitizer has nothrow forms of its own, whose blocks free() must not see: so ours too.
void* operator new(std::size_t bytes) { return weft::detail::counted(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return weft::detail::counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return weft::detail::counted_or_null(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return weft::detail::counted_or_null(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
