#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// While a tape records: each element is 0 with probability p and x / (1 - p) otherwise (Srivastava 2014). Otherwise x.
/// The draw takes one position of the tape's generator and is a function of (seed, position, row, column), leading dimensions
/// being rows: the same for any number of threads, for a batch and for parts of it on tapes that know their first row, and
/// drawn again in backward instead of stored. Throws ValueError for p outside [0, 1], TapeError where the recording tape has
/// no generator.
Var dropout(const Var& x, double p);

}  // namespace weft
