#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "weft/nn/ctc_decode.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::nn {

/// What a transducer's scores are asked for: a frame of a row, and the labels that the row has been given so far.
struct TransducerPlace {
  std::int64_t row = 0;
  std::int64_t frame = 0;
  std::vector<std::int64_t> labels;
};

/// The joint network's logits [places, classes] (f32 or f64) for places of one row or of several: a function of each place
/// alone. The prediction network's states are its own to keep, by labels.
using TransducerScores = std::function<Tensor(const std::vector<TransducerPlace>& places)>;

struct TransducerOptions {
  std::int64_t blank = 0;
  std::int64_t max_labels = 100;  ///< of a row: a model that never says blank would go on for ever
};

struct TransducerBeamOptions {
  std::int64_t blank = 0;
  std::int64_t max_labels = 100;
  std::int64_t beam_width = 8;  ///< sequences of labels kept after each frame
  std::int64_t n_best = 1;      ///< of them given back for each row, or as many as there are
};

// Labels for a model trained with transducer_loss: at each frame labels come one after the other until a blank goes on to the
// next frame. input_lengths (i32 or i64 [batch]) are the frames of each row, which is decoded as if it were alone, in f64.
// Throw ShapeError for logits of another shape, DTypeError, ValueError for a negative length, options out of range and a place
// without probabilities (NaN, or no class that is possible), IndexError for a blank that is no class.

/// The most probable class at each place, of equal ones the first: one alignment, with its probability, which is not that of
/// the labels. All rows go on together.
std::vector<DecodedLabels> transducer_greedy(const TransducerScores& scores, const Tensor& input_lengths,
                                             const TransducerOptions& options = {});

/// Beam search over sequences of labels, each with the summed probability of its alignments (Graves 2012). Within a frame they
/// are extended in the order of their length, so that each has all its alignments before it is; that ends when beam_width
/// sequences that have left the frame are more probable than what remains in it. For each row the most probable first. With a
/// beam that nothing falls out of, the probabilities are those of transducer_loss.
std::vector<std::vector<DecodedLabels>> transducer_beam_search(const TransducerScores& scores, const Tensor& input_lengths,
                                                               const TransducerBeamOptions& options = {});

}  // namespace weft::nn
