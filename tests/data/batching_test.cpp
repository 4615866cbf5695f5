#include "weft/data/batching.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/data/parallel_text.hpp"

using namespace weft;
using namespace weft::data;

namespace {

std::vector<TokenIds> of_lengths(const std::vector<std::size_t>& lengths) {
  std::vector<TokenIds> sentences;
  for (const std::size_t length : lengths) sentences.emplace_back(length, 7);
  return sentences;
}

struct Corpus {
  std::vector<TokenIds> source, target;
};

/// Sentences of 4 to 40 tokens, most of them short; the sides differ by up to 3.
Corpus generated(std::size_t size) {
  Generator generator(5);
  std::vector<std::size_t> source, target;
  for (std::size_t i = 0; i < size; ++i) {
    source.push_back(4 + std::min(generator.below(37), generator.below(37)));
    target.push_back(source.back() + generator.below(7) - std::min<std::size_t>(3, source.back() - 1));
  }
  return {of_lengths(source), of_lengths(target)};
}

TokenIds words_of(const std::string& line) {
  std::istringstream stream(line);
  TokenIds ids;
  for (std::string word; stream >> word;) ids.push_back(static_cast<std::int32_t>(word.size()));
  return ids;
}

std::int64_t tokens_of(const std::vector<TokenIds>& sentences, const Batch& batch) {
  std::size_t sum = 0;
  for (const std::int64_t index : batch) sum += sentences.at(static_cast<std::size_t>(index)).size();
  return static_cast<std::int64_t>(sum);
}

/// With padding.
std::int64_t cells_of(const std::vector<TokenIds>& sentences, const Batch& batch) {
  std::size_t longest = 0;
  for (const std::int64_t index : batch) longest = std::max(longest, sentences.at(static_cast<std::size_t>(index)).size());
  return static_cast<std::int64_t>(batch.size() * longest);
}

Batch sorted_members(const std::vector<Batch>& batches) {
  Batch members;
  for (const Batch& batch : batches) members.insert(members.end(), batch.begin(), batch.end());
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace

TEST_CASE("an epoch has every pair once, within the limits") {
  const Corpus corpus = generated(5000);
  const TokenBatcher batcher(corpus.source, corpus.target, {.max_tokens = 1000, .max_sentences = 30, .pool_size = 700});
  CHECK(batcher.kept() == 5000);
  const auto batches = batcher.batches(0);
  Batch all(5000);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  CHECK(sorted_members(batches) == all);
  std::size_t most = 0;
  for (const Batch& batch : batches) {
    CHECK_FALSE(batch.empty());
    most = std::max(most, batch.size());
    CHECK(cells_of(corpus.source, batch) + cells_of(corpus.target, batch) <= 1000);
  }
  CHECK(most == 30);
}

TEST_CASE("the order is a function of seed and epoch") {
  const Corpus corpus = generated(2000);
  const TokenBatcher batcher(corpus.source, corpus.target, {.max_tokens = 800}),
      same(corpus.source, corpus.target, {.max_tokens = 800});
  const TokenBatcher other(corpus.source, corpus.target, {.max_tokens = 800, .seed = 2});
  const auto third = batcher.batches(3);
  batcher.batches(0);
  CHECK(batcher.batches(3) == third);
  CHECK(same.batches(3) == third);
  CHECK(batcher.batches(4) != third);
  CHECK(other.batches(3) != third);
}

TEST_CASE("batches don't come in the order of their lengths") {
  const Corpus corpus = generated(3000);
  const auto batches = TokenBatcher(corpus.source, corpus.target, {.max_tokens = 800}).batches(0);
  std::int64_t rises = 0;
  for (std::size_t i = 1; i < batches.size(); ++i)
    rises += corpus.target[static_cast<std::size_t>(batches[i][0])].size() >
                     corpus.target[static_cast<std::size_t>(batches[i - 1][0])].size()
                 ? 1
                 : 0;
  const auto steps = static_cast<std::int64_t>(batches.size());
  CHECK(rises > steps / 4);
  CHECK(rises < 3 * steps / 4);
}

TEST_CASE("little padding: generated lengths") {
  const Corpus corpus = generated(20'000);
  const TokenBatcher batcher(corpus.source, corpus.target);
  const auto batches = batcher.batches(1);
  const PaddingStatistics padding = batcher.padding(batches);
  CHECK(padding.target_share() < 0.05);
  CHECK(padding.source_share() < 0.2);

  PaddingStatistics counted;
  for (const Batch& batch : batches) {
    counted.source_tokens += tokens_of(corpus.source, batch);
    counted.target_tokens += tokens_of(corpus.target, batch);
    counted.source_padding += cells_of(corpus.source, batch) - tokens_of(corpus.source, batch);
    counted.target_padding += cells_of(corpus.target, batch) - tokens_of(corpus.target, batch);
  }
  CHECK(padding.source_padding == counted.source_padding);
  CHECK(padding.target_padding == counted.target_padding);
  CHECK(padding.source_tokens == counted.source_tokens);
  CHECK(padding.target_tokens == counted.target_tokens);
  CHECK(PaddingStatistics{}.target_share() == 0);
}

TEST_CASE("little padding: Multi30k") {
  const auto english = test::shared_path("data/multi30k/train.lc.norm.tok.en.gz");
  const auto german = test::shared_path("data/multi30k/train.lc.norm.tok.de.gz");
  if (!english || !german) return;
  const ParallelText text = read_parallel_text(*english, *german).text;
  Corpus corpus;
  for (const auto& line : text.source) corpus.source.push_back(words_of(line));
  for (const auto& line : text.target) corpus.target.push_back(words_of(line));
  for (const std::int64_t max_tokens : {1500, 4096}) {
    const TokenBatcher batcher(corpus.source, corpus.target, {.max_tokens = max_tokens});
    const PaddingStatistics padding = batcher.padding(batcher.batches(0));
    CAPTURE(padding.source_share());
    CHECK(padding.target_share() < 0.05);
    CHECK(padding.source_share() < 0.2);
  }
}

TEST_CASE("empty and long sentences are dropped or cut, and counted") {
  const auto source = of_lengths({3, 0, 5, 11, 2, 0}), target = of_lengths({4, 6, 0, 3, 12, 0});
  const TokenBatcher dropping(source, target, {.max_tokens = 20, .max_length = 10});
  CHECK(dropping.kept() == 1);
  CHECK(dropping.dropped_empty() == 3);
  CHECK(dropping.dropped_long() == 2);
  CHECK(dropping.truncated() == 0);
  CHECK(sorted_members(dropping.batches(0)) == Batch{0});

  const TokenBatcher cutting(source, target, {.max_tokens = 20, .max_length = 10, .truncate = true});
  CHECK(cutting.kept() == 3);
  CHECK(cutting.dropped_long() == 0);
  CHECK(cutting.truncated() == 2);
  CHECK(sorted_members(cutting.batches(0)) == Batch{0, 3, 4});
  const PaddingStatistics padding = cutting.padding(cutting.batches(0));
  CHECK(padding.source_tokens == 3 + 10 + 2);
  CHECK(padding.target_tokens == 4 + 3 + 10);
}

TEST_CASE("bad arguments of the batcher") {
  const auto two = of_lengths({3, 4}), one = of_lengths({3}), empty = of_lengths({0, 0});
  CHECK_THROWS_WITH_AS(TokenBatcher(two, one), "[TokenBatcher] 2 source sentences, but 1 target sentences", ValueError);
  CHECK_THROWS_WITH_AS(TokenBatcher(two, empty),
                       "[TokenBatcher] no pair left of 2: 2 with an empty side, 0 longer than max_length 100", ValueError);
  CHECK_THROWS_WITH_AS(TokenBatcher({}, {}),
                       "[TokenBatcher] no pair left of 0: 0 with an empty side, 0 longer than max_length 100", ValueError);
  CHECK_THROWS_WITH_AS(
      TokenBatcher(two, two, {.max_tokens = 19, .max_length = 10}),
      "[TokenBatcher] max_tokens 19 doesn't hold one pair of max_length 10 on both sides; it must be twice that at "
      "least",
      ValueError);
  CHECK_THROWS_WITH_AS(TokenBatcher(two, two, {.pool_size = 0}),
                       "[TokenBatcher] max_length 100 and pool_size 0 must be positive, max_sentences 0 not negative",
                       ValueError);
}
