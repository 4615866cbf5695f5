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
#include "weft/nn/conv.hpp"
#include "weft/nn/conv_lstm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"

namespace weft::seq2seq {

struct DigitTrackerOptions {
  std::int64_t size = 32;      ///< pixels a side of a frame, a multiple of 4
  std::int64_t channels = 16;  ///< of the first convolution; the second has twice, the third four times as many
  std::int64_t hidden = 192;   ///< of the recurrent network
  std::int64_t classes = 10;   ///< names that a digit can have
  nn::RecurrentKind recurrent = nn::RecurrentKind::lstm;
  std::int64_t conv_lstm = 0;  ///< channels of a ConvLSTM over the frames' cells; 0: none
};

std::string to_json(const DigitTrackerOptions& options);
/// Throws FormatError naming `source` for text that isn't of that form.
DigitTrackerOptions digit_tracker_options_of(const std::string& json, const std::string& source);

/// What is told of the two digits of each film, in any order.
struct Tracks {
  Var names;          ///< logits [batch, 2, classes]
  Var centres;        ///< [batch, frames, 2, 2]: row and column of each digit's middle in each frame, in pixels
  Var front;          ///< logit [batch] of the first digit being the front one
  Var frame_weights;  ///< [batch, 2, frames]: what each frame counts for the name
  Var cell_weights;   ///< [batch, 2, frames, size / 4, size / 4]: where each digit is looked for in each frame
};

/// What was there: the digits in any order, the front one first.
struct TrackTargets {
  Tensor names;    ///< i32 [batch, 2]
  Tensor centres;  ///< f32 or f64 [batch, frames, 2, 2], in pixels
};

/// Follows two digits through a film. Three convolutions make of each frame a grid of cells of 4 by 4 pixels, to which a
/// learned place is added; with `conv_lstm`, what a ConvLSTM (Shi et al. 2015) makes of them from frame to frame stands beside
/// it, so that a cell knows what was near it before. An LSTM or a GRU goes from frame to frame; its state asks for each digit
/// where it is (dot product attention over the cells), and what is found there goes into the next state. A digit's centre is
/// the middle of the cells by their weights, corrected by what was found and by the state, so that a digit that is hidden still
/// has one; its name comes from what was found in all frames, pooled by weights of their own (Yang et al. 2016).
class DigitTracker : public nn::Module<DigitTracker> {
 public:
  /// Throws ValueError for sizes that can't be.
  explicit DigitTracker(const DigitTrackerOptions& options = {}, const nn::Scope& scope = {});
  /// With the best weights of a run of DigitTrackingTask in `folder`, in evaluation mode. Throws IoError, FormatError.
  static std::unique_ptr<DigitTracker> load(const std::filesystem::path& folder);

  /// frames f32 or f64 [batch, frames, size, size]. Throws ShapeError, DTypeError.
  Tracks forward(const Tensor& frames);

  const DigitTrackerOptions& options() const { return options_; }

 private:
  Var features(const Tensor& frames);

  DigitTrackerOptions options_;
  nn::Conv2d first_, second_, third_;
  nn::BatchNorm2d second_norm_, third_norm_;
  nn::Weight place_;  // [channels, rows, columns] of the grid
  std::optional<nn::ConvLSTM> conv_lstm_;
  nn::attention::Dot attention_;
  nn::AnyRecurrentCell cell_;
  nn::Linear query_, correction_, refinement_, front_;
  nn::Linear description_;
  nn::attention::Pooling pooling_;
  nn::Linear name_;
};

/// The mean over the films of
///   -log p(names) + (Huber's distance of the centres, in cells, both coordinates and digits added, mean over the frames) - log
///   p(front)
/// where the tracks are paired with the digits in the way that costs less, film by film. Throws ShapeError, DTypeError,
/// IndexError for names that are no class.
Var tracking_loss(const Tracks& tracks, const TrackTargets& targets);

}  // namespace weft::seq2seq
