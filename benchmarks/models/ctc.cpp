// The CTC loss of logits, forward and backward; no matrix product.
#include <memory>

#include "models/models.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/sequence_loss.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

struct State {
  State(const CtcSizes& sizes, const Settings& settings)
      : logits(data("logits", {sizes.batch, sizes.length, sizes.vocabulary}, dtype_of(settings))),
        targets(tokens({sizes.batch, sizes.targets}, sizes.vocabulary - 1, 1)) {
    auto* ids = targets.mutable_data<std::int32_t>();  // 0 is the blank
    for (std::int64_t i = 0; i < targets.numel(); ++i) ++ids[i];
  }

  Tensor logits, targets;
};

}  // namespace

Work ctc(const Settings& settings) {
  const CtcSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = [state] {
    Tape tape;
    const Var loss = ctc_loss(tape.leaf(state->logits), state->targets);
    tape.backward(loss);
    return loss.item();
  };
  return {step, static_cast<double>(sizes.batch * sizes.targets), 0, 50};
}

}  // namespace bench
