#pragma once
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#include <atomic>
#include <cstdint>

namespace weft::detail {

/// Handles on one object, from 1 on. While the process has a single thread, as the C library says, the counts are plain: an
/// atomic change costs as much as twenty instructions, which a tape of small operations is full of.
class ReferenceCount {
 public:
  void add() noexcept {
    if (is_single_threaded())
      count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    else
      count_.fetch_add(1, std::memory_order_relaxed);
  }
  /// Whether that was the last one.
  bool drop() noexcept {
    if (!is_single_threaded()) return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    const std::int32_t left = count_.load(std::memory_order_relaxed) - 1;
    count_.store(left, std::memory_order_relaxed);
    return left == 0;
  }
  bool is_one() const noexcept { return count_.load(std::memory_order_acquire) == 1; }

 private:
  static bool is_single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded != 0;
#else
    return false;
#endif
  }

  std::atomic<std::int32_t> count_{1};
};

}  // namespace weft::detail
