#pragma once
#include "autograd/tape_state.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::detail {

/// Puts aside the gradients that leaves keep, and what the tape notes of a pass that runs, while it lives: another pass
/// starts from nothing, and both come back afterwards.
class PassAside {
 public:
  explicit PassAside(TapeState& tape)
      : tape_(tape), target_(std::exchange(tape.target, 0)), captures_(std::exchange(tape.captures, {})) {
    for (Slot* leaf = tape.leaves; leaf != nullptr; leaf = leaf->next_leaf)
      if (leaf->grad.defined()) kept_.push_back({leaf, std::exchange(leaf->grad, Var())});
  }
  ~PassAside() {
    clear_leaves(tape_);
    for (Kept& kept : kept_) kept.leaf->grad = std::move(kept.gradient);
    tape_.target = target_;
    tape_.captures = captures_;
  }
  PassAside(const PassAside&) = delete;
  PassAside& operator=(const PassAside&) = delete;

 private:
  struct Kept {
    Slot* leaf;
    Var gradient;
  };
  TapeState& tape_;
  std::uint32_t target_;
  std::span<Capture> captures_;
  PoolVector<Kept> kept_;
};

/// Gradients of the outputs, contracted with one cotangent each, with respect to `inputs`, which are on the tape; undefined
/// where no output depends on one. Runs only the rules on the way. Neither parameters nor what Tape::grad gives change.
PoolVector<Var> gradients(TapeState& tape, std::span<const Var> outputs, std::span<const Var> cotangents,
                          std::span<const Var> inputs, const BackwardOptions& options);

}  // namespace weft::detail
