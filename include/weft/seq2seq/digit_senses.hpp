#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "weft/nn/any_recurrent.hpp"
#include "weft/nn/attention.hpp"
#include "weft/nn/batch_norm.hpp"
#include "weft/nn/co_attention.hpp"
#include "weft/nn/conv.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/gated_fusion.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"

namespace weft::seq2seq {

/// What a digit is told by: one sense alone, or both, joined by GatedFusion of what each makes of it, or by CoAttention of the
/// steps of the sound and the cells of the image to each other.
enum class Senses : std::uint8_t { sound, image, gated, co_attention };

/// As checkpoints and command lines have them, in the order of the kinds.
inline constexpr std::array senses_names = {"sound", "image", "gated", "co_attention"};
std::string name_of(Senses senses);
/// Throws ValueError that lists the names for another one.
Senses senses_of(const std::string& name);

struct DigitSensesOptions {
  Senses senses = Senses::gated;
  std::int64_t bands = 40;               ///< of the sound's frames
  std::int64_t height = 28, width = 28;  ///< of the image, multiples of 4
  std::int64_t classes = 10;
  std::int64_t hidden = 64;                              ///< of what a sense makes of a step or a cell, even
  std::int64_t channels = 16;                            ///< of the first convolution; the second has twice as many
  nn::RecurrentKind recurrent = nn::RecurrentKind::gru;  ///< over the sound's frames
  double dropout = 0.2;
};

std::string to_json(const DigitSensesOptions& options);
/// Throws FormatError naming `source` for text that isn't of that form.
DigitSensesOptions digit_senses_options_of(const std::string& json, const std::string& source);

/// What is told of each pair, and by what. Members are undefined where the kind has none.
struct SensesOutput {
  Var logits;  ///< [batch, classes]
  Var gate;    ///< [batch] of Senses::gated: how much the sound counts, the mean of the gate's elements; 1 - gate: the image
  Var sound_weights;  ///< [batch, frames]
  Var image_weights;  ///< [batch, height / 4, width / 4]
};

/// Names a digit that was spoken and written. A bidirectional GRU or LSTM reads the sound's frames, two convolutions make cells
/// of 4 by 4 pixels of the image; each sense alone pools what it has by learned weights (Yang et al. 2016).
class DigitSenses : public nn::Module<DigitSenses> {
 public:
  /// Throws ValueError for sizes that can't be.
  explicit DigitSenses(const DigitSensesOptions& options = {}, const nn::Scope& scope = {});
  /// With the best weights of a run of DigitSensesTask in `folder`, in evaluation mode. Throws IoError, FormatError.
  static std::unique_ptr<DigitSenses> load(const std::filesystem::path& folder);

  /// sound [batch, frames, bands] with lengths (i64 [batch]), image [batch, height, width]; what a kind doesn't look at may be
  /// undefined. Throws ShapeError, DTypeError, ValueError.
  SensesOutput forward(const Tensor& sound, const Tensor& lengths, const Tensor& image);

  const DigitSensesOptions& options() const { return options_; }

 private:
  /// One sense: normalised input to vectors, and these pooled.
  struct Hearing : nn::Module<Hearing> {
    Hearing(const DigitSensesOptions& options, const nn::Scope& scope);
    Var forward(const Tensor& sound, const Tensor& lengths);  // [batch, frames, hidden]
    nn::BatchNorm1d norm;
    nn::AnyRecurrent encoder;
  };
  struct Sight : nn::Module<Sight> {
    Sight(const DigitSensesOptions& options, const nn::Scope& scope);
    Var forward(const Tensor& image);  // [batch, cells, hidden]
    nn::Conv2d first, second;
    nn::BatchNorm2d norm;
    nn::Linear cell;
    nn::Weight place;
  };

  SensesOutput fused(const Var& steps, const Tensor& lengths, const Var& cells);
  Var in_grid(const Var& weights) const;

  DigitSensesOptions options_;
  std::optional<Hearing> hearing_;
  std::optional<Sight> sight_;
  std::optional<nn::attention::Pooling> sound_pooling_, image_pooling_;
  std::optional<nn::GatedFusion> gated_;
  std::optional<nn::CoAttention> co_attention_;
  nn::Dropout dropout_;
  nn::Linear name_;
};

}  // namespace weft::seq2seq
