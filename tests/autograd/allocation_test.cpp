#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "autograd/local_ops.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_COUNTS_NEW 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_COUNTS_NEW 0
#endif
#endif
#ifndef WEFT_COUNTS_NEW
#define WEFT_COUNTS_NEW 1
#endif

#if WEFT_COUNTS_NEW

namespace {
std::atomic<std::int64_t> news{0};
}

// Every `new` of this program, the library's included, comes through here.
void* operator new(std::size_t bytes) {
  news.fetch_add(1, std::memory_order_relaxed);
  if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

using namespace weft;
using namespace weft::test;

namespace {

// A training step: a table's rows, slices of them, broadcasting, an update in place.
void step(Parameter& table, Parameter& w, const Tensor& index, Generator& generator) {
  Tape tape(generator);
  Var sum = Tensor::zeros({}, f32);
  const Var rows = gather_rows(table, index);
  for (std::int64_t t = 0; t < 20; ++t) {
    const Var x = slice(rows, 1, t, t + 1);
    sum = plus(sum, total(exponential(times(x, w))));
  }
  tape.backward(sum);
  for (Parameter* parameter : {&table, &w}) {
    Tensor gradient = parameter->grad();
    kernels::scale_into(gradient, -1e-3);
    kernels::add_into(parameter->mutable_value(), gradient);
    parameter->clear_grad();
  }
}

}  // namespace

TEST_CASE("a step in steady state asks the system for no memory") {
  Parameter table("table", Tensor::full({50, 16}, 0.1)), w("w", Tensor::full({16}, 0.2));
  Tensor index = Tensor::empty({8, 20}, i64);
  for (std::int64_t i = 0; i < index.numel(); ++i) index.mutable_data<std::int64_t>()[i] = i * 7 % 50;
  Generator generator(1);
  for (int i = 0; i < 3; ++i) step(table, w, index, generator);
  const std::int64_t news_before = news, misses_before = memory_statistics().pool_misses;
  for (int i = 0; i < 10; ++i) step(table, w, index, generator);
  CHECK(news == news_before);
  CHECK(memory_statistics().pool_misses == misses_before);
}

#else

#include "support/support.hpp"

TEST_CASE("a step in steady state asks the system for no memory") {
  weft::test::skip("counting allocations (the address sanitizer has its own operator new)");
}

#endif
