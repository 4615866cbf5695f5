#pragma once
#include "weft/seq2seq/batch.hpp"
#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

/// Scheduled sampling (Bengio et al. 2015), for all steps at once (Duckworth et al. 2019, one pass): the batch with each token
/// of target_in but the first replaced, with probability `share`, by what the model finds likeliest there after the tokens of
/// the text; target_out stays. In training mode under a tape, from whose generator it draws as dropout does; otherwise the
/// batch as it is. Costs another pass forward, without dropout. Throws ValueError for a share outside 0 to 1.
Batch scheduled_sampling(Model& model, const Batch& batch, double share);

}  // namespace weft::seq2seq
