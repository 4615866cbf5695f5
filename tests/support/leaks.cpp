#include "support/leaks.hpp"

#include <vector>

#include "autograd/tape_state.hpp"

namespace weft::test {
namespace {

std::vector<void (*)()>& makers() {
  static std::vector<void (*)()> known;
  return known;
}

void append(std::string& text, std::int64_t count, const std::string& what) {
  if (count == 0) return;
  if (!text.empty()) text += ", ";
  text += std::to_string(count) + ' ' + what;
}

}  // namespace

Held held() {
  Held now;
  const MemoryStatistics statistics = memory_statistics();
  for (std::size_t i = 0; i < memory_categories; ++i) now.bytes[i] = statistics.by_category[i].current;
  if (Tape* tape = Tape::recording())
    for (const detail::TapeState* state = &tape->state(); state != nullptr; state = state->outer) ++now.tapes;
  return now;
}

std::string leaked(const Held& before, const Held& after) {
  std::string text;
  for (std::size_t i = 0; i < memory_categories; ++i)
    append(text, after.bytes[i] - before.bytes[i], std::string("bytes of ") + name_of(static_cast<MemoryCategory>(i)));
  append(text, after.tapes - before.tapes, "tapes");
  return text;
}

BeforeTests::BeforeTests(void (*make)()) { makers().push_back(make); }

void make_before_tests() {
  for (const auto make : makers()) make();
}

}  // namespace weft::test
