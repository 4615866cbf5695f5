#pragma once
#include <omp.h>

#include <array>
#include <cstdint>
#include <dnnl.hpp>
#include <list>
#include <unordered_map>

namespace weft::kernels::onednn {

// What the wrappers of oneDNN's primitives share; for src/kernels/onednn*.cpp alone.

inline constinit thread_local int depth = 0;

/// While it lives this thread is inside oneDNN; see inside().
struct Inside {
  Inside() { ++depth; }
  ~Inside() { --depth; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

/// oneDNN takes its threads from OpenMP's setting for the calling thread; ours stands there only during the call.
class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()), now_(count) {
    if (now_ != before_) omp_set_num_threads(now_);
  }
  ~Threads() {
    if (now_ != before_) omp_set_num_threads(before_);
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  int count() const { return now_; }

 private:
  int before_, now_;
};

inline const dnnl::engine& cpu() {
  static const auto* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);  // outlives every thread's primitives
  return *engine;
}

inline void set_data(const dnnl::memory& memory, const void* data) {
  memory.set_data_handle(const_cast<void*>(data));  // NOLINT(cppcoreguidelines-pro-type-const-cast): oneDNN's sources are void*
}

/// The primitives that one thread keeps, by everything that makes them different; the least recently used goes when it is
/// full. oneDNN's own cache shares the code between threads.
template <class Primitive, std::size_t parts>
class PrimitiveCache {
 public:
  using Key = std::array<std::int64_t, parts>;

  /// The primitive of this key, from `create()` where it isn't there yet.
  template <class Create>
  Primitive& find(const Key& key, const Create& create) {
    const auto found = places_.find(key);
    if (found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
    } else {
      if (entries_.size() >= capacity) {
        places_.erase(entries_.back().key);
        entries_.pop_back();
      }
      entries_.push_front({key, create()});
      places_.emplace(key, entries_.begin());
    }
    return entries_.front().primitive;
  }
  dnnl::stream& stream() { return stream_; }

 private:
  static constexpr std::size_t capacity = 1024;

  struct Hash {
    std::size_t operator()(const Key& key) const {
      std::uint64_t hash = 0xcbf29ce484222325;
      for (const std::int64_t part : key) hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9E3779B97F4A7C15u;
      return static_cast<std::size_t>(hash ^ hash >> 29);
    }
  };
  struct Entry {
    Key key;
    Primitive primitive;
  };

  std::list<Entry> entries_;  // the last used first
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> places_;
  dnnl::stream stream_{cpu()};
};

}  // namespace weft::kernels::onednn
