#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer_settings.hpp"
#include "weft/seq2seq/translator.hpp"
#include "weft/train/translation_task.hpp"

/// What a training run of the translator is told on the command line.
namespace translator_settings {

using namespace trainer_settings;

/// Settings of a run, with defaults that work untouched.
struct Settings : TrainerSettings {
  Settings() {
    trainer.decay = 0.5;
    trainer.adam.betas = {0.9, 0.98};
    trainer.adam.eps = 1e-9;
  }

  std::string source, target, valid_source, valid_target, source_model, target_model;
  std::string kind = "lstm", subword = "bpe", attention = "general", normaliser = "softmax", recurrent = "lstm";
  std::int64_t vocabulary = 8000;
  bool joint = false, no_input_feeding = false, untied = false, post_norm = false;
  std::string positions = "sinusoid", mixing = "attention";
  double dropout = 0.3;
  seq2seq::EncoderDecoderOptions lstm = {.embedding = 256, .hidden = 512};
  seq2seq::TransformerOptions transformer = {};
  TranslationTaskOptions task = {.batching = {.max_tokens = 4096}};

  bool is_transformer() const { return kind == "transformer"; }
  /// The settings of the chosen kind for these vocabularies.
  seq2seq::ModelOptions model(std::int64_t source_vocabulary, std::int64_t target_vocabulary) const;
};

inline seq2seq::ModelOptions Settings::model(std::int64_t source_vocabulary, std::int64_t target_vocabulary) const {
  const auto fill = [&](auto options) {
    options.source_vocabulary = source_vocabulary;
    options.target_vocabulary = target_vocabulary;
    options.tie_output = !untied;
    options.share_embeddings = joint;
    options.dropout = dropout;
    return options;
  };
  if (is_transformer()) {
    seq2seq::TransformerOptions options = fill(transformer);
    options.decoder_layers = options.encoder_layers;
    options.norm_first = !post_norm;
    options.positions = seq2seq::parse_positions(positions);
    options.mixing = seq2seq::parse_mixing(mixing);
    options.normaliser = nn::normaliser_of(normaliser);
    return options;
  }
  seq2seq::EncoderDecoderOptions options = fill(lstm);
  options.attention = seq2seq::attention_kind(attention);
  options.normaliser = nn::normaliser_of(normaliser);
  options.recurrent = nn::recurrent_kind(recurrent);
  options.input_feeding = !no_input_feeding;
  return options;
}

/// The kind of model that command line or configuration ask for: the other options depend on it.
inline std::string model_kind(const std::vector<std::string>& words) {
  po::options_description options;
  options.add_options()("model", po::value<std::string>(), "");
  const po::variables_map given = read_options::first_look(words, options);
  return given.count("model") != 0 && given["model"].as<std::string>() == "transformer" ? "transformer" : "lstm";
}

/// Defaults of each kind.
inline Settings settings_for(const std::string& kind) {
  Settings s;
  s.kind = kind;
  if (!s.is_transformer()) return s;
  s.trainer.warmup = 1000;
  s.trainer.decay = 1;
  return s;
}

inline void add_training_options(po::options_description& options, Settings& s) {
  auto add = options.add_options();
  add("model", choice(s.kind, {"lstm", "transformer"}),
      "each has options of its own: --model transformer --help lists those of the other");
  add("source-model", option(s.source_model), "SentencePiece model of the source; otherwise one is trained");
  add("target-model", option(s.target_model), "and of the target");
  add("subword", choice(s.subword, {"bpe", "unigram"}), "kind of vocabulary");
  add("vocabulary", number(s.vocabulary, 5, largest_size), "most pieces of a vocabulary");
  add("joint", po::bool_switch(&s.joint), "one vocabulary and embedding for both languages");
  if (s.is_transformer()) {
    add("layers", number(s.transformer.encoder_layers, 1, 1000), "layers of the encoder, and of the decoder");
    add("width", number(s.transformer.width, 2, largest_size), "size of embeddings and layers, even for sinusoids");
    add("heads", number(s.transformer.heads, 1, largest_size), "heads of attention; the width is a multiple of them");
    add("feed-forward", number(s.transformer.feed_forward, 1, largest_size), "size inside of the feed-forward parts");
    add("kv-heads", number(s.transformer.kv_heads, 0, largest_size),
        "heads of keys and values, dividing the heads; 1: multi-query attention; 0: as many as heads");
    add("positions", choice(s.positions, {"sinusoid", "learned", "rotary", "alibi", "shaw", "t5"}),
        "sinusoid or learned, added to the embeddings; rotary, alibi, shaw or t5, inside of the attention");
    add("mixing", choice(s.mixing, {nn::mixing_names.begin(), nn::mixing_names.end()}),
        "what a sentence's places see each other by: attention, light or dynamic convolution, linear attention, a gated "
        "attention unit, attention in blocks (block_local), to places --reach apart (strided) or in a window");
    add("kernel-size", number(s.transformer.kernel_size, 1, largest_size), "places that light and dynamic convolutions see");
    add("reach", number(s.transformer.reach, 1, largest_size),
        "places of a block (block_local), from one to the next (strided) or on each side (window)");
    add("max-span", number(s.transformer.max_span, 0, largest_size),
        "farthest that heads of attention may learn to look in a sentence; 0: they see all of it");
    add("span-weight", number(s.transformer.span_weight, 0, 1000), "of the heads' spans, in places, in the loss");
    add("post-norm", po::bool_switch(&s.post_norm), "normalise the sums, not what goes into each part");
  } else {
    add("embedding", number(s.lstm.embedding, 1, largest_size), "size of embeddings");
    add("hidden", number(s.lstm.hidden, 2, largest_size), "size of the decoder's state, even");
    add("encoder-layers", number(s.lstm.encoder_layers, 1, 1000), "layers");
    add("decoder-layers", number(s.lstm.decoder_layers, 1, 1000), "layers");
    add("attention", choice(s.attention, {seq2seq::attention_names.begin(), seq2seq::attention_names.end()}),
        "kind of attention");
    add("window", number(s.lstm.window, 1, largest_size), "places on each side that local attention sees");
    add("attention-heads", number(s.lstm.heads, 1, largest_size), "of multi_head; --hidden is a multiple of them");
    add("recurrent", choice(s.recurrent, {nn::recurrent_names.begin(), nn::recurrent_names.end()}), "of encoder and decoder");
    add("no-input-feeding", po::bool_switch(&s.no_input_feeding),
        "leave the last attentional vector out of the decoder's input");
  }
  add("normaliser", choice(s.normaliser, {nn::normaliser_names.begin(), nn::normaliser_names.end()}),
      "of the attention's weights");
  add("untied", po::bool_switch(&s.untied), "an output layer of its own instead of the target embedding");
  add("dropout", number(s.dropout, 0, s.is_transformer() ? 0.99 : 1), "probability");
  add("label-smoothing", number(s.task.label_smoothing, 0, 1), "share of the target");
  add("scheduled-sampling", number(s.task.scheduled_sampling, 0, 1), "share of the decoder's inputs that are its own tokens");
  add("sampling-epochs", number(s.task.sampling_epochs, 0, largest_size), "in which that share grows from 0");
  add("batch-tokens", number(s.task.batching.max_tokens, 2), "tokens of a batch, both sides and padding counted");
  add("max-length", number(s.task.batching.max_length, 1, largest_size), "longer pairs are left out");
  add("keep", number(s.trainer.keep, 0, largest_size), "keeps the weights of so many last validations, for translator average");
  add_trainer_options(options, s);
}

/// Of an option that another command or the other kind of model alone has.
inline std::string hint(const std::string& kind, const std::string& name) {
  if (name == "quick") return "--quick is of translator quickstart, which learns from generated sentences";
  const std::string other_kind = kind == "lstm" ? "transformer" : "lstm";
  Settings other = settings_for(other_kind);
  po::options_description options;
  add_training_options(options, other);
  const std::vector<std::string> names = read_options::names_of(options);
  if (std::find(names.begin(), names.end(), name) == names.end()) return "";
  return fmt::format("--{} is an option of --model {}; this is --model {}", name, other_kind, kind);
}

inline void apply(Settings& s) {
  trainer_settings::apply(s);
  if (s.lstm.hidden % 2 != 0)
    throw UsageError(fmt::format("--hidden {} must be even: each direction of the encoder has half", s.lstm.hidden));
  if (s.attention == "multi_head" && s.lstm.hidden % s.lstm.heads != 0)
    throw UsageError(fmt::format("--hidden {} must be a multiple of --attention-heads {}", s.lstm.hidden, s.lstm.heads));
  if (s.attention == "none" && s.normaliser != "softmax")
    throw UsageError(fmt::format("--normaliser {} is of attention; --attention none has none", s.normaliser));
  read_options::refuse_idle_attention(s.attention, s.lstm);
  const auto& t = s.transformer;
  read_options::refuse_idle_mixing(s.mixing, t);
  if (t.max_span == 0)
    read_options::refuse_idle("span-weight", t.span_weight, seq2seq::TransformerOptions().span_weight, "--max-span",
                              "--max-span 0");
  if ((s.positions == "sinusoid" && t.width % 2 != 0) || t.width % t.heads != 0)
    throw UsageError(fmt::format("--width {} must be even and a multiple of --heads {}", t.width, t.heads));
  if (t.kv_heads > 0 && t.heads % t.kv_heads != 0)
    throw UsageError(fmt::format("--heads {} must be a multiple of --kv-heads {}", t.heads, t.kv_heads));
  if (s.positions == "rotary" && t.width / t.heads % 2 != 0)
    throw UsageError(
        fmt::format("--positions rotary needs an even size of each head, not --width {} / --heads {}", t.width, t.heads));
  if (s.mixing != "attention" && s.positions != "sinusoid" && s.positions != "learned")
    throw UsageError(
        fmt::format("--positions {} is of attention; --mixing {} needs sinusoid or learned", s.positions, s.mixing));
  if (s.mixing != "attention" && s.normaliser != "softmax")
    throw UsageError(
        fmt::format("--normaliser {} is of --mixing attention; {} has no weights to normalise", s.normaliser, s.mixing));
  if (s.mixing != "attention" && t.max_span > 0)
    throw UsageError(fmt::format("--max-span {} is of --mixing attention; {} has no spans", t.max_span, s.mixing));
  if (s.task.batching.max_tokens / 2 < s.task.batching.max_length)
    throw UsageError(fmt::format("--batch-tokens {} must be twice --max-length {} or more, to hold any pair",
                                 s.task.batching.max_tokens, s.task.batching.max_length));
  if (s.joint && !s.target_model.empty())
    throw UsageError("--joint takes one model for both languages, as --source-model; --target-model is one too many");
  s.task.batching.seed = s.trainer.seed;
}

}  // namespace translator_settings
