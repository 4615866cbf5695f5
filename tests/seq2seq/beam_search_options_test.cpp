// What beam search can be told, against a search that is written down plainly and reads everything anew, and against all
// targets there are.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "seq2seq/rereading.hpp"
#include "weft/base/error.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/ensemble.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

const TokenIds words = {unknown_id, 4, 5, 6};  // of the small models' target vocabulary

struct Found {
  TokenIds ids;
  bool ended;
  double log_probability, score;
};

// tokens: with the end
double normalised(double log_probability, std::size_t tokens, const BeamSearchOptions& o) {
  const auto length = static_cast<double>(tokens);
  return o.length_normalisation == LengthNormalisation::power
             ? log_probability / std::pow(length, o.length_penalty)
             : log_probability * std::pow(6, o.length_penalty) / std::pow(5 + length, o.length_penalty);
}

double score_of(test::Rereading& reading, const TokenIds& ids, bool ended, const BeamSearchOptions& o) {
  double score = normalised(reading.log_probability(ids, ended), ids.size() + (ended ? 1 : 0), o);
  if (o.coverage_penalty != 0) score += o.coverage_penalty * reading.coverage(ids, ended);
  return score;
}

// Whether `ids` with `token` behind has its last n-gram twice.
bool repeats(TokenIds ids, std::int32_t token, std::int64_t n) {
  ids.push_back(token);
  std::multiset<TokenIds> grams;
  for (std::int64_t at = 0; at + n <= static_cast<std::int64_t>(ids.size()); ++at)
    grams.insert(TokenIds(ids.begin() + at, ids.begin() + at + n));
  return n > 0 && static_cast<std::int64_t>(ids.size()) >= n && grams.count(TokenIds(ids.end() - n, ids.end())) > 1;
}

bool allowed(const TokenIds& before, std::int32_t token, const BeamSearchOptions& o, const TokenIds& prefix) {
  if (before.size() < prefix.size()) return token == prefix[before.size()];
  return token == end_id || !repeats(before, token, o.no_repeat_ngram);
}

// Every target of at most max_length tokens that the options allow.
void all_targets(const TokenIds& before, test::Rereading& reading, const BeamSearchOptions& o, const TokenIds& prefix,
                 std::vector<Found>& all) {
  const bool cut = static_cast<std::int64_t>(before.size()) == o.max_length;
  if (cut || allowed(before, end_id, o, prefix))
    all.push_back({before, !cut, reading.log_probability(before, !cut), score_of(reading, before, !cut, o)});
  if (cut) return;
  for (const std::int32_t word : words) {
    if (!allowed(before, word, o, prefix)) continue;
    TokenIds longer = before;
    longer.push_back(word);
    all_targets(longer, reading, o, prefix, all);
  }
}

void sort_by_score(std::vector<Found>& all) {
  std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.score > b.score; });
}

struct Partial {
  TokenIds ids;
  double log_probability;
};

// Beam search as the papers have it, nothing carried from step to step but tokens and log probabilities.
std::vector<Found> plain_search(test::Rereading& reading, const BeamSearchOptions& o, const TokenIds& prefix) {
  const auto width = static_cast<std::size_t>(o.beam / o.diverse_groups);
  std::vector<std::vector<Partial>> groups(static_cast<std::size_t>(o.diverse_groups), {{{}, 0.0}});
  std::vector<std::vector<Found>> finished(groups.size());
  std::vector<bool> done(groups.size());
  const auto keep = [&](std::vector<Found>& list, const Partial& p, bool ended) {
    list.push_back({p.ids, ended, p.log_probability, score_of(reading, p.ids, ended, o)});
  };
  for (std::int64_t t = 0; t < o.max_length; ++t) {
    std::multiset<std::int32_t> taken;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (done[g]) continue;
      struct Next {
        Partial partial;
        std::int32_t token;
        double rank;
      };
      std::vector<Next> next;
      for (const Partial& p : groups[g])
        for (std::int32_t token = 0; token < 7; ++token) {
          if (token == pad_id || token == begin_id || !allowed(p.ids, token, o, prefix)) continue;
          const double sum = p.log_probability + reading.next(p.ids)[static_cast<std::size_t>(token)];
          next.push_back({{p.ids, sum}, token, sum - o.diversity_strength * static_cast<double>(taken.count(token))});
        }
      std::stable_sort(next.begin(), next.end(), [](const Next& a, const Next& b) { return a.rank > b.rank; });
      groups[g].clear();
      for (std::size_t place = 0; place < next.size() && groups[g].size() < width; ++place) {
        Next& n = next[place];
        if (n.token == end_id && place >= width) continue;
        taken.insert(n.token);
        if (n.token == end_id) {
          keep(finished[g], n.partial, true);
        } else {
          n.partial.ids.push_back(n.token);
          groups[g].push_back(n.partial);
        }
      }
      // Done where each living one has `width` ended ones that are as good as it is now.
      done[g] = std::all_of(groups[g].begin(), groups[g].end(), [&](const Partial& p) {
        const double now = normalised(p.log_probability, p.ids.size(), o);
        std::size_t as_good = 0;
        for (const Found& f : finished[g]) as_good += f.score >= now;
        return as_good >= width;
      });
    }
  }
  std::vector<Found> all;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const Partial& p : groups[g])
      if (finished[g].size() < width) keep(finished[g], p, false);
    sort_by_score(finished[g]);
    if (finished[g].size() > width)
      finished[g].erase(finished[g].begin() + static_cast<std::ptrdiff_t>(width), finished[g].end());
    all.insert(all.end(), finished[g].begin(), finished[g].end());
  }
  sort_by_score(all);
  return all;
}

void check_same(const std::vector<Hypothesis>& found, const std::vector<Found>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i].ids == expected[i].ids);
    CHECK(found[i].log_probability == doctest::Approx(expected[i].log_probability).epsilon(1e-5));
    CHECK(found[i].score == doctest::Approx(expected[i].score).epsilon(1e-5));
  }
}

std::vector<Hypothesis> search_alone(Model& model, const TokenIds& source, const BeamSearchOptions& options,
                                     const TokenIds& prefix) {
  const std::vector<const TokenIds*> rows = {&source};
  const std::vector<TokenIds> prefixes = {prefix};
  return beam_search(model, pad(rows), options, prefixes)[0];
}

// One of each, and several together.
const BeamSearchOptions additive_kinds[] = {
    {.length_penalty = 0},
    {.length_penalty = 0.6},
    {.length_penalty = 2.5},
    {.length_penalty = 0.6, .length_normalisation = LengthNormalisation::gnmt},
    {.length_penalty = 3, .length_normalisation = LengthNormalisation::gnmt},
    {.coverage_penalty = 0.2},
    {.length_penalty = 0.8, .length_normalisation = LengthNormalisation::gnmt, .coverage_penalty = 1.5},
    {.no_repeat_ngram = 1},
    {.no_repeat_ngram = 2},
    {.length_penalty = 2, .coverage_penalty = 0.7, .no_repeat_ngram = 2}};

const TokenIds some_prefixes[] = {{}, {5}, {4, 4, 4}};

// The small models, and an ensemble of them all.
class Models {
 public:
  Models() {
    for (const auto& model : alone_) all_.push_back(model.get());
    together_ = std::make_unique<Ensemble>(all_);
    all_.push_back(together_.get());
  }
  const std::vector<Model*>& all() const { return all_; }

 private:
  std::vector<std::unique_ptr<Model>> alone_ = test::small_models();
  std::unique_ptr<Ensemble> together_;
  std::vector<Model*> all_;
};

}  // namespace

TEST_CASE("a beam as wide as everything finds what there is, in order") {
  const Models models;
  for (Model* model : models.all())
    for (const TokenIds& source : test::small_source()) {
      test::Rereading reading(*model, source);
      for (BeamSearchOptions options : additive_kinds)
        for (const TokenIds& prefix : some_prefixes) {
          CAPTURE(model->type_name());
          CAPTURE(options.length_penalty);
          CAPTURE(options.coverage_penalty);
          CAPTURE(options.no_repeat_ngram);
          CAPTURE(prefix.size());
          options.beam = 90;  // there are 85 at most
          options.max_length = 3;
          std::vector<Found> expected;
          all_targets({}, reading, options, prefix, expected);
          sort_by_score(expected);
          check_same(search_alone(*model, source, options, prefix), expected);
        }
    }
}

TEST_CASE("searches find what a search finds that carries nothing") {
  std::vector<BeamSearchOptions> kinds(std::begin(additive_kinds), std::end(additive_kinds));
  for (const std::int64_t groups : {2, 3, 6})
    for (const double strength : {0.0, 0.3, 5.0}) {
      kinds.push_back({.diverse_groups = groups, .diversity_strength = strength});
      kinds.push_back({.length_penalty = 0.5,
                       .coverage_penalty = 0.3,
                       .no_repeat_ngram = 2,
                       .diverse_groups = groups,
                       .diversity_strength = strength});
    }
  const Models models;
  for (Model* model : models.all())
    for (const TokenIds& source : test::small_source()) {
      test::Rereading reading(*model, source);
      for (BeamSearchOptions options : kinds)
        for (const TokenIds& prefix : some_prefixes) {
          CAPTURE(model->type_name());
          CAPTURE(options.diverse_groups);
          CAPTURE(options.diversity_strength);
          CAPTURE(prefix.size());
          options.max_length = 7;
          for (const std::int64_t beam : {1, 6}) {
            if (beam % options.diverse_groups != 0) continue;
            options.beam = beam;
            check_same(search_alone(*model, source, options, prefix), plain_search(reading, options, prefix));
          }
        }
    }
}

TEST_CASE("a batch with prefixes gives what its sentences give alone") {
  const Models models;
  for (Model* model : models.all())
    for (const std::int64_t groups : {1, 2}) {
      CAPTURE(model->type_name());
      const BeamSearchOptions options{.beam = 4,
                                      .length_normalisation = LengthNormalisation::gnmt,
                                      .coverage_penalty = 0.4,
                                      .no_repeat_ngram = 2,
                                      .diverse_groups = groups};
      const auto together = beam_search(*model, pad(test::pointers(test::small_source())), options, some_prefixes);
      for (std::size_t r = 0; r < together.size(); ++r) {
        const auto alone = search_alone(*model, test::small_source()[r], options, some_prefixes[r]);
        REQUIRE(together[r].size() == alone.size());
        for (std::size_t i = 0; i < alone.size(); ++i) {
          CHECK(together[r][i].ids == alone[i].ids);
          CHECK(together[r][i].score == doctest::Approx(alone[i].score).epsilon(1e-5));
          CHECK(std::equal(some_prefixes[r].begin(), some_prefixes[r].end(), alone[i].ids.begin()));
          CHECK_FALSE(together[r][i].attention.defined());
        }
      }
    }
}

TEST_CASE("groups that are pushed apart begin differently") {
  for (const auto& model : test::small_models()) {
    CAPTURE(model->type_name());
    const auto found = search_alone(*model, test::small_source()[0],
                                    {.beam = 4, .max_length = 4, .diverse_groups = 4, .diversity_strength = 1000}, {});
    std::set<std::int32_t> first;
    for (const Hypothesis& hypothesis : found) first.insert(hypothesis.ids.empty() ? end_id : hypothesis.ids[0]);
    CHECK(first.size() == 4);
  }
}

TEST_CASE("coverage is what was looked at, at most once each") {
  const Tensor attention = Tensor::from<float>({0.5F, 0.25F, 0.25F, 0.75F, 0.25F, 0.0F}, {2, 3});
  CHECK(coverage(attention) == doctest::Approx(std::log(0.5) + std::log(0.25)));
  CHECK(coverage(Tensor::zeros({2, 1})) == doctest::Approx(std::log(1e-9)));
  CHECK(coverage(Tensor::zeros({2, 0})) == 0);
  CHECK_THROWS_WITH_AS(coverage(Tensor::zeros({2})), "[coverage] attention f32[2] is not [tokens, source]", ShapeError);
  CHECK_THROWS_WITH_AS(coverage(Tensor::zeros({2, 2}, f64)), "[coverage] attention f64[2, 2] is not f32", DTypeError);
}

TEST_CASE("options that can't be are refused by name") {
  const auto model = std::move(test::small_models()[0]);
  const TokenIds& source = test::small_source()[0];
  const auto refuse = [&](const BeamSearchOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(search_alone(*model, source, options, {}), message, ValueError);
  };
  refuse({.length_penalty = NAN}, "[beam_search] length_penalty is nan; it must be finite");
  for (const double penalty : {400.0, -400.0})  // -0 for all, or infinite
    refuse({.length_penalty = penalty, .max_length = 20},
           penalty > 0 ? "[beam_search] length_penalty is 400: scores of 20 tokens, the longest that can be, would leave the "
                         "range of doubles; -200 to 200 are possible"
                       : "[beam_search] length_penalty is -400: scores of 20 tokens, the longest that can be, would leave the "
                         "range of doubles; -200 to 200 are possible");
  CHECK(search_alone(*model, source, {.length_penalty = 200, .max_length = 20}, {})[0].score < 0);
  refuse({.coverage_penalty = -0.5}, "[beam_search] coverage_penalty is -0.5; it must be finite and not negative");
  refuse({.coverage_penalty = INFINITY}, "[beam_search] coverage_penalty is inf; it must be finite and not negative");
  refuse({.no_repeat_ngram = -1}, "[beam_search] no_repeat_ngram is -1; it must not be negative");
  refuse({.beam = 5, .diverse_groups = 2}, "[beam_search] diverse_groups 2 don't divide a beam of 5");
  refuse({.diverse_groups = 0}, "[beam_search] diverse_groups 0 don't divide a beam of 5");
  for (const BeamSearchOptions& options : {BeamSearchOptions{.max_length_ratio = -1},
                                           {.max_length_ratio = NAN},
                                           {.max_length_ratio = 1e7},
                                           {.max_length_offset = -1}})
    CHECK_THROWS_WITH_AS(search_alone(*model, source, options, {}), doctest::Contains("[beam_search] max_length_ratio is "),
                         ValueError);
  refuse({.diversity_strength = -1}, "[beam_search] diversity_strength is -1; it must be finite and not negative");
}

TEST_CASE("the longest hypothesis is told by the source's length, at least one token, the prefix's beside") {
  const auto model = std::move(test::small_models()[0]);
  // No normalisation could make a short one better: nothing ends where each further token makes the score better.
  const auto longest = [&](const TokenIds& source, double ratio, std::int64_t offset, const TokenIds& prefix = {}) {
    const BeamSearchOptions options{.beam = 3, .length_penalty = 20, .max_length_ratio = ratio, .max_length_offset = offset};
    std::size_t most = 0;
    for (const Hypothesis& found : search_alone(*model, source, options, prefix)) most = std::max(most, found.ids.size());
    return most;
  };
  for (const TokenIds& source : test::small_source()) {
    const auto length = static_cast<double>(source.size());
    CHECK(longest(source, 2, 10) == 2 * source.size() + 10);
    CHECK(longest(source, 0.5, 1) == static_cast<std::size_t>(length / 2) + 1);
    CHECK(longest(source, 0, 0) == 1);
    CHECK(longest(source, 0, 2, {4, 5}) == 4);
  }
}

TEST_CASE("prefixes that can't be are refused") {
  const auto model = std::move(test::small_models()[0]);
  const Padded source = pad(test::pointers(test::small_source()));
  const auto refuse = [&](const std::vector<TokenIds>& prefixes, const char* message) {
    CHECK_THROWS_WITH_AS(beam_search(*model, source, {.max_length = 3}, prefixes), message, ValueError);
  };
  refuse({{4}}, "[beam_search] 1 prefixes for 3 sentences; one for each is needed");
  refuse({{}, {4, 7}, {}}, "[beam_search] prefix 1 has the id 7 at place 1, which is outside 0..6");
  refuse({{}, {}, {-1}}, "[beam_search] prefix 2 has the id -1 at place 0, which is outside 0..6");
  refuse({{}, {}, {pad_id}}, "[beam_search] prefix 2 has the id 0 at place 0, which stands for padding and is no word");
  refuse({{}, {}, {begin_id}}, "[beam_search] prefix 2 has the id 2 at place 0, which stands for the beginning and is no word");
  refuse({{}, {}, {end_id}}, "[beam_search] prefix 2 has the id 3 at place 0, which stands for the end and is no word");
  refuse({{4, 5, 6, 4}, {}, {}}, "[beam_search] prefix 0 has 4 tokens, more than the max_length of 3");
  // As long as allowed: that is all of it.
  const std::vector<TokenIds> whole = {{4, 5, 6}, {4, 5, 6}, {4, 5, 6}};
  for (const auto& found : beam_search(*model, source, {.max_length = 3}, whole)) {
    REQUIRE(found.size() == 1);
    CHECK(found[0].ids == whole[0]);
  }
}
