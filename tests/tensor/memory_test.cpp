#include "weft/tensor/memory.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "weft/tensor/tensor.hpp"

using namespace weft;

namespace {

bool pool_is_off() {  // the sanitizers see every request
  const auto before = memory_statistics().pool_misses;
  detail::pool_release(detail::pool_allocate(123456), 123456);
  return memory_statistics().pool_misses == before && memory_statistics().cached == 0;
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
