#include "weft/tensor/memory.hpp"

#include <doctest/doctest.h>

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
    CHECK(memory_statistics().reserved.current - before <= 5100000);
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
  std::vector<Tensor> made;
  for (int i = 0; i < 64; ++i) made.push_back(Tensor::full({mebi / 4}, i));
  CHECK(reserved() >= before + 40 * mebi);  // part of it may have been kept
  const Tensor one = made[32];
  made.clear();
  trim_memory();
  CHECK(reserved() <= before + 9 * mebi);
  CHECK(one.at({0}) == 32);
  CHECK(one.at({mebi / 4 - 1}) == 32);
  const auto slab_of = [](const Tensor& x) { return reinterpret_cast<std::uintptr_t>(x.raw()) / (8 * mebi); };
  int neighbours = 0;
  for (int i = 0; i < 16; ++i) {
    made.push_back(Tensor::full({mebi / 4}, -1));
    neighbours += slab_of(made.back()) == slab_of(one) ? 1 : 0;
  }
  CHECK(neighbours >= 6);
  CHECK(one.at({0}) == 32);
  CHECK(one.at({mebi / 4 - 1}) == 32);
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
