#pragma once
#include <sys/resource.h>

#include <cstddef>
#include <fstream>

#include "weft/tensor/memory.hpp"

namespace weft::test {

// Whether the sanitizers see every request.
inline bool pool_is_off() {
  // A block of its own, which trimming gives back.
  constexpr std::size_t large = std::size_t{6} << 20;
  const auto before = memory_statistics();
  detail::pool_release(detail::pool_allocate(large), large);
  const auto after = memory_statistics();
  trim_memory();
  return after.pool_misses == before.pool_misses && memory_statistics().reserved.current == after.reserved.current;
}

/// The process may have so many bytes of address space more while this lives.
class SpaceLimit {
 public:
  explicit SpaceLimit(std::size_t more) {
    getrlimit(RLIMIT_AS, &before_);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit now = before_;
    now.rlim_cur = pages * 4096 + more;
    setrlimit(RLIMIT_AS, &now);
  }
  ~SpaceLimit() { setrlimit(RLIMIT_AS, &before_); }
  SpaceLimit(const SpaceLimit&) = delete;
  SpaceLimit& operator=(const SpaceLimit&) = delete;

 private:
  rlimit before_;
};

}  // namespace weft::test
