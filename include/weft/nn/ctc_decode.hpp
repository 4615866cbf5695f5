#pragma once
#include <cstdint>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::nn {

/// What a row of frames was read as.
struct DecodedLabels {
  std::vector<std::int64_t> labels;
  double log_probability = 0;
};

struct CTCBeamOptions {
  std::int64_t blank = 0;
  std::int64_t beam_width = 16;  ///< prefixes kept after each frame
  std::int64_t n_best = 1;       ///< of them given back for each row, or as many as there are
};

// Labels for a model trained with ctc_loss: logits [batch, time, classes] (log-probabilities are taken as they are), f32 or
// f64; input_lengths [batch] (i32 or i64; undefined: all of it), behind which nothing is read. Each row is decoded by itself,
// in f64. Throw ShapeError, DTypeError, ValueError for a length out of range, options out of range and a frame without a
// probability (NaN, or no class that is possible), IndexError for a blank that is no class.

/// The most probable class of each frame (of equal ones the first), repeated ones and then blanks taken out (Graves et al.
/// 2006): the best alignment, with its probability, which is not that of the labels.
std::vector<DecodedLabels> ctc_greedy(const Tensor& logits, const Tensor& input_lengths = {}, std::int64_t blank = 0);

/// Search over prefixes of labels, each with the summed probability of its alignments that end in a blank and of those that
/// don't (Graves 2012; Hannun et al. 2014). For each row the most probable first. With a beam that nothing falls out of, the
/// probabilities are those of ctc_loss, and the first labels are the best there are.
std::vector<std::vector<DecodedLabels>> ctc_beam_search(const Tensor& logits, const Tensor& input_lengths = {},
                                                        const CTCBeamOptions& options = {});

}  // namespace weft::nn
