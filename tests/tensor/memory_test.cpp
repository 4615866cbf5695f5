#include "weft/tensor/memory.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "weft/tensor/tensor.hpp"

using namespace weft;

namespace {

bool pool_is_off() {  // the sanitizers see every request
  const auto before = memory_statistics();
  detail::pool_release(detail::pool_allocate(123456), 123456);
  const auto after = memory_statistics();
  trim_memory();
  return after.pool_misses == before.pool_misses && memory_statistics().reserved.current == after.reserved.current;
}

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
