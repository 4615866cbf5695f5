#include "weft/nn/attention/hierarchical.hpp"

#include "base/fail.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* name = "attention::Hierarchical";

HierarchicalOptions checked(HierarchicalOptions o) {
  check<ValueError>(o.input_size > 0 && o.hidden > 0 && o.context >= 0, name,
                    "input_size is {}, hidden {} and context {}; the sizes must be positive (context 0: twice hidden)",
                    o.input_size, o.hidden, o.context);
  constexpr int most = max_rank - 2;  // an axis each, beside batch and size
  check<ValueError>(o.levels >= 1 && o.levels <= most, name, "levels is {}; 1 to {} are possible, an axis of the input each",
                    o.levels, most);
  if (o.context == 0) o.context = 2 * o.hidden;
  return o;
}

Shape leading(const Shape& shape, int axes) { return Shape(std::span(shape.begin(), static_cast<std::size_t>(axes))); }

/// Lengths of one level, flat, of wholes that count where `counts` is true (undefined: all); 0 where they don't.
Tensor counted(const Tensor& lengths, const Tensor& counts, const Var& x, int level) {
  check<ValueError>(lengths.defined(), name, "the lengths of level {} are undefined", level);
  const Shape wanted = leading(x.shape(), level + 1);
  check<ShapeError>(lengths.shape() == wanted, name, "lengths {} of level {} don't fit input {}: {} is needed", lengths, level,
                    x.value(), wanted);
  check<DTypeError>(is_integer(lengths.dtype()), name, "lengths {} of level {} must be integers (input {})", lengths, level,
                    x.value());
  Tensor flat = lengths.to(i64).reshape({-1}).clone();
  auto* length = flat.mutable_data<std::int64_t>();
  const std::int64_t parts = x.size(level + 1);
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (counts.defined() && !counts.data<bool>()[i]) {
      length[i] = 0;
      continue;
    }
    check<ValueError>(length[i] >= 1 && length[i] <= parts, name,
                      "length {} of level {}, whole {} is outside 1 to {} (input {})", length[i], level, i, parts, x.value());
  }
  return flat;
}

}  // namespace

Hierarchical::Hierarchical(const HierarchicalOptions& options, const Scope& scope)
    : Module(scope), input_size_(checked(options).input_size), levels_({this, "levels"}) {
  const HierarchicalOptions o = checked(options);
  const std::int64_t made = o.encoder == SequenceEncoder::none ? o.input_size : 2 * o.hidden;
  for (std::int64_t level = 0; level < o.levels; ++level)
    levels_.emplace(EncodedPoolingOptions{.input_size = level + 1 == o.levels ? o.input_size : made,
                                          .hidden = o.hidden,
                                          .context = o.context,
                                          .encoder = o.encoder,
                                          .normaliser = o.normaliser,
                                          .dropout = o.dropout});
}

HierarchicalOutput Hierarchical::forward(const Var& x, std::span<const Tensor> lengths) {
  const int depth = static_cast<int>(levels_.size());
  check<ValueError>(x.defined(), name, "the input is undefined");
  check<ShapeError>(x.rank() == depth + 2 && x.size(-1) == input_size_, name, "input {} is not [batch, {} axes of parts, {}]",
                    x.value(), depth, input_size_);
  check<ValueError>(lengths.empty() || lengths.size() == levels_.size(), name,
                    "{} tensors of lengths for {} levels; one for each is needed, or none (input {})", lengths.size(), depth,
                    x.value());
  PoolVector<Tensor> flat(levels_.size());
  Tensor counts;  // which wholes of the level count
  for (int level = 0; level < depth && !lengths.empty(); ++level) {
    Tensor& of_level = flat[static_cast<std::size_t>(level)];
    of_level = counted(lengths[static_cast<std::size_t>(level)], counts, x, level);
    counts = sequence_mask(of_level, x.size(level + 1)).reshape({-1});
  }
  HierarchicalOutput result{x, PoolVector<Var>(levels_.size())};
  for (int level = depth - 1; level >= 0; --level) {
    const Shape wholes = leading(x.shape(), level + 1);
    const auto at = static_cast<std::size_t>(level);
    const std::int64_t parts = x.size(level + 1);
    const PoolingOutput pooled = levels_[at](reshape(result.output, {wholes.numel(), parts, result.output.size(-1)}), flat[at]);
    result.weights[at] = reshape(pooled.weights, leading(x.shape(), level + 2));
    result.output = pooled.context;
  }
  return result;
}

}  // namespace weft::nn::attention
