#include "ops/cases.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace weft::test {
namespace {

void keep_only(std::vector<Case>& table, const std::string& names) {
  std::vector<Case> kept;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    const auto before = kept.size();
    std::copy_if(table.begin(), table.end(), std::back_inserter(kept), [&](const Case& row) { return row.op == name; });
    if (kept.size() == before) throw std::invalid_argument("WEFT_CASES: no operation '" + name + "' has cases");
  }
  table = std::move(kept);
}

}  // namespace

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
    add_entmax_cases(table);
    add_attention_cases(table);
    add_normalization_cases(table);
    add_convolution_cases(table);
    add_pooling_cases(table);
    add_loss_cases(table);
    add_recurrent_cases(table);
    add_distance_loss_cases(table);
    add_margin_loss_cases(table);
    add_sequence_loss_cases(table);
    if (const char* names = std::getenv("WEFT_CASES")) keep_only(table, names);
    return table;
  }();
  return all;
}

}  // namespace weft::test
