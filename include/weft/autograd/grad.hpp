#pragma once
#include <functional>
#include <span>
#include <vector>

#include "weft/autograd/tape.hpp"

namespace weft {

struct GradOptions {
  bool create_graph = false;      ///< record the pass, so that the gradients can be differentiated again (implies retain)
  bool retain = false;            ///< keep what the rules captured, for another pass
  std::vector<Var> grad_outputs;  ///< dL/d(output), one for each output; none: 1, for outputs of one element
};

/// Derivatives of the outputs' sum with respect to `inputs`: leaves, parameters, or values in the middle, in their shapes.
/// Only the rules between both run. Parameter::grad and what Tape::grad gives stay as they are. An input that no output
/// depends on has a gradient of zeros. Works on the tape that the inputs are on, which with create_graph must be the one
/// that records.
/// Throws TapeError for an input on no tape or on different tapes, or when captures are gone; ShapeError for an output of
/// more than one element without grad_outputs, and for grad_outputs that don't fit.
std::vector<Var> grad(const std::vector<Var>& outputs, const std::vector<Var>& inputs, const GradOptions& options = {});
std::vector<Var> grad(const Var& output, const std::vector<Var>& inputs, const GradOptions& options = {});

// The functions below evaluate f on a tape of their own and give plain tensors. f uses its arguments, constants and modules;
// a Var of an outer tape is an error there. Random operations draw from the generator of the tape that records outside.

/// The Hessian of f (one element) at `inputs` times one vector for each: sum_j d2f / dx_i dx_j v_j. Two passes, no matrix.
/// Throws ShapeError, ValueError where counts differ.
std::vector<Tensor> hvp(const std::function<Var(const std::vector<Var>&)>& f, const std::vector<Tensor>& inputs,
                        const std::vector<Tensor>& vectors);

/// df/d(input) for each input, all of it: [output's shape..., input's shape...]. One backward pass for each element of f.
std::vector<Tensor> jacobian(const std::function<Var(const std::vector<Var>&)>& f, const std::vector<Tensor>& inputs);

/// The second derivatives of f (one element) at `input`: [input's shape..., input's shape...].
Tensor hessian(const std::function<Var(const Var&)>& f, const Tensor& input);

/// Gradients of the loss of each sample by itself: for each parameter [samples, its shape...]. Every tensor of `batch` has
/// the samples along its first dimension; `loss` (one element) sees them one at a time, as a batch of one. Gradients in the
/// parameters stay as they are. Throws ShapeError where the tensors' first dimensions differ.
std::vector<Tensor> per_sample_gradients(const std::function<Var(const std::vector<Tensor>& sample)>& loss,
                                         std::span<Parameter* const> parameters, const std::vector<Tensor>& batch);
/// The same with respect to tensors, which `loss` takes as leaves.
std::vector<Tensor> per_sample_gradients(
    const std::function<Var(const std::vector<Var>& leaves, const std::vector<Tensor>& sample)>& loss,
    const std::vector<Tensor>& leaves, const std::vector<Tensor>& batch);

}  // namespace weft
