#pragma once
#include "weft/nn/attention/dot.hpp"
#include "weft/nn/linear.hpp"

namespace weft::nn::attention {

struct PoolingOptions {
  std::int64_t size = 0;    ///< of what is pooled
  std::int64_t hidden = 0;  ///< of the context vector
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// What Pooling gives.
struct PoolingOutput {
  Var context;  ///< [batch, size]
  Var weights;  ///< [batch, places]
};

/// A sequence as one vector: score = u . tanh(W x + b) with a learned context vector u in place of queries, and the mean of x
/// by the weights (Yang et al. 2016). x [batch, places, size], mask bool [batch, places] or undefined; a row without places
/// gets zeros. Throws what Attention::remember does.
class Pooling : public Module<Pooling> {
 public:
  explicit Pooling(const PoolingOptions& options, const Scope& scope = {});

  PoolingOutput forward(const Var& x, const Tensor& mask = {});

  Linear key;      ///< W [hidden, size], b [hidden]
  Weight context;  ///< u [hidden]

 private:
  Dot attention_;
};

}  // namespace weft::nn::attention
