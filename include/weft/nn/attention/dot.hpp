#pragma once
#include "weft/nn/attention/attention.hpp"

namespace weft::nn::attention {

struct DotOptions {
  bool scaled = false;  ///< divides by sqrt(size) (Vaswani 2017)
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// score = query . key (Luong 2015); both have one size.
class Dot : public Attention {
 public:
  explicit Dot(const DotOptions& options = {}, const Scope& scope = {});

 private:
  Var prepare(const Var& keys) override;  // [batch, size, places]: turned once, so that all steps' gradients are one product
  PreparedKeys prepared() const override { return {.turned = true}; }
  Var scores(const Var& query, const Var& keys) override;
  bool scaled_;
};

}  // namespace weft::nn::attention
