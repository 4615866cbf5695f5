#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// Which elements a dropout keeps: element (row, column) of x [rows, columns] (leading dimensions as rows) is kept where word
/// column % 4 of philox({column / 4, row, position}, seed) is at least p 2^32. Nothing is stored: the backward pass draws the
/// same again.
struct DropoutDraw {
  std::uint64_t seed, position;
  double p;
};

/// x / (1 - p) where kept, 0 elsewhere (whatever x is there).
Tensor dropout(const Tensor& x, const DropoutDraw& draw);

namespace reference {
Tensor dropout(const Tensor& x, const DropoutDraw& draw);
}

}  // namespace weft::kernels
