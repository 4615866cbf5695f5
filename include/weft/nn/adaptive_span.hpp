#pragma once
#include <cstdint>
#include <vector>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct AdaptiveSpanOptions {
  std::int64_t num_heads = 0;
  std::int64_t max_span = 0;  ///< S: the farthest that a head may learn to look
  std::int64_t ramp = 32;     ///< R: places over which a head's sight fades
  double initial = 0;         ///< of S, 0 to 1: where heads start
};

/// Adaptive attention span (Sukhbaatar et al. 2019): each head learns how far it looks. A weight for distance x is multiplied
/// by m(x) = clamp((R + z - x) / R, 0, 1), z the head's span, and a query's weights are made to add up to 1 again. With `loss`
/// times a factor added to the training loss, heads shrink their spans to what they need.
class AdaptiveSpan : public Module<AdaptiveSpan> {
 public:
  /// Throws ValueError for sizes that aren't positive or a start outside 0 to 1.
  explicit AdaptiveSpan(const AdaptiveSpanOptions& options, const Scope& scope = {});

  /// weights [batch, heads, queries, keys], the last query at the last key's place; a query without weights keeps zeros.
  /// Throws ShapeError, DTypeError for weights of another dtype than `span`.
  Var forward(const Var& weights);
  /// Which keys have a factor above 0, bool [heads, queries, keys]: a normaliser that gives far keys all the weight, as
  /// sparsemax may, must not see the others.
  Tensor in_sight(std::int64_t queries, std::int64_t keys);
  /// The mean of the heads' spans z, in places.
  Var loss();
  /// Brings `span` back into 0 to 1: to be called after each step of an optimizer, as the authors do. Outside it counts as the
  /// bound and gets no gradient, so that it would stay there.
  void clamp();

  Weight span;  ///< [heads], z / max_span

 private:
  Var places();                                          // z
  Var factors(std::int64_t queries, std::int64_t keys);  // m [heads, queries, keys]

  std::int64_t heads_, max_span_, ramp_;
};

/// Those of a model, to add their losses to its own and to clamp them:
///   for (nn::AdaptiveSpan* span : nn::adaptive_spans(model)) loss = loss + 2e-6 * span->loss();
std::vector<AdaptiveSpan*> adaptive_spans(ModuleBase& model);

}  // namespace weft::nn
