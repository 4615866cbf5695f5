#pragma once
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer_settings.hpp"
#include "weft/metrics/bootstrap.hpp"
#include "weft/seq2seq/summarizer.hpp"
#include "weft/train/summarization_task.hpp"

/// What the summarizer is told on the command line.
namespace summarizer_settings {

using namespace trainer_settings;

/// Settings of a run, with defaults that work untouched.
struct Settings : TrainerSettings {
  std::string data, attention = "coverage", recurrent = "lstm";
  std::int64_t held_out = 500, vocabulary = 10000;
  bool quick = false, no_copy = false, untied = false;
  seq2seq::EncoderDecoderOptions model = {
      .embedding = 128, .hidden = 256, .share_embeddings = true, .dropout = 0.3, .coverage_weight = 1};
  SummarizationTaskOptions task = {.batching = {.max_tokens = 2048}};

  seq2seq::EncoderDecoderOptions model_for(std::int64_t words) const {
    seq2seq::EncoderDecoderOptions options = model;
    options.source_vocabulary = options.target_vocabulary = words;
    options.attention = seq2seq::attention_kind(attention);
    options.recurrent = nn::recurrent_kind(recurrent);
    options.tie_output = !untied;
    options.copy = !no_copy;
    return options;
  }
};

/// Those of a small run in seconds, where it is to be quick.
inline Settings settings_for(bool quick) {
  Settings s;
  s.trainer.epochs = 12;
  s.trainer.lr = 2e-3;
  s.trainer.cooldown = 0.7;
  if (!quick) return s;
  s.held_out = 100;
  s.vocabulary = 60;
  s.model.embedding = 32;
  s.model.hidden = 64;
  s.model.dropout = 0.1;
  s.trainer.epochs = 3;
  s.trainer.lr = 1e-2;
  s.trainer.cooldown = 0;
  s.task.batching.max_tokens = 800;
  return s;
}

inline void add_training_options(po::options_description& options, Settings& s) {
  auto add = options.add_options();
  add("data", option(s.data), "file of headlines; its split TRAIN is learned from");
  add("held-out", number(s.held_out, 1, largest_size), "stories at the end of the split TRAIN that are validated on");
  add("vocabulary", number(s.vocabulary, 5, largest_size), "most words that can be said without being copied");
  add("embedding", number(s.model.embedding, 1, largest_size), "size of embeddings");
  add("hidden", number(s.model.hidden, 2, largest_size), "size of the decoder's state, even");
  add("encoder-layers", number(s.model.encoder_layers, 1, 1000), "layers");
  add("decoder-layers", number(s.model.decoder_layers, 1, 1000), "layers");
  add("recurrent", choice(s.recurrent, {nn::recurrent_names.begin(), nn::recurrent_names.end()}), "of encoder and decoder");
  add("attention", choice(s.attention, {seq2seq::attention_names.begin() + 1, seq2seq::attention_names.end()}),
      "kind of attention");
  add("coverage-weight", number(s.model.coverage_weight, 0, 1000), "of the coverage loss; 0: none");
  add("no-copy", po::bool_switch(&s.no_copy), "say words of the vocabulary alone");
  add("untied", po::bool_switch(&s.untied), "an output layer of its own instead of the embedding");
  add("dropout", number(s.model.dropout, 0, 0.99), "probability");
  add("batch-tokens", number(s.task.batching.max_tokens, 2), "words of a batch, both sides and padding counted");
  add("max-source", number(s.task.validation.max_source, 1, largest_size), "words of a paragraph that are read");
  add("quick", po::bool_switch(&s.quick), "a small model on generated news, in seconds");
  add_trainer_options(options, s);
}

inline void apply(Settings& s) {
  trainer_settings::apply(s);
  if (s.model.hidden % 2 != 0)
    throw UsageError(fmt::format("--hidden {} must be even: each direction of the encoder has half", s.model.hidden));
  if (s.attention.starts_with("local-") && !s.no_copy)
    throw UsageError(fmt::format("--attention {} needs --no-copy: a word outside of its window can't be copied", s.attention));
  s.task.batching.max_length = s.task.validation.max_source;
  s.task.batching.truncate = true;
  if (s.task.batching.max_tokens / 2 < s.task.batching.max_length)
    throw UsageError(fmt::format("--batch-tokens {} must be twice --max-source {} or more, to hold any story",
                                 s.task.batching.max_tokens, s.task.batching.max_length));
  s.task.batching.seed = s.trainer.seed;
  s.trainer.settings = {{"vocabulary", fmt::to_string(s.vocabulary)}};
}

struct Decoding {
  std::vector<std::string> models;
  seq2seq::SummarizeOptions options = {};
  int threads = num_threads();
};

inline void add_decoding_options(po::options_description& options, Decoding& d) {
  seq2seq::BeamSearchOptions& search = d.options.search;
  auto add = options.add_options();
  add("model", po::value(&d.models), "folder of a training run; given several times, their ensemble");
  add("beam", number(search.beam, 1, most_hypotheses), "1 is greedy");
  add("length-penalty", number(search.length_penalty, 0, 100), "exponent of the length that scores are divided by");
  add("coverage-penalty", number(search.coverage_penalty, 0, 100), "on words of the text that were passed over (GNMT)");
  add("no-repeat-ngram-size", number(search.no_repeat_ngram, 0, largest_size), "no n-gram of so many words twice; 0: any may");
  add("max-length", number(search.max_length, 1, largest_size), "most words of a headline");
  add("max-source", number(d.options.max_source, 1, largest_size), "words of a text that are read");
  add("batch", number(d.options.batch, 1, largest_size), "texts at a time");
  add("threads", number(d.threads, 1, most_threads), "threads");
}

struct Scoring {
  std::string data, split = "TEST";
  bool quick = false;
  std::int64_t held_out = 0;
  std::string count = "all";
  metrics::BootstrapOptions bootstrap = {};
};

inline void add_scoring_options(po::options_description& options, Scoring& s) {
  auto add = options.add_options();
  add("data", option(s.data), "file of headlines");
  add("quick", po::bool_switch(&s.quick), "generated news that no quick run has learned from");
  add("split", choice(s.split, {"TEST", "NOT-USED", "validation"}), "which stories; validation: those that train holds out");
  add("held-out", number(s.held_out, 0, largest_size), "how many these are; 0: as many as the model's run says, or 500");
  add("count", choice(s.count, {"all", "alphanumeric"}),
      "words that ROUGE counts: all, punctuation too, or runs of letters and digits alone, as the package rouge-score");
  add("bootstrap", number(s.bootstrap.samples, 0, largest_size), "print 95 % intervals of so many resamples; 0: none");
}

/// The options that make the run's settings, by the setting's name.
inline std::map<std::string, const char*> option_of_settings() {
  std::map<std::string, const char*> options = {{"batching.seed", "--seed"},
                                                {"summarizer.embedding", "--embedding"},
                                                {"summarizer.hidden", "--hidden"},
                                                {"summarizer.encoder_layers", "--encoder-layers"},
                                                {"summarizer.decoder_layers", "--decoder-layers"},
                                                {"summarizer.recurrent", "--recurrent"},
                                                {"summarizer.attention", "--attention"},
                                                {"summarizer.tie_output", "--untied"},
                                                {"summarizer.dropout", "--dropout"},
                                                {"summarizer.copy", "--no-copy"},
                                                {"summarizer.coverage_weight", "--coverage-weight"},
                                                {"summarizer.source_vocabulary", "--vocabulary"},
                                                {"summarizer.target_vocabulary", "--vocabulary"},
                                                {"vocabulary", "--vocabulary"},
                                                {"words.symbols", "--data, --vocabulary"},
                                                {"held_out", "--held-out"},
                                                {"training_text", "--data, --held-out"},
                                                {"validation_text", "--data, --held-out"},
                                                {"validation.search", "--max-source"},
                                                {"batching.max_tokens", "--batch-tokens"},
                                                {"batching.max_length", "--max-source"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return options;
}

}  // namespace summarizer_settings
