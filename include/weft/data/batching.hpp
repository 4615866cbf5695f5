#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::data {

/// The ids of a sentence's tokens.
using TokenIds = std::vector<std::int32_t>;
/// Which sentence pairs make up a batch, by their index.
using Batch = std::vector<std::int64_t>;

struct BatchOptions {
  std::int64_t max_tokens = 4096;  // of a batch, padding included: rows * (longest source + longest target)
  std::int64_t max_sentences = 0;  // of a batch; 0: no limit
  std::int64_t pool_size = 8192;   // sentences that are sorted together
  std::int64_t max_length = 100;   // tokens of either side
  bool truncate = false;           // cut longer sentences to max_length instead of dropping them
  std::uint64_t seed = 1;
};

/// How much of what a model computes on is padding.
struct PaddingStatistics {
  std::int64_t source_tokens = 0;
  std::int64_t source_padding = 0;
  std::int64_t target_tokens = 0;
  std::int64_t target_padding = 0;
  /// Padding as a share of all cells, 0 to 1.
  double source_share() const;
  double target_share() const;
};

/// Batches of sentence pairs of like length. An epoch's order is a function of (seed, epoch) alone: the pairs are shuffled and
/// cut into pools, a pool is sorted by target length and for each by source length (up and down in turn, so that neighbours
/// stay alike) and cut into batches, and all batches are shuffled. So training resumes at batch n of an epoch by asking for the
/// same epoch again.
class TokenBatcher {
 public:
  /// Keeps the lengths alone. Pairs with an empty side are dropped, those over max_length dropped or cut, all counted.
  /// ValueError: numbers of sentences that differ, no pair left, options that aren't positive, or a max_tokens that doesn't
  /// hold one pair of max_length on both sides.
  TokenBatcher(std::span<const TokenIds> source, std::span<const TokenIds> target, const BatchOptions& options = {});

  /// All batches of an epoch, each pair in one of them. Epochs up to 2^24.
  std::vector<Batch> batches(std::uint64_t epoch) const;

  /// Of batches that this batcher made.
  PaddingStatistics padding(std::span<const Batch> batches) const;

  std::int64_t kept() const { return static_cast<std::int64_t>(pairs_.size()); }
  std::int64_t dropped_empty() const { return dropped_empty_; }
  std::int64_t dropped_long() const { return dropped_long_; }
  std::int64_t truncated() const { return truncated_; }
  const BatchOptions& options() const { return options_; }

 private:
  struct Lengths {
    std::int64_t source = 0, target = 0;  // after truncation
  };
  void cut(std::span<const std::int64_t> pool, std::vector<Batch>& batches) const;

  BatchOptions options_;
  std::vector<Lengths> lengths_;     // of every pair that was given
  std::vector<std::int64_t> pairs_;  // the indices of those that are kept
  std::int64_t dropped_empty_ = 0;
  std::int64_t dropped_long_ = 0;
  std::int64_t truncated_ = 0;
};

}  // namespace weft::data
