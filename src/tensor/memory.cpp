#include "weft/tensor/memory.hpp"

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_POOL_PASSES_THROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define WEFT_POOL_PASSES_THROUGH 1
#endif
#endif
#ifndef WEFT_POOL_PASSES_THROUGH
#define WEFT_POOL_PASSES_THROUGH 0
#endif

namespace weft {
namespace {

constexpr bool passes_through = WEFT_POOL_PASSES_THROUGH == 1;
constexpr std::size_t alignment = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t classes = 160;           // four to each power of two from 64 bytes
constexpr std::size_t local_limit = 64 << 10;  // blocks up to this size stay with their thread first
constexpr std::size_t local_bytes = 1 << 20;   // of each class
constexpr std::size_t total_slot = memory_categories, reserved_slot = total_slot + 1;
constexpr std::int64_t report_every = 256 << 10;  // a thread's count joins the others' when it has moved this far

// 64, 128, 192, 256, 320, 384, 448, 512, 640, ...: class 4(p-1)+q holds (4+q) << (p+3), p >= 1; below 256 in steps of 64.
std::size_t class_of(std::size_t bytes) {
  const std::size_t units = (bytes + alignment - 1) / alignment;
  if (units <= 4) return units == 0 ? 0 : units - 1;
  const auto shift = static_cast<std::size_t>(std::bit_width(units - 1)) - 3;
  return 4 * shift + ((units - 1) >> shift);
}

std::size_t size_of_class(std::size_t index) {
  if (index < 4) return (index + 1) * alignment;
  const std::size_t shift = index / 4 - 1;
  return (index - 4 * shift + 1) * alignment << shift;
}

struct Block {
  Block* next;
};

/// What all threads share: one list of free blocks a class.
struct Central {
  std::mutex mutex;
  std::array<Block*, classes> free{};
  std::atomic<std::int64_t> misses{0};
  std::array<std::atomic<std::int64_t>, reserved_slot + 1> current{}, peak{};  // of each category, then those

  void count(std::size_t slot, std::int64_t bytes) noexcept {
    const std::int64_t now = current[slot].fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t before = peak[slot].load(std::memory_order_relaxed);
    while (now > before && !peak[slot].compare_exchange_weak(before, now, std::memory_order_relaxed)) {
    }
  }
};

Central& central() {
  static auto* shared = new Central;  // outlives every thread's cache
  return *shared;
}

void* system_allocate(std::size_t bytes) {
  const bool huge = bytes >= 2 * huge_page;
  const std::size_t unit = huge ? huge_page : alignment;
  void* block = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
  if (block == nullptr) throw std::bad_alloc();
  if (huge) madvise(block, bytes, MADV_HUGEPAGE);  // a hint: failure costs speed alone
  central().count(reserved_slot, static_cast<std::int64_t>(bytes));
  return block;
}

void system_free(void* block, std::size_t bytes) noexcept {
  central().count(reserved_slot, -static_cast<std::int64_t>(bytes));
  std::free(block);
}

/// One thread's own blocks and counts.
struct Local {
  std::array<Block*, classes> free{};
  std::array<std::size_t, classes> count{};
  std::array<std::int64_t, memory_categories> pending{};
  MemoryCategory category = MemoryCategory::activations;

  void report() noexcept {
    for (std::size_t i = 0; i < memory_categories; ++i) {
      if (pending[i] == 0) continue;
      central().count(i, pending[i]);
      central().count(total_slot, pending[i]);
      pending[i] = 0;
    }
  }

  void flush(std::size_t index) noexcept {
    std::lock_guard lock(central().mutex);
    while (Block* block = free[index]) {
      free[index] = block->next;
      block->next = central().free[index];
      central().free[index] = block;
    }
    count[index] = 0;
  }

  ~Local() {
    report();
    for (std::size_t i = 0; i < classes; ++i)
      if (free[i] != nullptr) flush(i);
  }
};

thread_local Local local;

void* take_shared(std::size_t index) {
  std::lock_guard lock(central().mutex);
  Block*& list = central().free[index];
  if (list == nullptr) return nullptr;
  Block* block = list;
  list = block->next;
  return block;
}

}  // namespace

namespace detail {

void* pool_allocate(std::size_t bytes) {
  if constexpr (passes_through) return system_allocate(bytes == 0 ? 1 : bytes);
  if (bytes > std::size_t{1} << 46) throw std::bad_alloc();
  const std::size_t index = class_of(bytes);
  if (Block* block = local.free[index]) {
    local.free[index] = block->next;
    --local.count[index];
    return block;
  }
  if (void* block = take_shared(index)) return block;
  central().misses.fetch_add(1, std::memory_order_relaxed);
  return system_allocate(size_of_class(index));
}

void pool_release(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return;
  if constexpr (passes_through) {
    system_free(block, bytes == 0 ? 1 : bytes);
    return;
  }
  const std::size_t index = class_of(bytes), size = size_of_class(index);
  auto* freed = ::new (block) Block{nullptr};
  if (size <= local_limit) {
    freed->next = local.free[index];
    local.free[index] = freed;
    if (++local.count[index] * size > local_bytes) local.flush(index);
    return;
  }
  std::lock_guard lock(central().mutex);
  freed->next = central().free[index];
  central().free[index] = freed;
}

void count_bytes(MemoryCategory category, std::int64_t bytes) noexcept {
  std::int64_t& pending = local.pending[static_cast<std::size_t>(category)];
  pending += bytes;
  if (pending > report_every || pending < -report_every) local.report();
}

MemoryCategory current_category() { return local.category; }

}  // namespace detail

const char* name_of(MemoryCategory category) {
  switch (category) {
    case MemoryCategory::activations: return "activations";
    case MemoryCategory::parameters: return "parameters";
    case MemoryCategory::gradients: return "gradients";
    case MemoryCategory::optimizer: return "optimizer";
    case MemoryCategory::scratch: return "scratch";
  }
  return "?";
}

MemoryCategoryGuard::MemoryCategoryGuard(MemoryCategory category) : previous_(local.category) { local.category = category; }
MemoryCategoryGuard::~MemoryCategoryGuard() { local.category = previous_; }

MemoryStatistics memory_statistics() {
  local.report();
  MemoryStatistics result;
  const auto read = [](std::size_t slot) {
    return MemoryUse{central().current[slot].load(std::memory_order_relaxed),
                     central().peak[slot].load(std::memory_order_relaxed)};
  };
  for (std::size_t i = 0; i < memory_categories; ++i) result.by_category[i] = read(i);
  result.total = read(total_slot);
  result.pool_misses = central().misses;
  result.reserved = read(reserved_slot);
  return result;
}

void reset_peak_memory() {
  local.report();
  for (std::size_t i = 0; i <= reserved_slot; ++i) central().peak[i] = central().current[i].load();
}

void trim_memory() {
  for (std::size_t i = 0; i < classes; ++i) {
    if (local.free[i] != nullptr) local.flush(i);
    while (void* block = take_shared(i)) system_free(block, size_of_class(i));
  }
}

}  // namespace weft
