#include "weft/tensor/memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "support/space_limit.hpp"
#include "weft/base/error.hpp"
#include "weft/tensor/tensor.hpp"

using namespace weft;
using test::pool_is_off;

namespace {

std::int64_t activations() {
  return memory_statistics().by_category[static_cast<std::size_t>(MemoryCategory::activations)].current;
}

}  // namespace

TEST_CASE("bytes are counted by category and return to zero") {
  const auto before = activations();
  {
    const Tensor x = Tensor::zeros({1000, 1000});
    CHECK(activations() - before == 4000000);
    const MemoryCategoryGuard guard(MemoryCategory::scratch);
    const Tensor y = Tensor::zeros({10});
    CHECK(activations() - before == 4000000);
  }
  CHECK(activations() == before);
  CHECK(memory_statistics().total.peak >= 4000000);
}

TEST_CASE("a block that was given back is used again") {
  if (pool_is_off()) return;
  for (const std::int64_t n : {1, 100, 5000, 3000000}) Tensor::empty({n});
  const auto before = memory_statistics().pool_misses;
  for (const std::int64_t n : {1, 100, 5000, 3000000}) Tensor::empty({n});
  CHECK(memory_statistics().pool_misses == before);
}

TEST_CASE("what is reserved holds what is in use, and goes back when it is trimmed") {
  trim_memory();
  const auto before = memory_statistics().reserved.current;
  {
    const Tensor x = Tensor::empty({1000, 1000});
    CHECK(memory_statistics().reserved.current - before >= 4000000);
    CHECK(memory_statistics().reserved.current - before <= 4200000 + (8 << 20));  // its shape lies in a slab
  }
  CHECK(memory_statistics().reserved.peak >= before + 4000000);
  trim_memory();
  CHECK(memory_statistics().reserved.current <= before);
}

TEST_CASE("small blocks go back with all that lie around them; what is in use keeps its values and its neighbours") {
  if (pool_is_off()) return;
  const auto reserved = [] { return memory_statistics().reserved.current; };
  constexpr std::int64_t mebi = 1 << 20;
  trim_memory();
  const auto before = reserved();
  const auto slab_of = [](const Tensor& x) { return reinterpret_cast<std::uintptr_t>(x.raw()) / (8 * mebi); };
  std::vector<Tensor> made;
  for (int i = 0; i < 64; ++i) made.push_back(Tensor::full({mebi / 4}, i));
  const Tensor one = made[32];
  const auto around = std::count_if(made.begin(), made.end(), [&](const Tensor& x) { return slab_of(x) == slab_of(one); });
  made.clear();
  trim_memory();
  CHECK(reserved() <= before + 16 * mebi);  // where its elements are, and its shape
  CHECK(one.at({0}) == 32);
  CHECK(one.at({mebi / 4 - 1}) == 32);
  std::ptrdiff_t neighbours = 1;
  for (int i = 0; i < 64; ++i) {  // all that was kept, and more
    made.push_back(Tensor::full({mebi / 4}, -1));
    neighbours += slab_of(made.back()) == slab_of(one) ? 1 : 0;
  }
  CHECK(neighbours >= around);
  CHECK(one.at({0}) == 32);
  CHECK(one.at({mebi / 4 - 1}) == 32);
}

TEST_CASE("where there is no memory a larger kept block serves") {
  if (pool_is_off()) return;
  constexpr std::int64_t mebi = 1 << 20;
  const auto begin_of = [](const Tensor& x) { return static_cast<const std::byte*>(x.raw()); };
  std::vector<Tensor> large, made;
  made.reserve(1000);
  // Until one lies behind another in a slab, with a little block between them at most.
  large.push_back(Tensor::empty({3 * mebi / 4}));
  std::ptrdiff_t distance = 0;
  while (distance < 3 * mebi || distance > 3 * mebi + 4096) {
    REQUIRE(large.size() < 100);
    large.push_back(Tensor::empty({3 * mebi / 4}));
    distance = begin_of(large.back()) - begin_of(large[large.size() - 2]);
  }
  const std::byte* free = begin_of(large.back());
  const Tensor kept = large[large.size() - 2];  // so the slab stays
  large.clear();
  trim_memory();
  bool served = false;
  const auto take_all = [&] {
    while (made.size() < 1000) {
      made.push_back(Tensor::empty({mebi / 4}));
      served = served || (begin_of(made.back()) >= free && begin_of(made.back()) < free + 3 * mebi);
    }
  };
  {
    const test::SpaceLimit limit(std::size_t{4} << 20);
    CHECK_THROWS_AS(take_all(), OutOfMemoryError);
  }
  CHECK(served);
}

TEST_CASE("memory is trimmed while other threads take it and give it back") {
  constexpr int rounds = 300;
  std::atomic<int> wrong = 0, working = 2;
  const auto work = [&](float value) {
    for (int round = 0; round < rounds; ++round) {
      std::vector<Tensor> made;
      for (const std::int64_t n : {10, 1000, 50000, 300000}) made.push_back(Tensor::full({n}, value));
      for (const Tensor& tensor : made)
        if (tensor.at({0}) != value || tensor.at({tensor.numel() - 1}) != value) ++wrong;
    }
    --working;
  };
  std::thread one([&] { work(1); }), two([&] { work(2); });
  while (working > 0) trim_memory();
  one.join();
  two.join();
  CHECK(wrong == 0);
}

TEST_CASE("blocks cross threads") {
  std::vector<Tensor> made(1000);
  std::thread maker([&] {
    for (auto& tensor : made) tensor = Tensor::full({17}, 1);
  });
  maker.join();
  for (const auto& tensor : made) CHECK(tensor.at({16}) == 1);
  made.clear();
}

TEST_CASE("memory is aligned to 64 bytes") {
  for (const std::int64_t n : {1, 3, 1025, 70000}) {
    const Tensor x = Tensor::empty({n});
    CHECK(reinterpret_cast<std::uintptr_t>(x.raw()) % 64 == 0);
  }
}

TEST_CASE("what the pool keeps of other sizes is given up where the system has no more, and then an error says what is used") {
  if (pool_is_off()) return;
  constexpr std::int64_t mebi = 1 << 20;
  trim_memory();
  const test::SpaceLimit limit(std::size_t{800} << 20);
  for (const std::int64_t size : {150, 300}) Tensor::empty({size * mebi / 4});
  const Tensor large = Tensor::empty({500 * mebi / 4});
  CHECK(large.defined());
  CHECK_THROWS_WITH_AS(Tensor::empty({500 * mebi / 4}),
                       doctest::Contains("the system has no 536870912 bytes for a tensor; tensors use 5"), OutOfMemoryError);
  CHECK_THROWS_AS(detail::pool_allocate(std::size_t{1} << 47), OutOfMemoryError);
}

TEST_CASE("blocks that a thread's last objects free are not lost") {
  const bool off = pool_is_off();
  const auto before = memory_statistics().total.current;
  for (int i = 0; i < 3; ++i)
    std::thread([] {
      thread_local std::vector<Tensor> kept;  // destroyed after what the pool has of the thread, which is made later
      kept.reserve(1);
      kept.push_back(Tensor::empty({15000}));
    }).join();
  CHECK(memory_statistics().total.current == before);
  if (off) return;
  const auto misses = memory_statistics().pool_misses;
  std::thread([] { Tensor::empty({15000}); }).join();
  CHECK(memory_statistics().pool_misses == misses);
}
