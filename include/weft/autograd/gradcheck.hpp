#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "weft/autograd/parameter.hpp"
#include "weft/autograd/var.hpp"

namespace weft {

struct GradcheckOptions {
  double step = 1e-6;  ///< of the central difference
  double rtol = 1e-5;  ///< an element agrees when |analytic - numeric| <= atol + rtol |numeric|
  double atol = 1e-7;
  std::uint64_t seed = 1;     ///< of the random cotangent, of random operations and of the elements that are sampled
  std::int64_t elements = 0;  ///< of each input or parameter at most so many are compared; 0: all
};

/// One element whose gradients differ.
struct GradcheckFailure {
  std::string input;  ///< "input 1", or the parameter's name
  std::string index;  ///< "[0, 2]"
  double analytic, numeric;
};

/// What a gradient check found.
struct GradcheckReport {
  std::string operation;      ///< the one that made the output; "" where the output doesn't depend on the inputs
  std::int64_t elements = 0;  ///< compared
  double worst = 0;           ///< largest error as a multiple of what is allowed: above 1 fails
  std::vector<GradcheckFailure> failures;
  std::string problem;  ///< what made the comparison impossible; "" where nothing did

  bool ok() const { return problem.empty() && failures.empty(); }
  std::string str() const;
  /// Throws Error with `str()` unless ok.
  const GradcheckReport& require() const;
};

/// Compares the gradient of every element of `inputs` (f64) under f with central differences. Outputs of any shape are
/// contracted with a random cotangent. f must give the same value each time (random operations do: they draw from a
/// generator that starts anew), and for a view of the inputs the same as for a dense copy. What f captures (indices,
/// masks, constants) is left alone. Throws DTypeError unless inputs and output are f64, TapeError under NoGrad.
GradcheckReport gradcheck(const std::function<Var(const std::vector<Var>&)>& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

/// The same for a model: perturbs the elements of its parameters (f64). Values and gradients are as before afterwards.
GradcheckReport gradcheck_parameters(const std::function<Var()>& loss, std::span<Parameter* const> parameters,
                                     const GradcheckOptions& options = {});

}  // namespace weft
