#pragma once
#include <string>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::report {

/// Weights between two sequences, of one or many layers and heads.
struct AttentionMap {
  std::string title;
  std::vector<std::string> rows;     ///< what looks (queries), UTF-8
  std::vector<std::string> columns;  ///< what is looked at (keys)
  Tensor weights;                    ///< [rows, columns], [heads, rows, columns] or [layers, heads, rows, columns]
  std::string row_axis = "target", column_axis = "source";
};

}  // namespace weft::report
