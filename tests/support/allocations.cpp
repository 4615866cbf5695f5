#include "support/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include "kernels/onednn.hpp"

namespace {

std::atomic<std::int64_t> calls{0};

void* counted_or_null(std::size_t bytes, std::size_t alignment) noexcept {
  if (!weft::kernels::onednn::inside()) ++calls;  // what oneDNN allocates isn't ours
  // aligned_alloc wants whole multiples of the alignment.
  return alignment == 0 ? std::malloc(bytes == 0 ? 1 : bytes)
                        : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

void* counted(std::size_t bytes, std::size_t alignment) {
  void* block = counted_or_null(bytes, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

// The array forms call these. AddressSanitizer has nothrow forms of its own, whose blocks free() must not see: so ours too.
void* operator new(std::size_t bytes) { return counted(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return counted_or_null(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted_or_null(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace weft::test {

std::int64_t operator_new_calls() { return calls; }

}  // namespace weft::test
