#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// Which elements a dropout keeps: element (row, column) of x [rows, columns] (leading dimensions as rows) is kept where word
/// column % 4 of philox({column / 4, first_row + row, position}, seed) is at least p 2^32. Nothing is stored: the backward
/// pass draws the same again.
struct DropoutDraw {
  std::uint64_t seed, position;
  double p;
  std::int64_t first_row = 0;  ///< of the rows that x is a part of; rows count modulo 2^32
};

/// x / (1 - p) where kept, 0 elsewhere (whatever x is there).
Tensor dropout(const Tensor& x, const DropoutDraw& draw);

/// The same in place for columns first, first + 1, ... of row `number` alone; `first` is a multiple of 4.
void dropout_columns(float* row, std::int64_t columns, std::int64_t number, std::int64_t first, const DropoutDraw& draw);

namespace reference {
Tensor dropout(const Tensor& x, const DropoutDraw& draw);
}

}  // namespace weft::kernels
