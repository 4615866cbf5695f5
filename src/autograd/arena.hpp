#pragma once
#include <cstddef>
#include <cstdint>

#include "weft/tensor/memory.hpp"

namespace weft::detail {

/// Bump allocation in blocks from the pool; everything goes at once, nothing is destroyed.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    while (block_ != nullptr) {
      Header* next = block_->next;
      pool_release(block_, block_->bytes);
      block_ = next;
    }
  }

  void* allocate(std::size_t bytes, std::size_t alignment) {
    std::uintptr_t start = (place_ + alignment - 1) & ~(alignment - 1);
    if (start + bytes > end_) {
      grow(bytes + alignment);
      start = (place_ + alignment - 1) & ~(alignment - 1);
    }
    place_ = start + bytes;
    return reinterpret_cast<void*>(start);
  }

  template <class T>
  T* allocate_array(std::size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

 private:
  struct Header {
    Header* next;
    std::size_t bytes;
  };

  void grow(std::size_t least) {
    constexpr std::size_t usual = 32 << 10;
    const std::size_t bytes = least + sizeof(Header) > usual ? least + sizeof(Header) : usual;
    auto* header = static_cast<Header*>(pool_allocate(bytes));
    *header = {block_, bytes};
    block_ = header;
    place_ = reinterpret_cast<std::uintptr_t>(header + 1);
    end_ = reinterpret_cast<std::uintptr_t>(header) + bytes;
  }

  Header* block_ = nullptr;
  std::uintptr_t place_ = 0, end_ = 0;
};

}  // namespace weft::detail
