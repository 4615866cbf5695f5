#include "tensor/slabs.hpp"

#include <sys/mman.h>  // POSIX: mmap, and madvise of Linux

#include <algorithm>
#include <cstdint>
#include <functional>
#include <new>

namespace weft::detail {
namespace {

std::byte* map(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

std::size_t offset_in_slab(const void* memory) noexcept { return reinterpret_cast<std::uintptr_t>(memory) % Slabs::size; }

// Not aligned_alloc, which would keep twice the size and, as MALLOC_PERTURB_ has it, write to all of it.
std::byte* map_slab() noexcept {
  std::byte* memory = map(Slabs::size);
  if (memory != nullptr && offset_in_slab(memory) != 0) {
    munmap(memory, Slabs::size);
    memory = map(2 * Slabs::size);
    if (memory == nullptr) return nullptr;
    const std::size_t before = (Slabs::size - offset_in_slab(memory)) % Slabs::size;
    if (before > 0) munmap(memory, before);
    memory += before;
    munmap(memory + Slabs::size, Slabs::size - before);
  }
  if (memory != nullptr) madvise(memory, Slabs::size, MADV_HUGEPAGE);  // a hint: failure costs speed alone
  return memory;
}

}  // namespace

Slabs::Slab& Slabs::slab_of(const void* block) noexcept {
  const auto behind = std::upper_bound(slabs_.begin(), slabs_.end(), block, [](const void* address, const Slab& slab) {
    return std::less<const void*>()(address, slab.memory);
  });
  return behind[-1];
}

Slabs::Slab* Slabs::with_room(std::size_t bytes) noexcept {
  // The fullest: small blocks go where large ones have no room.
  Slab* best = nullptr;
  for (Slab& slab : slabs_)
    if (slab.used + bytes <= size && (best == nullptr || slab.used > best->used)) best = &slab;
  if (best != nullptr) return best;
  try {
    slabs_.reserve(slabs_.size() + 1);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  std::byte* memory = map_slab();
  if (memory == nullptr) return nullptr;
  const auto place = std::find_if(slabs_.begin(), slabs_.end(), [memory](const Slab& s) { return s.memory > memory; });
  return &*slabs_.insert(place, {memory});
}

void* Slabs::cut(std::size_t bytes) noexcept {
  Slab* slab = with_room(bytes);
  if (slab == nullptr) return nullptr;
  void* block = slab->memory + slab->used;
  slab->used += bytes;
  ++slab->cut;
  return block;
}

void Slabs::free_idle() noexcept {
  for (Slab& slab : slabs_)
    if (slab.is_idle()) munmap(slab.memory, size);
  std::erase_if(slabs_, [](const Slab& slab) { return slab.is_idle(); });
  for (Slab& slab : slabs_) slab.idle = 0;
}

}  // namespace weft::detail
