#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "trainer_settings.hpp"
#include "weft/data/documents.hpp"
#include "weft/seq2seq/document_classifier.hpp"
#include "weft/train/classification_task.hpp"

/// What `sentiment train` is told.
namespace sentiment_settings {

using namespace trainer_settings;

/// With defaults that a few thousand texts are learned with.
struct TrainSettings : TrainerSettings {
  std::string folder, word_encoder = "gru", sentence_encoder = "gru", normaliser = "softmax", best_by = "loss";
  data::DocumentSplitOptions split = {};
  seq2seq::DocumentClassifierOptions model = {};
  ClassificationTaskOptions task = {};
  std::int64_t least = 2, max_words = 40;
  bool quick = false;
};

inline void add_model_options(po::options_description& options, TrainSettings& s) {
  const std::vector<std::string> encoders = {"gru", "lstm", "conv", "none"};
  auto add = options.add_options();
  add("embedding", number(s.model.embedding, 1, largest_size), "size of a word's vector");
  add("deviation", number(s.model.embedding_deviation, 0, 10), "of the vectors' first values");
  add("word-encoder", choice(s.word_encoder, encoders), "what reads the words of a sentence");
  add("word-hidden", number(s.model.words.hidden, 1, largest_size), "its size in each direction");
  add("word-join", po::bool_switch(&s.model.words.join_input), "pool the words' own vectors too");
  add("sentence-encoder", choice(s.sentence_encoder, encoders), "what reads the sentences of a text");
  add("sentence-hidden", number(s.model.sentences.hidden, 1, largest_size), "its size in each direction");
  add("sentence-join", po::bool_switch(&s.model.sentences.join_input), "pool the sentences' own vectors too");
  add("kernel-size", number(s.model.words.kernel_size, 1, largest_size), "words or sentences that conv sees at once, odd");
  add("normaliser", choice(s.normaliser, {nn::normaliser_names.begin(), nn::normaliser_names.end()}),
      "of the attention's weights");
  add("dropout", number(s.model.dropout, 0, 0.99), "probability");
  add("word-dropout", number(s.model.word_dropout, 0, 0.99), "probability that a word is missing from a whole batch");
}

inline void add_task_options(po::options_description& options, TrainSettings& s) {
  auto add = options.add_options();
  add("data", option(s.folder), "folder with a folder of texts for each class");
  add("folds", number(s.split.folds, 1, largest_size), "parts that each class's texts, by name, are cut into");
  add("fold", number(s.split.fold, 0, largest_size), "the part that is kept for `evaluate`; 0: none");
  add("held-out", number(s.split.held_out, 0.001, 0.9), "share of the others that chooses the best weights");
  add("best-by", choice(s.best_by, {"loss", "accuracy"}), "of the held-out texts");
  add("least", number(s.least, 1, largest_size), "words that occur less often are unknown");
  add("max-words", number(s.max_words, 1, largest_size), "of a sentence; what is beyond goes on as another");
  add("documents", number(s.task.documents, 1, largest_size), "texts in a batch");
  add("sentence-dropout", number(s.task.sentence_dropout, 0, 0.99), "share of a text's sentences that an epoch leaves out");
  add("label-smoothing", number(s.task.label_smoothing, 0, 1), "share of the target that goes evenly to all classes");
}

/// The defaults: other ones for the generated reviews, which options change as ever.
inline TrainSettings settings_for(bool quick) {
  TrainSettings s;
  s.trainer.epochs = 4;
  s.trainer.lr = 4e-3;
  s.trainer.cooldown = 0.5;
  s.trainer.ema = 0.98;
  s.model.dropout = 0.4;
  s.model.word_dropout = 0.3;
  s.task.sentence_dropout = 0.5;
  s.quick = quick;
  if (!quick) return s;
  s.trainer.lr = 1e-2;
  s.trainer.epochs = 15;
  s.task.documents = 8;
  s.task.sentence_dropout = 0.1;
  s.model.embedding = s.model.words.hidden = s.model.sentences.hidden = 8;
  s.split = {.folds = 4, .fold = 1, .held_out = 0.2};
  return s;
}

/// After the options have been read. Throws UsageError.
inline void apply_all(TrainSettings& s) {
  apply(s);
  if (s.split.fold > s.split.folds) throw UsageError(fmt::format("--fold {} is none of {}", s.split.fold, s.split.folds));
  if (s.model.words.kernel_size % 2 == 0)
    throw UsageError(fmt::format("--kernel-size {} must be odd", s.model.words.kernel_size));
  if (s.word_encoder != "conv" && s.sentence_encoder != "conv")
    read_options::refuse_idle("kernel-size", s.model.words.kernel_size, seq2seq::DocumentClassifierOptions().words.kernel_size,
                              "--word-encoder conv and --sentence-encoder conv", "a model without convolutions");
  s.model.words.encoder = seq2seq::parse_encoder(s.word_encoder);
  s.model.sentences.encoder = seq2seq::parse_encoder(s.sentence_encoder);
  s.model.sentences.kernel_size = s.model.words.kernel_size;
  s.model.normaliser = nn::normaliser_of(s.normaliser);
  s.task.best_by = s.best_by == "loss" ? ClassificationScore::loss : ClassificationScore::accuracy;
  s.task.seed = s.trainer.seed;
}

}  // namespace sentiment_settings
