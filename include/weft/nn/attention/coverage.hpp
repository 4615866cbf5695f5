#pragma once
#include "weft/nn/attention/looking_back.hpp"
#include "weft/ops/loss.hpp"

namespace weft::nn::attention {

struct CoverageOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  std::int64_t hidden = 0;
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// score = v . tanh(W query + U key + b + w c), c the sum of the weights of all queries before (See et al. 2017): what was
/// attended to can be left alone. Trained with coverage_loss.
class Coverage : public LookingBack {
 public:
  explicit Coverage(const CoverageOptions& options, const Scope& scope = {});

  Linear coverage;  ///< w [hidden, 1]

 private:
  Var features(const Var& history) override;
  Var next(const Var& history, const Var& weights) override;
};

/// sum over places of min(weight, coverage), coverage being the sum of the weights of the queries before (See et al. 2017),
/// from the weights [rows, queries, places] of all queries. lengths (i64 or i32 [rows]): queries of each row that count;
/// undefined: all. mean: over the queries that count, 0 where none does; none: [rows, queries], 0 where it doesn't count.
/// Throws ShapeError, DTypeError, ValueError for an undefined value or a length that can't be.
Var coverage_loss(const Var& weights, const Tensor& lengths = {}, LossReduction reduction = LossReduction::mean);

}  // namespace weft::nn::attention
