#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "weft/autograd/parameter.hpp"
#include "weft/autograd/var.hpp"

namespace weft {

/// How gradients are compared with central differences (f(x + h) - f(x - h)) / 2h.
struct GradcheckOptions {
  double step = 1e-6;  ///< h
  double rtol = 1e-5;  ///< a derivative agrees when |analytic - numeric| <= atol + rtol |numeric|
  double atol = 1e-7;
  std::uint64_t seed = 1;     ///< of the random cotangent, directions and random operations, and of which elements are sampled
  std::int64_t elements = 0;  ///< of each input or parameter at most so many are compared; 0: all
  std::int64_t directions = 0;  ///< instead of single elements, so many random directions through each input or parameter
  bool full_jacobian = false;   ///< each element of the output by itself, instead of one random combination of all
};

/// One derivative that differs.
struct GradcheckFailure {
  std::string operation;  ///< that made the output
  std::string input;      ///< "input 1", the parameter's name, or "cotangent" in a second-order check
  std::string index;      ///< "[0, 2]", or "direction 3"
  std::string output;     ///< index of the output's element with `full_jacobian`, otherwise ""; of second order, the
                          ///< gradient that differs most (of the first ten failures), whose the numbers are
  double analytic, numeric;
};

/// What a gradient check found.
struct GradcheckReport {
  std::string operation;      ///< the one that made the output; "" where the output doesn't depend on the inputs
  int order = 1;              ///< of the derivatives
  std::int64_t elements = 0;  ///< compared derivatives
  double worst = 0;           ///< largest error as a multiple of what is allowed: above 1 fails
  std::vector<GradcheckFailure> failures;
  std::string problem;  ///< what made the comparison impossible; "" where nothing did
  std::string hint;     ///< what may explain the failures; "" where nothing tells

  bool ok() const { return problem.empty() && failures.empty(); }
  std::string str() const;
  /// Throws Error with `str()` unless ok.
  const GradcheckReport& require() const;
};

using GradcheckFunction = std::function<Var(const std::vector<Var>&)>;

/// Compares the gradient of every element of `inputs` (f64) under f with central differences. Outputs of any shape are
/// contracted with a random cotangent. f must give the same value each time (random operations do: they draw from a
/// generator that starts anew), and for a view of the inputs the same as for a dense copy. What f captures (indices,
/// masks, constants) is left alone. f is called under tapes of the check's own: it makes none. No inputs, and an output that
/// depends on none of them, are a problem of the report. Throws DTypeError unless inputs and output are f64, TapeError under
/// NoGrad, ValueError for options that can't be.
GradcheckReport gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

/// The same for a model or a loss: perturbs the elements of its parameters (f64; module.parameters() gives them). Values and
/// gradients are as before afterwards.
GradcheckReport gradcheck_parameters(const std::function<Var()>& loss, std::span<Parameter* const> parameters,
                                     const GradcheckOptions& options = {});

/// What second order allows: its numeric side are differences of first-order gradients.
inline constexpr GradcheckOptions gradgradcheck_defaults{.rtol = 1e-4};

/// Checks second derivatives: the gradients that a recorded backward pass (create_graph) gives, as functions of the inputs
/// and of the output's cotangent, are differentiated once more and compared with central differences of ordinary backward
/// passes. So a fused rule and its composite form are also held against each other.
GradcheckReport gradgradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = gradgradcheck_defaults);

/// The same for the parameters of a model or a loss.
GradcheckReport gradgradcheck_parameters(const std::function<Var()>& loss, std::span<Parameter* const> parameters,
                                         const GradcheckOptions& options = gradgradcheck_defaults);

}  // namespace weft
