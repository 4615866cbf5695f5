#include "weft/nn/word_dropout.hpp"

#include "base/fail.hpp"
#include "nn/first_places.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {

WordDropout::WordDropout(const DropoutOptions& options, const Scope& scope) : Module(scope), p_(options.p) {
  check<ValueError>(p_ >= 0 && p_ <= 1, "WordDropout", "p is {}; a probability from 0 to 1 is needed", p_);
}

Var WordDropout::forward(const Var& embedded, const Tensor& ids) {
  check<ValueError>(embedded.defined(), "WordDropout", "the embeddings aren't given");
  check<ShapeError>(embedded.rank() == 3, "WordDropout", "embeddings {} are not [batch, steps, size]", embedded.value());
  const Shape words{embedded.size(0), embedded.size(1)};
  if (ids.defined()) {
    check<DTypeError>(is_integer(ids.dtype()), "WordDropout", "ids are {}; integers are needed", ids);
    check<ShapeError>(ids.shape() == words, "WordDropout", "ids {} don't fit embeddings {}", ids, embedded.value());
  }
  if (!training() || p_ == 0 || Tape::recording() == nullptr) return embedded;
  Var kept = dropout(Tensor::ones(words, embedded.dtype()), p_);
  if (ids.defined()) kept = gather(kept, 1, first_places(ids));
  return embedded * unsqueeze(kept, 2);
}

}  // namespace weft::nn
