#pragma once
#include "weft/nn/attention/attention.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn::attention {

struct CosineOptions {
  double temperature = 1;  ///< above 0; small ones make weights sharp
  bool learned = false;    ///< the temperature is a parameter that starts so
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// score = query . key / (|query| |key| temperature) (Graves et al. 2014, Neural Turing Machines); both have one size. Norms
/// below 1e-8 count as 1e-8. Throws ValueError for a temperature that isn't above 0 and finite, 1 / temperature too in f32.
class Cosine : public Attention {
 public:
  explicit Cosine(const CosineOptions& options = {}, const Scope& scope = {});

  Weight log_scale;  ///< [1], log(1 / temperature), which keeps it above 0; none where it isn't learned

 private:
  Var prepare(const Var& keys) override;  // of norm 1, [batch, size, places]
  PreparedKeys prepared() const override { return {.turned = true}; }
  Var scores(const Var& query, const Var& keys) override;
  double scale_;
};

}  // namespace weft::nn::attention
