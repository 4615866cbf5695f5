#include "weft/nn/normaliser.hpp"

#include "base/named.hpp"
#include "weft/ops/entmax.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {

std::string name_of(Normaliser normaliser) { return normaliser_names[static_cast<std::size_t>(normaliser)]; }

Normaliser normaliser_of(const std::string& name) {
  return named<Normaliser>(normaliser_names, "normaliser_of", "normaliser", name);
}

Var normalised(Normaliser normaliser, const Var& scores, const Tensor& mask) {
  switch (normaliser) {
    case Normaliser::sparsemax: return sparsemax(scores, -1, mask);
    case Normaliser::entmax15: return entmax15(scores, -1, mask);
    case Normaliser::softmax: break;
  }
  return mask.defined() ? masked_softmax(scores, mask) : softmax(scores, -1);
}

}  // namespace weft::nn
