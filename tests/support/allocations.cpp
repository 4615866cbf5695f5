#include "support/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include "kernels/onednn.hpp"

namespace {

std::atomic<std::int64_t> calls{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  if (!weft::kernels::onednn::inside()) ++calls;  // what oneDNN allocates isn't ours
  // aligned_alloc wants whole multiples of the alignment.
  void* block = alignment == 0 ? std::malloc(bytes == 0 ? 1 : bytes)
                               : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

// The array and nothrow forms call these.
void* operator new(std::size_t bytes) { return counted(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace weft::test {

std::int64_t operator_new_calls() { return calls; }

}  // namespace weft::test
