#include "support/allocations.hpp"

#include "weft/train/benchmark.hpp"
#include "weft/train/count_allocations.hpp"

namespace weft::test {

std::int64_t operator_new_calls() { return allocations(); }

}  // namespace weft::test
