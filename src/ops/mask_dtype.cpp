#include "ops/mask_dtype.hpp"

#include "base/fail.hpp"

namespace weft {

void check_mask_dtype(const char* op, const char* name, const Tensor& mask) {
  if (mask.dtype() == boolean) return;
  // What is most likely meant: lengths, a mask that is added to scores, or one of ones and zeros.
  const char* more = is_floating(mask.dtype()) ? ", eq(mask, 0) of one that is added, 0 and -infinity"
                     : mask.rank() == 1        ? ", sequence_mask(lengths, places) of lengths"
                                               : "";
  fail<DTypeError>(op, "{} is {}; bool is needed, true where allowed: ne(mask, 0) of ones and zeros{}", name, mask, more);
}

}  // namespace weft
