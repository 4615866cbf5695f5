#include "tensor/slabs.hpp"

#include <sys/mman.h>  // POSIX: mmap, and madvise of Linux

#include <cstdint>
#include <new>

namespace weft::detail {

// Stands at the beginning of its memory.
struct alignas(64) Slabs::Slab {
  Slab* next;
  std::size_t used = sizeof(Slab);  // up to here it is cut
  std::size_t cut = 0, idle = 0;    // blocks
};

namespace {

std::byte* map(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

std::size_t beyond(const void* memory) noexcept { return reinterpret_cast<std::uintptr_t>(memory) % Slabs::size; }

// Not aligned_alloc, which would take twice the size and, as MALLOC_PERTURB_ has it, write to all of it.
std::byte* map_slab() noexcept {
  std::byte* memory = map(Slabs::size);
  if (memory != nullptr && beyond(memory) != 0) {
    munmap(memory, Slabs::size);
    memory = map(2 * Slabs::size);
    if (memory == nullptr) return nullptr;
    const std::size_t before = (Slabs::size - beyond(memory)) % Slabs::size;
    if (before > 0) munmap(memory, before);
    memory += before;
    munmap(memory + Slabs::size, Slabs::size - before);
  }
  if (memory != nullptr) madvise(memory, Slabs::size, MADV_HUGEPAGE);  // a hint: failure costs speed alone
  return memory;
}

}  // namespace

Slabs::Slab* Slabs::slab_of(const void* block) noexcept {
  return reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) / size * size);
}

void* Slabs::cut(std::size_t bytes) noexcept {
  if (all_ == nullptr || all_->used + bytes > size) {
    void* memory = map_slab();
    if (memory == nullptr) return nullptr;
    all_ = ::new (memory) Slab{all_};
  }
  void* block = reinterpret_cast<std::byte*>(all_) + all_->used;
  all_->used += bytes;
  ++all_->cut;
  return block;
}

void Slabs::note_idle(void* block) noexcept { ++slab_of(block)->idle; }

bool Slabs::is_idle(const void* block) noexcept { return slab_of(block)->idle == slab_of(block)->cut; }

std::size_t Slabs::free_idle() noexcept {
  std::size_t bytes = 0;
  for (Slab** link = &all_; *link != nullptr;) {
    Slab* slab = *link;
    if (slab->idle == slab->cut) {
      bytes += slab->used - sizeof(Slab);
      *link = slab->next;
      munmap(slab, size);
    } else {
      slab->idle = 0;
      link = &slab->next;
    }
  }
  return bytes;
}

}  // namespace weft::detail
