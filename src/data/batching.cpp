#include "weft/data/batching.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "data/shuffle.hpp"

namespace weft::data {
namespace {

double share(std::int64_t part, std::int64_t rest) {
  return part == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(part + rest);
}

}  // namespace

double PaddingStatistics::source_share() const { return share(source_padding, source_tokens); }
double PaddingStatistics::target_share() const { return share(target_padding, target_tokens); }

TokenBatcher::TokenBatcher(std::span<const TokenIds> source, std::span<const TokenIds> target, const BatchOptions& options)
    : options_(options) {
  constexpr const char* operation = "TokenBatcher";
  check<ValueError>(source.size() == target.size(), operation, "{} source sentences, but {} target sentences", source.size(),
                    target.size());
  check<ValueError>(options.max_length >= 1 && options.pool_size >= 1 && options.max_sentences >= 0, operation,
                    "max_length {} and pool_size {} must be positive, max_sentences {} not negative", options.max_length,
                    options.pool_size, options.max_sentences);
  check<ValueError>(options.max_tokens / 2 >= options.max_length, operation,
                    "max_tokens {} doesn't hold one pair of max_length {} on both sides; it must be twice that at least",
                    options.max_tokens, options.max_length);
  lengths_.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    Lengths lengths = {static_cast<std::int64_t>(source[i].size()), static_cast<std::int64_t>(target[i].size())};
    const bool empty = lengths.source == 0 || lengths.target == 0;
    const bool too_long = !empty && std::max(lengths.source, lengths.target) > options.max_length;
    dropped_empty_ += empty ? 1 : 0;
    if (too_long) ++(options.truncate ? truncated_ : dropped_long_);
    if (!empty && (!too_long || options.truncate)) pairs_.push_back(static_cast<std::int64_t>(i));
    lengths_.push_back({std::min(lengths.source, options.max_length), std::min(lengths.target, options.max_length)});
  }
  check<ValueError>(!pairs_.empty(), operation, "no pair left of {}: {} with an empty side, {} longer than max_length {}",
                    source.size(), dropped_empty_, dropped_long_, options.max_length);
}

std::vector<Batch> TokenBatcher::batches(std::uint64_t epoch) const {
  Generator generator(options_.seed ^ hash_of("batches"), epoch << 40);  // 2^40 positions an epoch
  std::vector<std::int64_t> order = pairs_;
  shuffle(order, generator);
  std::vector<Batch> result;
  const auto pool_size = static_cast<std::size_t>(options_.pool_size);
  for (std::size_t begin = 0; begin < order.size(); begin += pool_size) {
    const std::span pool(order.data() + begin, std::min(pool_size, order.size() - begin));
    std::stable_sort(pool.begin(), pool.end(), [&](std::int64_t a, std::int64_t b) {
      const Lengths &left = lengths_[static_cast<std::size_t>(a)], &right = lengths_[static_cast<std::size_t>(b)];
      if (left.target != right.target) return left.target < right.target;
      return left.target % 2 == 0 ? left.source < right.source : left.source > right.source;
    });
    cut(pool, result);
  }
  shuffle(result, generator);
  return result;
}

void TokenBatcher::cut(std::span<const std::int64_t> pool, std::vector<Batch>& batches) const {
  Batch batch;
  Lengths longest;
  for (const std::int64_t pair : pool) {
    const Lengths& lengths = lengths_[static_cast<std::size_t>(pair)];
    const Lengths grown = {std::max(longest.source, lengths.source), std::max(longest.target, lengths.target)};
    const std::int64_t rows = static_cast<std::int64_t>(batch.size()) + 1;
    const bool full = rows * (grown.source + grown.target) > options_.max_tokens ||
                      (options_.max_sentences > 0 && rows > options_.max_sentences);
    if (full) {
      batches.push_back(std::move(batch));
      batch.clear();
    }
    longest = full ? lengths : grown;
    batch.push_back(pair);
  }
  batches.push_back(std::move(batch));
}

PaddingStatistics TokenBatcher::padding(std::span<const Batch> batches) const {
  PaddingStatistics sum;
  for (const Batch& batch : batches) {
    Lengths longest, total;
    for (const std::int64_t pair : batch) {
      const Lengths& lengths = lengths_.at(static_cast<std::size_t>(pair));
      longest = {std::max(longest.source, lengths.source), std::max(longest.target, lengths.target)};
      total = {total.source + lengths.source, total.target + lengths.target};
    }
    const auto rows = static_cast<std::int64_t>(batch.size());
    sum.source_tokens += total.source;
    sum.target_tokens += total.target;
    sum.source_padding += rows * longest.source - total.source;
    sum.target_padding += rows * longest.target - total.target;
  }
  return sum;
}

}  // namespace weft::data
