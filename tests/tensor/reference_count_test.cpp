#include "weft/tensor/reference_count.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "weft/tensor/tensor.hpp"

using namespace weft;

TEST_CASE("the last handle is told in a process of one thread") {
  // The flag never comes back: a process of its own runs this case alone.
  if (std::getenv("WEFT_ONE_THREAD") == nullptr) return;
  REQUIRE(__libc_single_threaded);
  CHECK(Tensor::zeros({3}).is_unique());
  const Tensor one = Tensor::zeros({3});
  {
    const Tensor two = one;
    CHECK_FALSE(one.is_unique());
  }
  CHECK(one.is_unique());
  detail::ReferenceCount count;
  count.add();
  CHECK_FALSE(count.is_one());
  CHECK_FALSE(count.drop());
  CHECK(count.is_one());
  CHECK(count.drop());
  CHECK(__libc_single_threaded);
}

TEST_CASE("the last handle is told, whatever threads there are") {
  const auto counted = [] {
    detail::ReferenceCount count;
    CHECK(count.is_one());
    count.add();
    CHECK_FALSE(count.is_one());
    CHECK_FALSE(count.drop());
    CHECK(count.is_one());
    return count.drop();
  };
  CHECK(counted());
  bool told = false;
  std::thread([&] { told = counted(); }).join();
  CHECK(told);
  CHECK(counted());
}

TEST_CASE("handles that many threads copy and drop at the same time are all counted") {
  const Tensor shared = Tensor::full({3}, 7);
  std::vector<Tensor> kept(4);
  std::vector<std::thread> threads;
  for (Tensor& mine : kept)
    threads.emplace_back([&shared, &mine] {
      for (int i = 0; i < 20000; ++i) {
        const Tensor copy = shared, view = shared.slice(0, 0, 2);
        mine = i % 2 == 0 ? copy : view;
      }
      mine = shared;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(shared.is_unique());
  kept.clear();
  CHECK(shared.is_unique());
  CHECK(shared.at({2}) == 7);
}
