#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "weft/tensor/memory.hpp"

namespace weft::test {

/// What a test has to leave as it found it: bytes of tensors by category, tapes that are alive on this thread.
struct Held {
  std::array<std::int64_t, memory_categories> bytes{};
  std::int64_t tapes = 0;
};

Held held();

/// What is there afterwards and wasn't before: "64 bytes of activations, 1 tape"; "" where that is nothing.
std::string leaked(const Held& before, const Held& after);

/// A static object of this type has `make` called before the first test: for what tests share and keep until the program ends.
struct BeforeTests {
  explicit BeforeTests(void (*make)());
};

/// Calls them all.
void make_before_tests();

}  // namespace weft::test
