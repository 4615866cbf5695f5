#pragma once
#include <functional>
#include <vector>

#include "weft/autograd/var.hpp"

namespace weft {

/// function(inputs) that keeps the inputs alone: nothing inside is recorded, and in backward the function runs once more,
/// then under a tape. Trades the time of a forward pass for the memory of what lies inside (Chen et al. 2016). Values and
/// gradients are those of a plain call.
///   x = recompute([&](const std::vector<Var>& in) { return layer(in[0]); }, {x});
///
/// - Parameters used inside get their gradients; they needn't be listed. Every other Var of the tape must be: one that is
///   only captured is a TapeError.
/// - Random operations draw the same numbers again: those of the tape's generator. Draws from other generators aren't kept.
/// - The function runs again, at the latest when the tape runs backward: what it refers to must live until then, and it must
///   do the same. Operations with side effects (running statistics) look at `recomputing`.
/// - A changed input or parameter between forward and backward is a TapeError.
/// - Gradients inside of the function (grad) need a tape of their own in it; otherwise they are a TapeError.
/// - With create_graph the function is recorded on the tape in full: right, but then nothing is saved.
/// Calls may be nested. Where nothing records it is a plain call.
std::vector<Var> recompute(std::function<std::vector<Var>(const std::vector<Var>&)> function, const std::vector<Var>& inputs);
/// The same for a function with one output.
Var recompute(std::function<Var(const std::vector<Var>&)> function, const std::vector<Var>& inputs);

/// Whether a function runs on this thread for the second time, in backward.
bool recomputing();

}  // namespace weft
