#pragma once
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer_settings.hpp"
#include "weft/base/threads.hpp"
#include "weft/seq2seq/translator.hpp"

namespace translator_decoding {

using namespace trainer_settings;
using read_options::refuse_idle;

/// How the translator is to search or draw, as told on the command line.
struct Decoding {
  std::vector<std::string> models;
  seq2seq::TranslateOptions options = {};
  seq2seq::SampleOptions sample = {};
  std::string normalisation = "power", prefix, utility = "chrf";
  std::int64_t candidates = 0;
  bool draw = false;
  int threads = num_threads();
};

inline void add_decoding_options(po::options_description& options, Decoding& d) {
  seq2seq::BeamSearchOptions& search = d.options.search;
  auto add = options.add_options();
  add("model", po::value(&d.models), "folder of a training run; given several times, their ensemble");
  add("beam", number(search.beam, 1, most_hypotheses), "1 is greedy");
  add("length-penalty", number(search.length_penalty, 0, 100), "exponent of the length that scores are divided by");
  add("length-normalisation", choice(d.normalisation, {"power", "gnmt"}),
      "of scores: length or (5 + length) / 6, to that power");
  add("coverage-penalty", number(search.coverage_penalty, 0, 100), "on source words that were passed over (GNMT)");
  add("no-repeat-ngram-size", number(search.no_repeat_ngram, 0, largest_size), "no n-gram of so many pieces twice; 0: any may");
  add("diverse-beam-groups", number(search.diverse_groups, 1, largest_size), "parts of the beam that are kept apart");
  add("diverse-beam-strength", number(search.diversity_strength, 0, 1000), "how far apart");
  add("prefix", option(d.prefix), "what every translation begins with");
  add("sample", po::bool_switch(&d.draw), "draw translations instead of searching");
  add("temperature", number(d.sample.filter.temperature, 1e-6, 1e6), "of drawing; below 1 favours likely pieces");
  add("top-k", number(d.sample.filter.top_k, 0, largest_size), "draw among the likeliest so many; 0: all");
  add("top-p", number(d.sample.filter.top_p, 1e-6, 1), "draw among the fewest that have this probability");
  add("seed", number(d.sample.seed, 0), "of drawing");
  add("mbr", number(d.candidates, 0, largest_size),
      "take the one of so many hypotheses, or samples, that agrees best with all; 0: the best, or the first");
  add("mbr-utility", choice(d.utility, {"chrf", "bleu"}), "what agreement is");
  add("max-length", number(search.max_length, 0, largest_size), "most tokens of a translation; 0: by the source");
  add("max-source", number(d.options.max_source, 1, largest_size), "most pieces of a source; those behind them are cut off");
  add("batch", number(d.options.batch, 1, largest_size), "sentences at a time");
  add("threads", number(d.threads, 1, most_threads), "threads");
}

/// Refuses what another choice leaves without a use.
inline void refuse_idle_decoding(const Decoding& d) {
  const Decoding untouched;
  const seq2seq::BeamSearchOptions &search = d.options.search, &none = untouched.options.search;
  const seq2seq::TokenFilter &filter = d.sample.filter, &all = untouched.sample.filter;
  const auto of_search = [&](const char* option, const auto& value, const auto& other) {
    if (d.draw) refuse_idle(option, value, other, "a search", "--sample");
  };
  of_search("beam", search.beam, none.beam);
  of_search("length-penalty", search.length_penalty, none.length_penalty);
  of_search("length-normalisation", d.normalisation, untouched.normalisation);
  of_search("coverage-penalty", search.coverage_penalty, none.coverage_penalty);
  of_search("diverse-beam-groups", search.diverse_groups, none.diverse_groups);
  const auto of_draw = [&](const char* option, const auto& value, const auto& other) {
    if (!d.draw) refuse_idle(option, value, other, "--sample", "a search");
  };
  of_draw("temperature", filter.temperature, all.temperature);
  of_draw("top-k", filter.top_k, all.top_k);
  of_draw("top-p", filter.top_p, all.top_p);
  of_draw("seed", d.sample.seed, untouched.sample.seed);
  if (d.candidates > 0)
    refuse_idle("beam", search.beam, none.beam, "a search for the best", "--mbr");
  else
    refuse_idle("mbr-utility", d.utility, untouched.utility, "--mbr", "taking the best");
  if (search.diverse_groups == 1)
    refuse_idle("diverse-beam-strength", search.diversity_strength, none.diversity_strength, "--diverse-beam-groups",
                "a beam of one group");
}

/// Puts the choices into the options. Throws UsageError for what doesn't go together.
inline void apply(Decoding& d) {
  seq2seq::BeamSearchOptions& search = d.options.search;
  if (d.models.empty()) throw UsageError("--model is needed");
  refuse_idle_decoding(d);
  search.length_normalisation =
      d.normalisation == "gnmt" ? seq2seq::LengthNormalisation::gnmt : seq2seq::LengthNormalisation::power;
  if (d.candidates > 0) {
    d.options.minimum_bayes_risk = {.utility = d.utility == "bleu" ? seq2seq::Utility::bleu : seq2seq::Utility::chrf};
    (d.draw ? d.sample.samples : search.beam) = d.candidates;
  }
  if (!d.prefix.empty()) d.options.prefixes = {d.prefix};
  if (d.draw) {
    d.sample.max_length = search.max_length;
    d.sample.no_repeat_ngram = search.no_repeat_ngram;
    d.options.sample = d.sample;
  }
  if (search.beam % search.diverse_groups != 0)
    throw UsageError(fmt::format("--diverse-beam-groups {} must divide --{} {}", search.diverse_groups,
                                 d.candidates > 0 ? "mbr" : "beam", search.beam));
}

/// The model, or the ensemble. Throws UsageError as `apply`, and for a beam wider than the vocabulary.
inline std::unique_ptr<seq2seq::Translator> load(Decoding& d) {
  apply(d);
  set_num_threads(d.threads);
  auto translator = seq2seq::Translator::load(d.models[0]);
  for (std::size_t m = 1; m < d.models.size(); ++m) translator->add(std::move(*seq2seq::Translator::load(d.models[m])));
  if (const auto pieces = translator->vocabularies().target.size(); !d.draw && d.options.search.beam > pieces)
    throw UsageError(fmt::format("--{} {} is wider than the vocabulary of {} pieces", d.candidates > 0 ? "mbr" : "beam",
                                 d.options.search.beam, pieces));
  return translator;
}

}  // namespace translator_decoding
