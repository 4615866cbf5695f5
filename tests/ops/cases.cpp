#include "ops/cases.hpp"

namespace weft::test {

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> table;
    add_elementwise_cases(table);
    add_activation_cases(table);
    add_reduce_cases(table);
    add_statistics_cases(table);
    add_scan_cases(table);
    add_sort_cases(table);
    add_shape_cases(table);
    add_arrange_cases(table);
    add_triangle_cases(table);
    add_index_cases(table);
    add_dropout_cases(table);
    add_matmul_cases(table);
    add_einsum_cases(table);
    add_softmax_cases(table);
    add_attention_cases(table);
    add_normalization_cases(table);
    add_convolution_cases(table);
    add_pooling_cases(table);
    add_loss_cases(table);
    add_recurrent_cases(table);
    add_distance_loss_cases(table);
    add_margin_loss_cases(table);
    add_sequence_loss_cases(table);
    return table;
  }();
  return all;
}

}  // namespace weft::test
