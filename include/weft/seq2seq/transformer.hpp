#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/positional_encoding.hpp"
#include "weft/nn/transformer.hpp"
#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

/// How a Transformer tells places apart: by what is added to the embeddings (sinusoid: Vaswani et al. 2017; learned), or by
/// distances inside of the attention to itself, as nn::AttentionPositions.
enum class Positions : std::uint8_t { sinusoid, learned, rotary, alibi, shaw, t5 };

struct TransformerOptions {
  std::int64_t source_vocabulary = 0, target_vocabulary = 0;
  std::int64_t width = 256;  ///< of embeddings and of what layers pass on; even for sinusoids
  std::int64_t heads = 4;    ///< divides the width
  std::int64_t feed_forward = 1024;
  std::int64_t encoder_layers = 3, decoder_layers = 3;
  bool norm_first = true;                     ///< normalise what goes into each part instead of the sums
  bool tie_output = true;                     ///< the output layer is the target embedding
  bool share_embeddings = false;              ///< source and target have one vocabulary and one embedding
  double dropout = 0.1;                       ///< below 1; on embeddings and everywhere in the layers
  Positions positions = Positions::sinusoid;  ///< those of attention need nn::Mixing::attention
  std::int64_t max_positions = 512;           ///< of learned ones: longer sentences are a ShapeError, searches end there
  nn::Mixing mixing = nn::Mixing::attention;  ///< of the places of one sentence
  std::int64_t kernel_size = 7;               ///< of light and dynamic mixing
  std::int64_t reach = 8;                     ///< of block_local, strided and window mixing, as nn::TransformerLayerOptions'
  std::int64_t kv_heads = 0;                  ///< heads of keys and values, dividing the heads; 0: as many
  nn::Normaliser normaliser = nn::Normaliser::softmax;  ///< of attention's weights, to the source too, as layers have it
  std::int64_t max_span = 0;  ///< of a sentence's attention to itself: heads learn how far they look; 0: they see all of it
  double span_weight = 2e-6;  ///< of each layer's AdaptiveSpan::loss, in the loss while in training mode
};

/// A Transformer (Vaswani et al. 2017), or what becomes of it with another mixing. Its decoder goes on step by step from what
/// it keeps of the steps before.
class Transformer : public Model {
 public:
  /// Throws ValueError for options that can't be.
  explicit Transformer(const TransformerOptions& options, const nn::Scope& scope = {});

  Encoded encode(const Padded& source) override;
  /// Its weights are the last layer's, averaged over the heads.
  DecoderStep step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) override;
  Var project(const Var& features) override;
  std::int64_t target_vocabulary() const override { return options_.target_vocabulary; }
  std::int64_t max_target_length() const override {
    return options_.positions == Positions::learned ? options_.max_positions : Model::max_target_length();
  }
  bool attends() const override { return true; }

  const TransformerOptions& options() const { return options_; }

 private:
  Reading read(const Batch& batch) override;
  Var loss_of(const Batch& batch, double label_smoothing) override;
  Var encoded(const Padded& source);
  /// Embeddings of ids [rows, places], sqrt(width) times, with positions from `first` on.
  Var embedded_source(const Tensor& ids);
  Var embedded_target(const Tensor& ids, std::int64_t first);
  Var embedded(nn::Embedding& embedding, std::optional<nn::LearnedPositions>& learned, const Tensor& ids, std::int64_t first);

  TransformerOptions options_;
  std::optional<nn::Embedding> source_embedding_;  // none: the target's
  nn::Embedding target_embedding_;
  std::optional<nn::SinusoidalPositions> sinusoids_;
  std::optional<nn::LearnedPositions> source_positions_, target_positions_;
  nn::Transformer transformer_;
  std::vector<nn::AdaptiveSpan*> spans_;  // of its layers
  std::optional<nn::Linear> output_;      // none: the target embedding
  nn::Dropout dropout_;
};

}  // namespace weft::seq2seq
