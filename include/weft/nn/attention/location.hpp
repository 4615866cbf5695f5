#pragma once
#include "weft/nn/attention/looking_back.hpp"

namespace weft::nn::attention {

struct LocationOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  std::int64_t hidden = 0;
  std::int64_t channels = 10;  ///< filters of the convolution
  std::int64_t kernel = 11;    ///< their width, odd: as many places before as behind
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// score = v . tanh(W query + U key + b + V f), f = F * the weights of the query before (Chorowski et al. 2015): a convolution
/// tells where that one stood, so that the next may go on from there. Throws ValueError for sizes that aren't positive or an
/// even kernel.
class Location : public LookingBack {
 public:
  explicit Location(const LocationOptions& options, const Scope& scope = {});

  Weight filters;   ///< F [channels, 1, kernel]
  Linear location;  ///< V [hidden, channels]

 private:
  Var features(const Var& history) override;
  Var next(const Var& history, const Var& weights) override;
};

}  // namespace weft::nn::attention
