#pragma once
#include <cstdint>

namespace weft::test {

/// Calls of operator new so far, by any thread, outside oneDNN: the test programs replace it with one that counts.
std::int64_t operator_new_calls();

}  // namespace weft::test
