#include "tensor/slabs.hpp"

#include <algorithm>
#include <functional>

namespace weft::detail {
namespace {

// Many of these may be cut: no search for each of them while their slab has room.
constexpr std::size_t small_block = 64 << 10;

}  // namespace

Slabs::Records::iterator Slabs::behind(const void* address) noexcept {
  return std::upper_bound(slabs_.begin(), slabs_.end(), address,
                          [](const void* a, const Slab& slab) { return std::less<const void*>()(a, slab.memory); });
}

Slabs::Slab* Slabs::add_slab() noexcept {
  std::byte* memory = map_huge(size);
  if (memory == nullptr) return nullptr;
  try {
    return &*slabs_.insert(behind(memory), Slab{memory});
  } catch (const std::bad_alloc&) {
    unmap_huge(memory, size);
    return nullptr;
  }
}

Slabs::Slab* Slabs::with_room(std::size_t bytes) noexcept {
  if (bytes <= small_block && small_ != nullptr)
    if (Slab& slab = slab_of(small_); slab.has_room(bytes)) return &slab;
  Slab* best = nullptr;
  for (Slab& slab : slabs_)
    if (slab.has_room(bytes) && (best == nullptr || slab.used > best->used)) best = &slab;
  if (best == nullptr) best = add_slab();
  if (best != nullptr && bytes <= small_block) small_ = best->memory;
  return best;
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
  for (Slab& slab : slabs_) {
    if (slab.is_idle()) {
      slab.used = slab.cut = 0;
      if (unmap_huge(slab.memory, size)) {
        if (small_ == slab.memory) small_ = nullptr;
        slab.memory = nullptr;
      }
    }
    slab.idle = 0;
  }
  std::erase_if(slabs_, [](const Slab& slab) { return slab.memory == nullptr; });
}

}  // namespace weft::detail
