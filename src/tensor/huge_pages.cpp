#include "tensor/huge_pages.hpp"

#include <sys/mman.h>  // POSIX: mmap, and madvise of Linux

#include <cstdint>

namespace weft::detail {
namespace {

std::byte* map(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

std::size_t beyond_page(const void* memory) noexcept { return reinterpret_cast<std::uintptr_t>(memory) % huge_page; }

}  // namespace

std::byte* map_huge(std::size_t bytes) noexcept {
  std::byte* memory = map(bytes);
  if (memory != nullptr && beyond_page(memory) != 0) {
    munmap(memory, bytes);  // where the system can't, address space alone is lost: nothing was written
    memory = map(bytes + huge_page);
    if (memory == nullptr) return nullptr;
    const std::size_t before = (huge_page - beyond_page(memory)) % huge_page;
    if (before > 0) munmap(memory, before);
    memory += before;
    munmap(memory + bytes, huge_page - before);
  }
  if (memory != nullptr) madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: failure costs speed alone
  return memory;
}

bool unmap_huge(void* memory, std::size_t bytes) noexcept { return munmap(memory, bytes) == 0; }

}  // namespace weft::detail
