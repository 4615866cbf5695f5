// A chain of operations y = y w; y = y + x on a few floats, forward and backward: what one costs beyond its arithmetic. A token
// is an operation. With these factors neither values nor gradients become denormal.
#include "weft/autograd/tape.hpp"

#include <memory>

#include "models/models.hpp"
#include "weft/ops/elementwise.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

struct State {
  State(const TapeSizes& sizes, const Settings& settings)
      : start(data("start", {sizes.width}, dtype_of(settings))),
        factor(Tensor::full({sizes.width}, 0.999, dtype_of(settings))),
        term(Tensor::full({sizes.width}, 0.001, dtype_of(settings))),
        cotangent(Tensor::ones({sizes.width}, dtype_of(settings))) {}
  Tensor start, factor, term, cotangent;
};

}  // namespace

Work tape(const Settings& settings) {
  const TapeSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = [state, length = sizes.length] {
    Tape tape;
    const Var w = tape.leaf(state->factor), x = tape.leaf(state->term);
    Var y = state->start;
    for (std::int64_t i = 0; i < length; ++i) {
      y = y * w;
      y = y + x;
    }
    tape.backward(y, state->cotangent);
    return y.value().at({0}) + tape.grad(w).at({0});
  };
  return {step, 2.0 * static_cast<double>(sizes.length), 0, 200};
}

}  // namespace bench
