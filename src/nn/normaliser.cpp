#include "weft/nn/normaliser.hpp"

#include "weft/ops/softmax.hpp"

namespace weft::nn {

Var normalised(Normaliser normaliser, const Var& scores, const Tensor& mask) {
  switch (normaliser) {
    case Normaliser::softmax: break;
  }
  return mask.defined() ? masked_softmax(scores, mask) : softmax(scores, -1);
}

}  // namespace weft::nn
