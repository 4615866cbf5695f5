#include "support/leaks.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "weft/autograd/tape.hpp"

using namespace weft;
using test::held;
using test::leaked;

TEST_CASE("tensors and tapes that are still there are told by category") {
  const test::Held before = held();
  CHECK(leaked(before, held()).empty());
  {
    const Tensor activation = Tensor::ones({16}), view = activation.slice(0, 1, 3);
    const MemoryCategoryGuard category(MemoryCategory::gradients);
    const Tensor gradient = Tensor::ones({4}, f64);
    const Tape outer, inner;
    CHECK(leaked(before, held()) == "64 bytes of activations, 32 bytes of gradients, 2 tapes");
  }
  CHECK(leaked(before, held()).empty());
}

// Run by the test after it, in a process of its own.
TEST_CASE("leaves a tensor where it is told to") {
  if (std::getenv("WEFT_PLANT_LEAK") == nullptr) return;
  static Tensor left;
  left = Tensor::ones({16});
}

TEST_CASE("a test program fails where a test case leaves a tensor") {
  const std::string run = std::filesystem::read_symlink("/proc/self/exe").string() + " -tc='leaves a tensor*' >/dev/null";
  CHECK(std::system(run.c_str()) == 0);
  CHECK(std::system(("WEFT_PLANT_LEAK=1 " + run).c_str()) != 0);
}
