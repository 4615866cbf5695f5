#include <doctest/doctest.h>
#include <pthread.h>

#include <functional>
#include <string>

#include "autograd/local_ops.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// Runs `body` on a thread with a stack of 256 KiB; what it throws comes back as text.
std::string on_small_stack(std::function<void()> body) {
  struct Work {
    std::function<void()> body;
    std::string error;
  } work{std::move(body), ""};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{256} << 10);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    auto* given = static_cast<Work*>(argument);
    try {
      given->body();
    } catch (const std::exception& error) {
      given->error = error.what();
    }
    return nullptr;
  };
  const int status = pthread_create(&thread, &attributes, run, &work);
  pthread_attr_destroy(&attributes);
  if (status != 0) return "no thread";
  pthread_join(thread, nullptr);
  return work.error;
}

constexpr int links = 1'000'000;

Var chain(const Var& x, const Var& factor) {
  Var y = x;
  for (int i = 0; i < links; ++i) y = times(y, factor);
  return y;
}

}  // namespace

TEST_CASE("a chain of a million operations on a small stack") {
  double gradient = 0;
  std::int64_t nodes = 0;
  const std::string error = on_small_stack([&] {
    Tape tape;
    const Var x = tape.leaf(Tensor::full({}, 2, f32)), one = tape.leaf(Tensor::full({}, 1, f32));
    tape.backward(chain(x, one));
    nodes = tape.size();
    gradient = tape.grad(x).item();
  });
  CHECK(error == "");
  CHECK(nodes == links);
  CHECK(gradient == 1);
}

TEST_CASE("a chain of a million operations is freed without backward") {
  const std::string error = on_small_stack([] {
    Tape tape;
    chain(tape.leaf(Tensor::full({}, 2, f32)), tape.leaf(Tensor::full({}, 1, f32)));
  });
  CHECK(error == "");
}

TEST_CASE("a ladder of diamonds takes a pass, not a path, each") {
  double gradient = 0;
  const std::string error = on_small_stack([&] {
    Tape tape;
    const Var x = tape.leaf(Tensor::full({}, 3, f32)), half = Tensor::full({}, 0.5, f32);
    Var y = x;
    for (int i = 0; i < links / 3; ++i) y = plus(times(y, half), times(y, half));
    tape.backward(y);
    gradient = tape.grad(x).item();
  });
  CHECK(error == "");
  CHECK(gradient == 1);
}

TEST_CASE("a chain of views of views frees in a loop") {
  const std::string error = on_small_stack([] {
    Tape tape;
    Var y = tape.leaf(Tensor::ones({4}, f32));
    for (int i = 0; i < 100'000; ++i) y = slice(y, 0, 0, 4);
    tape.backward(y, Tensor::ones({4}, f32));
  });
  CHECK(error == "");
}
