#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "weft/metrics/edit_distance.hpp"

namespace weft::metrics {

/// Errors and, to prefer hits among alignments with as few of them, hits as one number: the smaller the better.
constexpr std::int64_t error_cost = std::int64_t{1} << 32;

/// row[j] becomes the cost of the reference's first i units against the hypothesis's first j, from the row of i - 1.
template <class T>
void next_row(std::span<const T> hypothesis, const T& unit, std::vector<std::int64_t>& row) {
  std::int64_t diagonal = row[0];
  row[0] += error_cost;
  for (std::size_t j = 1; j < row.size(); ++j) {
    const std::int64_t replaced = diagonal + (hypothesis[j - 1] == unit ? -1 : error_cost);
    diagonal = row[j];
    row[j] = std::min(replaced, std::min(row[j], row[j - 1]) + error_cost);
  }
}

inline std::vector<std::int64_t> first_row(std::size_t hypothesis_length) {
  std::vector<std::int64_t> row(hypothesis_length + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = static_cast<std::int64_t>(j) * error_cost;
  return row;
}

/// Counts of units of any type, in memory of one row.
template <class T>
EditCounts count_unit_edits(std::span<const T> hypothesis, std::span<const T> reference) {
  auto row = first_row(hypothesis.size());
  for (const T& unit : reference) next_row(hypothesis, unit, row);
  const std::int64_t errors = (row.back() + error_cost - 1) / error_cost;
  const auto hypothesis_length = static_cast<std::int64_t>(hypothesis.size());
  const auto reference_length = static_cast<std::int64_t>(reference.size());
  EditCounts counts{.hits = errors * error_cost - row.back()};
  // Lengths are sums of counts: hits + substitutions + deletions or insertions; so the errors leave one choice.
  counts.substitutions = hypothesis_length + reference_length - 2 * counts.hits - errors;
  counts.deletions = reference_length - counts.hits - counts.substitutions;
  counts.insertions = hypothesis_length - counts.hits - counts.substitutions;
  return counts;
}

}  // namespace weft::metrics
