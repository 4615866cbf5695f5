#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "weft/nn/any_recurrent.hpp"
#include "weft/nn/attention.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/seq2seq/model.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::seq2seq {

/// Kinds of nn::attention; none leaves the decoder with the encoder's last states.
enum class AttentionKind : std::uint8_t {
  none,
  dot,
  scaled_dot,
  general,
  additive,
  concat,
  cosine,
  location,
  local_m,
  local_p,
  multi_head,
  coverage
};

/// As checkpoints and command lines have them, in the order of the kinds.
inline constexpr std::array attention_names = {"none",   "dot",      "scaled_dot", "general", "additive",   "concat",
                                               "cosine", "location", "local-m",    "local-p", "multi_head", "coverage"};
std::string name_of(AttentionKind kind);
/// Throws ValueError that lists the names for another one.
AttentionKind attention_kind(const std::string& name);

struct EncoderDecoderOptions {
  std::int64_t source_vocabulary = 0, target_vocabulary = 0;
  std::int64_t source_size = 0;  ///< of features that the source is made of instead of tokens, such as a sound's frames
  std::int64_t embedding = 256;
  std::int64_t hidden = 512;  ///< of the decoder; each direction of the encoder has half
  std::int64_t encoder_layers = 1, decoder_layers = 1;
  AttentionKind attention = AttentionKind::general;
  std::int64_t window = 10;                               ///< of local_m and local_p: places seen on each side
  std::int64_t heads = 8;                                 ///< of multi_head, dividing hidden
  nn::Normaliser normaliser = nn::Normaliser::softmax;    ///< of the attention's weights; softmax in a model that copies
  nn::RecurrentKind recurrent = nn::RecurrentKind::lstm;  ///< of encoder and decoder
  bool input_feeding = true;      ///< the attentional vector of a step is part of the next step's input (Luong 2015)
  bool tie_output = false;        ///< the output layer is the target embedding; the attentional vector has its size
  bool share_embeddings = false;  ///< source and target have one vocabulary and one embedding
  double dropout = 0;             ///< on embeddings, between layers and on the attentional vector
  bool copy = false;              ///< words of the source can be said as well (See et al. 2017); both sides have one
                                  ///< vocabulary; not with local_m and local_p, whose weights are 0 outside of the window
  double coverage_weight = 0;     ///< of nn::attention::coverage_loss, in the loss while in training mode; with any attention
  /// Makes an attention of one's own, registered by the scope that it gets, in place of `attention` and `normaliser`, which
  /// stay as they are here. Queries, keys and values are `hidden` wide. to_json can't say what it makes.
  std::function<std::unique_ptr<nn::attention::Attention>(const nn::Scope& scope)> make_attention = {};
};

/// A bidirectional LSTM or GRU that encodes, and one that decodes with attention (Bahdanau 2014, Luong 2015), or without
/// (Sutskever 2014).
///
/// With `copy` ids may be extended ones: from the vocabulary's size on each row of the source numbers the words that the
/// vocabulary lacks (text::ExtendedVocabulary), no more than it has places. They are embedded as unknown_id, can be said, and
/// are targets like others. Features are log probabilities then, as wide as the rows at hand need, and `project` leaves them.
/// A target that neither vocabulary nor source has is unknown_id. There is no label smoothing: `loss` throws ValueError.
class EncoderDecoder : public Model {
 public:
  explicit EncoderDecoder(const EncoderDecoderOptions& options, const nn::Scope& scope = {});

  Encoded encode(const Padded& source) override;
  DecoderStep step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) override;
  Var project(const Var& features) override { return copy_ ? features : logits(features); }
  std::int64_t target_vocabulary() const override { return options_.target_vocabulary; }
  bool attends() const override { return attention_ != nullptr; }
  bool copies() const override { return copy_.has_value(); }

  const EncoderDecoderOptions& options() const { return options_; }

  /// How the tokens of a target come about, zeros at its padding.
  struct Copying {
    Tensor weights;   ///< attention [rows, steps, source]
    Tensor generate;  ///< the gate [rows, steps]: the part that is generated, the rest is copied
    Tensor copied;    ///< [rows, steps]: which part of the token's probability is the source's
  };
  /// By teacher forcing; nothing is recorded. Throws ValueError for a model that doesn't copy, and as `loss`.
  Copying copying(const Batch& batch);

 protected:
  /// What it reads: tokens, which have an embedding, or what a derived class makes vectors of by its own embed_source;
  /// source_vocabulary then counts for nothing.
  enum class Source : std::uint8_t { tokens, other };
  EncoderDecoder(const EncoderDecoderOptions& options, Source source, const nn::Scope& scope);

  /// What the encoder reads, [rows, columns, embedding], on which dropout comes; the features themselves where there is a
  /// source_size, without dropout.
  virtual Var embed_source(const Padded& source);

 private:
  Reading read(const Batch& batch) override;
  Var loss_of(const Batch& batch, double label_smoothing) override;
  /// The layers' states, with input feeding the attentional vector of the last step [rows, attention size], and what the
  /// attention carries.
  struct State {
    PoolVector<LSTMState> layers;  // a GRU's without c
    Var feed;
    nn::AttentionState attention;
  };
  /// What the next token is made of, a row for each: without attention the first alone, without copying no source.
  struct Outlook {
    Var attentional;  // tanh(W [context; h]) [rows, attention size]
    Var weights;      // attention [rows, source]
    Var context, h, embedded;
    Tensor source;  // extended ids, i64 [rows, source]
  };
  struct Step {
    State state;
    Outlook outlook;
  };
  struct Start {
    nn::AttentionMemory memory;
    State state;
  };
  Start start(const Padded& source);
  static DecoderState packed(const State& state);
  static void keep_first(std::int64_t rows, nn::AttentionMemory& memory, State& state);
  /// Teacher forcing: the outlook of each token of the target and its place, as in Reading.
  struct Outlooks {
    Outlook outlook;
    Tensor places;
  };
  Outlooks look_ahead(const Batch& batch);
  /// From embedded tokens [rows, embedding].
  Step advance(const nn::AttentionMemory& memory, const State& state, const Var& embedded);
  /// Target embeddings of ids (any shape), with dropout in training.
  Var embed_target(const Tensor& ids);
  /// Of the vocabulary [rows, target vocabulary], from attentional vectors.
  Var logits(const Var& attentional);
  /// Each row as one step, over an extended vocabulary.
  nn::attention::PointerGeneratorInput to_copy(const Outlook& outlook, std::int64_t extended);
  /// What `step` and `read` call features.
  Var features(const Outlook& outlook, std::int64_t extended);
  /// The vocabulary's size and the most further words that a row of `source` has. Throws IndexError for an id beyond.
  std::int64_t extended(const Tensor& source) const;
  Tensor embeddable(const Tensor& ids) const;

  std::int64_t attention_size() const { return options_.tie_output ? options_.embedding : options_.hidden; }

  EncoderDecoderOptions options_;
  std::optional<nn::Embedding> source_embedding_;  // none: the target's, or no tokens
  nn::Embedding target_embedding_;
  nn::AnyRecurrent encoder_;
  nn::List<nn::AnyRecurrentCell> decoder_;
  std::unique_ptr<nn::attention::Attention> attention_;  // or none
  nn::Linear combine_;
  std::optional<nn::Linear> output_;  // none: the target embedding
  std::optional<nn::attention::PointerGenerator> copy_;
  nn::Dropout dropout_;
};

}  // namespace weft::seq2seq
