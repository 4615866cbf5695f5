#include "weft/tensor/memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>
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
    CHECK(memory_statistics().reserved.current - before <= (4 << 20) + (8 << 20));  // its shape lies in a slab
  }
  CHECK(memory_statistics().reserved.peak >= before + 4000000);
  trim_memory();
  CHECK(memory_statistics().reserved.current <= before);
}

TEST_CASE("small blocks go back with all that lie around them; what is in use keeps its values and its neighbours") {
  if (pool_is_off()) return;
  constexpr std::int64_t mebi = 1 << 20;
  trim_memory();
  const auto reserved = [] { return memory_statistics().reserved.current; };
  const auto before = reserved();
  std::vector<Tensor> made;
  for (int i = 0; i < 64; ++i) made.push_back(Tensor::full({mebi / 4}, i));
  const Tensor one = made[32];
  made.clear();
  trim_memory();
  const auto kept = reserved();
  CHECK(kept <= before + 16 * mebi);  // where its elements are, and its shape
  for (int i = 0; i < 6; ++i) made.push_back(Tensor::full({mebi / 4}, -1));
  CHECK(reserved() == kept);  // they lie around it
  for (int i = 0; i < 64; ++i) made.push_back(Tensor::full({mebi / 4}, -1));
  CHECK(one.at({0}) == 32);
  CHECK(one.at({mebi / 4 - 1}) == 32);
}

TEST_CASE("a kept block of up to twice the size serves, and has its own size again") {
  if (pool_is_off()) return;
  constexpr std::int64_t mebi = 1 << 18;  // in elements
  trim_memory();
  const auto before = memory_statistics().reserved.current;
  const auto misses = [] { return memory_statistics().pool_misses; };
  const void* first = nullptr;
  {
    const Tensor large = Tensor::empty({8 * mebi});
    first = large.raw();
  }
  const auto at_first = misses();
  {
    const Tensor lent = Tensor::empty({5 * mebi});
    CHECK(lent.raw() == first);
    CHECK(misses() == at_first);
  }
  {
    const Tensor lent = Tensor::empty({4 * mebi}), large = Tensor::empty({8 * mebi});
    CHECK(lent.raw() == first);
    CHECK(large.raw() != first);
    CHECK(Tensor::empty({7 * mebi / 2}).raw() != first);
  }
  const auto two_made = misses();
  {
    const Tensor one = Tensor::empty({8 * mebi}), other = Tensor::empty({8 * mebi});
    CHECK(misses() == two_made);
    CHECK((one.raw() == first || other.raw() == first));
  }
  trim_memory();
  CHECK(memory_statistics().reserved.current <= before);
}

TEST_CASE("what a model keeps is lent nothing, so that what it was made for fits again") {
  if (pool_is_off()) return;
  constexpr std::int64_t mebi = 1 << 18;  // in elements
  trim_memory();
  Tensor::empty({320 * mebi});
  const test::SpaceLimit limit(std::size_t{400} << 20);  // beside the 320 MiB that are kept
  Tensor moments;
  {
    const MemoryCategoryGuard guard(MemoryCategory::optimizer);
    moments = Tensor::empty({160 * mebi});
  }
  CHECK(Tensor::empty({512 * mebi}).defined());
}

TEST_CASE("blocks that are lent lie apart, through trims and other threads, and are whole again") {
  if (pool_is_off()) return;
  constexpr std::int64_t kibi = 1 << 8;  // in elements
  // Lent from a slab (below 4 MiB), from a block by itself, and from one of those to a size that slabs have.
  const std::pair<std::int64_t, std::int64_t> sizes[] = {
      {1000 * kibi, 600 * kibi}, {9000 * kibi, 5000 * kibi}, {6000 * kibi, 3500 * kibi}};
  trim_memory();
  const auto before = memory_statistics().reserved.current;
  for (const auto& [own, lent] : sizes) {
    trim_memory();
    std::vector<Tensor> others;  // what could serve instead
    for (const auto misses = memory_statistics().pool_misses; misses == memory_statistics().pool_misses;)
      others.push_back(Tensor::empty({lent}));
    const void* const place = Tensor::empty({own}).raw();
    Tensor small = Tensor::full({lent}, 3);
    const Tensor next = Tensor::full({own}, 4);
    CHECK(small.raw() == place);
    trim_memory();
    CHECK(small.at({0}) == 3);
    CHECK(small.at({lent - 1}) == 3);
    CHECK(next.at({own - 1}) == 4);
    std::thread([given = std::exchange(small, Tensor())]() mutable { given = Tensor(); }).join();
    const Tensor whole = Tensor::full({own}, 5);
    CHECK(whole.raw() == place);
    CHECK(whole.at({own - 1}) == 5);
    CHECK(next.at({0}) == 4);
  }
  trim_memory();
  CHECK(memory_statistics().reserved.current <= before + (16 << 20));  // what the tensors' shapes lie in
}

TEST_CASE("where there is no memory a larger kept block becomes many small ones") {
  if (pool_is_off()) return;
  constexpr std::size_t mebi = 1 << 20, small = 48 << 10;
  trim_memory();
  // Kept ones between others that are in use, so that their slabs stay.
  void* blocks[5];
  for (void*& block : blocks) block = detail::pool_allocate(2 * mebi);
  for (const int i : {1, 3}) detail::pool_release(blocks[i], 2 * mebi);
  std::vector<void*> made;
  made.reserve(10000);
  {
    const test::SpaceLimit limit(0);
    try {
      while (made.size() < made.capacity()) made.push_back(detail::pool_allocate(small));
    } catch (const OutOfMemoryError&) {
    }
  }
  for (const int i : {1, 3}) {
    const auto* whole = static_cast<const std::byte*>(blocks[i]);
    const auto lies_in = [&](const void* block) {
      const auto* begin = static_cast<const std::byte*>(block);
      return whole <= begin && begin + small <= whole + 2 * mebi;
    };
    CHECK(std::count_if(made.begin(), made.end(), lies_in) == static_cast<std::ptrdiff_t>(2 * mebi / small));
  }
  for (std::size_t i = 0; i < made.size(); ++i) std::memset(made[i], static_cast<int>(i % 100), small);
  bool apart = true;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(made[i]);
    apart = apart && bytes[0] == i % 100 && bytes[small - 1] == i % 100;
  }
  CHECK(apart);
  for (void* block : made) detail::pool_release(block, small);
  for (const int i : {0, 2, 4}) detail::pool_release(blocks[i], 2 * mebi);
  const auto reserved = memory_statistics().reserved.current;
  trim_memory();
  CHECK(memory_statistics().reserved.current < reserved);
}

TEST_CASE("where there is no memory a larger kept block serves") {
  if (pool_is_off()) return;
  constexpr std::int64_t mebi = 1 << 20;
  const auto begin_of = [](const Tensor& x) { return static_cast<const std::byte*>(x.raw()); };
  trim_memory();
  // Two lie in a slab: one that is used, so the slab stays, and one that is kept.
  std::vector<Tensor> used, made;
  std::vector<const std::byte*> kept;
  {
    std::vector<Tensor> others;
    for (int i = 0; i < 5; ++i)
      for (auto* list : {&used, &others}) list->push_back(Tensor::empty({3 * mebi / 4}));
    for (const Tensor& other : others) kept.push_back(begin_of(other));
  }
  trim_memory();
  made.reserve(1000);
  const auto take_all = [&] {
    while (made.size() < 1000) made.push_back(Tensor::empty({mebi / 4}));
  };
  {
    const test::SpaceLimit limit(std::size_t{4} << 20);
    CHECK_THROWS_AS(take_all(), OutOfMemoryError);
  }
  const auto lies_in_kept = [&](const Tensor& x) {
    return std::any_of(kept.begin(), kept.end(),
                       [&](const std::byte* b) { return b <= begin_of(x) && begin_of(x) < b + 3 * mebi; });
  };
  CHECK(std::any_of(made.begin(), made.end(), lies_in_kept));
}

TEST_CASE("the tests' memory is filled, so that what isn't written shows") {
  if (const char* fills = std::getenv("WEFT_FILL_MEMORY"); fills == nullptr || std::string_view(fills) != "1") return;
  for (const std::int64_t n : {1, 1000, 3000000})
    for (int round = 0; round < 2; ++round) {  // from the system, and kept
      Tensor x = Tensor::empty({n});
      CHECK(std::isnan(x.at({0})));
      CHECK(std::isnan(x.at({n - 1})));
      x.fill(1);
    }
}

TEST_CASE("memory is trimmed while other threads take it and give it back") {
  constexpr int rounds = 300;
  std::atomic<int> wrong = 0, working = 2;
  const auto work = [&](float value) {
    for (int round = 0; round < rounds; ++round) {
      std::vector<Tensor> made;
      for (const std::int64_t n : {10, 1000, 50000, 300000, 2000000}) made.push_back(Tensor::full({n}, value));
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
                       doctest::Contains("the system has no memory for 524288000 more bytes; tensors use 5"), OutOfMemoryError);
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
