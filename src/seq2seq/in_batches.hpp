#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weft/seq2seq/batch.hpp"

namespace weft::seq2seq {

/// Calls run(places, rows) with the sources that have tokens, at most `batch` at a time: where they stand among all, and they
/// themselves. Long ones come first, so that a batch has like lengths.
template <class Run>
void in_batches(std::span<const TokenIds> sources, std::int64_t batch, const Run& run) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (!sources[i].empty()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sources[a].size() > sources[b].size(); });
  const auto most = static_cast<std::size_t>(batch);
  for (std::size_t start = 0; start < order.size(); start += most) {
    const std::span<const std::size_t> places(order.data() + start, std::min(most, order.size() - start));
    std::vector<const TokenIds*> rows;
    for (const std::size_t i : places) rows.push_back(&sources[i]);
    run(places, std::span<const TokenIds* const>(rows));
  }
}

}  // namespace weft::seq2seq
