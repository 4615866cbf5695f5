#include "weft/nn/normaliser.hpp"

#include "weft/ops/entmax.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {

Var normalised(Normaliser normaliser, const Var& scores, const Tensor& mask) {
  switch (normaliser) {
    case Normaliser::sparsemax: return sparsemax(scores, -1, mask);
    case Normaliser::entmax15: return entmax15(scores, -1, mask);
    case Normaliser::softmax: break;
  }
  return mask.defined() ? masked_softmax(scores, mask) : softmax(scores, -1);
}

}  // namespace weft::nn
