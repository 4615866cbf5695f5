#pragma once
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::test {

/// Both orders of gradients, for inputs and parameters, of a layer around an LSTM of two features with lengths.
template <class Layer>
void check_gradients_around_lstm(Layer& layer) {
  layer.to(f64);
  const Tensor x = uniform({2, 3, 2}, -1, 1, 1), lengths = Tensor::from<std::int64_t>({3, 1}, {2});
  const auto run = [&](const std::vector<Var>& in) { return layer(in[0], lengths); };
  gradcheck(run, {x}).require();
  gradgradcheck(run, {x}).require();
  const auto loss = [&] { return sum(square(layer(x, lengths))); };
  gradcheck_parameters(loss, layer.parameters(), {.elements = 10}).require();
  gradgradcheck_parameters(loss, layer.parameters(), {.rtol = 1e-4, .elements = 5}).require();
}

}  // namespace weft::test
