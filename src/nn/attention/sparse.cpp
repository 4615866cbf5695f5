#include "weft/nn/attention/sparse.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/fail.hpp"
#include "nn/heads.hpp"
#include "nn/padding.hpp"
#include "ops/folded_attention.hpp"
#include "ops/lengths.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/ops/arrange.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* op = "sparse_attention";
constexpr const char* name = "attention::SparseSelfAttention";

void check_reach(const char* where, std::int64_t reach) {
  check<ValueError>(reach >= 1, where, "reach is {}; it must be 1 or more", reach);
}

// A pattern that reaches beyond all places costs no more than one that reaches all.
std::int64_t within(std::int64_t places, std::int64_t reach) { return std::min(reach, std::max<std::int64_t>(places, 1)); }

bool reached(SparsePattern pattern, std::int64_t query, std::int64_t key, std::int64_t reach) {
  switch (pattern) {
    case SparsePattern::block: return query / reach == key / reach;
    case SparsePattern::strided: return query % reach == key % reach;
    case SparsePattern::window: break;
  }
  return std::abs(query - key) <= reach;
}

/// What a pattern makes of the places: many short rows for one long one.
class Folding {
 public:
  Folding(const Var& query, const SparseAttentionOptions& o)
      : pattern_(o.pattern),
        causal_(o.causal),
        batch_(query.size(0)),
        heads_(query.size(1)),
        places_(query.size(2)),
        reach_(within(places_, o.reach)),
        blocks_((places_ + reach_ - 1) / reach_) {}

  Var queries(const Var& x) const { return folded(padded(x, 0, 0)); }

  Var keys(const Var& x) const {
    if (pattern_ != SparsePattern::window) return queries(x);
    // Each block with its neighbours: [batch, heads, blocks, size, width] -> [batch * blocks, heads, width, size]
    const Var windows = unfold(padded(x, reach_, causal_ ? 0 : reach_), 2, width(), reach_);
    return reshape(permute(windows, {0, 2, 1, 4, 3}), {batch_ * blocks_, heads_, width(), x.size(3)});
  }

  // Short rows of each row of the batch.
  std::int64_t rows_of_each() const { return pattern_ == SparsePattern::strided ? reach_ : blocks_; }

  AttentionMask mask(const Tensor& lengths) const {
    AttentionMask result{.lengths = keys_of_rows(lengths), .causal = causal_};
    if (pattern_ == SparsePattern::window) {
      result.allowed = band();
      result.causal = false;
    }
    return result;
  }

  Var unfolded(const Var& x) const {
    const std::int64_t size = x.size(3);
    const Var apart = pattern_ == SparsePattern::strided
                          ? permute(reshape(x, {batch_, reach_, heads_, blocks_, size}), {0, 2, 3, 1, 4})
                          : permute(reshape(x, {batch_, blocks_, heads_, reach_, size}), {0, 2, 1, 3, 4});
    return slice(reshape(apart, {batch_, heads_, blocks_ * reach_, size}), 2, 0, places_);
  }

 private:
  std::int64_t width() const { return causal_ ? 2 * reach_ : 3 * reach_; }

  // To whole blocks, and further places before and behind.
  Var padded(const Var& x, std::int64_t before, std::int64_t behind) const {
    const std::int64_t more = blocks_ * reach_ - places_ + behind;
    return before == 0 && more == 0 ? x : pad(x, {0, 0, before, more});
  }

  Var folded(const Var& x) const {
    const std::int64_t size = x.size(3);
    const Var apart = reshape(x, {batch_, heads_, blocks_, reach_, size});
    if (pattern_ == SparsePattern::strided)
      return reshape(permute(apart, {0, 3, 1, 2, 4}), {batch_ * reach_, heads_, blocks_, size});
    return reshape(permute(apart, {0, 2, 1, 3, 4}), {batch_ * blocks_, heads_, reach_, size});
  }

  // Keys of each short row that are places.
  Tensor keys_of_rows(const Tensor& lengths) const {
    const std::int64_t rows = rows_of_each();
    Tensor result = Tensor::empty({batch_ * rows}, i64);
    auto* keys = result.mutable_data<std::int64_t>();
    for (std::int64_t b = 0; b < batch_; ++b) {
      const std::int64_t end = lengths.defined() ? lengths.data<std::int64_t>()[b] : places_;
      for (std::int64_t row = 0; row < rows; ++row) {
        switch (pattern_) {
          case SparsePattern::block: *keys++ = std::clamp<std::int64_t>(end - row * reach_, 0, reach_); break;
          case SparsePattern::strided: *keys++ = std::max<std::int64_t>(end - row + reach_ - 1, 0) / reach_; break;
          case SparsePattern::window: *keys++ = std::clamp<std::int64_t>(end - (row - 1) * reach_, 0, width()); break;
        }
      }
    }
    return result;
  }

  // The window's band [batch * blocks, 1, reach, width]; nothing stands before the first block.
  Tensor band() const {
    Tensor one = Tensor::empty({blocks_, 1, reach_, width()}, boolean);
    bool* open = one.mutable_data<bool>();
    for (std::int64_t block = 0; block < blocks_; ++block) {
      for (std::int64_t q = 0; q < reach_; ++q) {
        for (std::int64_t k = 0; k < width(); ++k) {
          const std::int64_t behind = k - reach_ - q;
          *open++ = std::abs(behind) <= reach_ && (!causal_ || behind <= 0) && (block > 0 || k >= reach_);
        }
      }
    }
    return one.unsqueeze(0).expand({batch_, blocks_, 1, reach_, width()}).reshape({batch_ * blocks_, 1, reach_, width()});
  }

  SparsePattern pattern_;
  bool causal_;
  std::int64_t batch_, heads_, places_, reach_, blocks_;
};

SparseSelfAttentionOptions checked(const SparseSelfAttentionOptions& o) {
  check_heads(name, o.embed_dim, o.num_heads);
  check<ValueError>(!o.patterns.empty() && o.num_heads % static_cast<std::int64_t>(o.patterns.size()) == 0, name,
                    "{} patterns for {} heads; there must be one, and they divide the heads evenly", o.patterns.size(),
                    o.num_heads);
  check<ValueError>(o.dropout >= 0 && o.dropout < 1, name, "dropout is {}; it must be in [0, 1)", o.dropout);
  check_reach(name, o.reach);
  return o;
}

// The mask's rows from `first` on.
Tensor mask_rows(SparsePattern pattern, std::int64_t first, std::int64_t places, std::int64_t reach, bool causal) {
  Tensor mask = Tensor::empty({places - first, places}, boolean);
  bool* open = mask.mutable_data<bool>();
  for (std::int64_t query = first; query < places; ++query)
    for (std::int64_t key = 0; key < places; ++key) *open++ = (!causal || key <= query) && reached(pattern, query, key, reach);
  return mask;
}

}  // namespace

Tensor sparse_mask(SparsePattern pattern, std::int64_t places, std::int64_t reach, bool causal) {
  check_reach("sparse_mask", reach);
  check<ValueError>(places >= 0, "sparse_mask", "{} places; they can't be negative", places);
  return mask_rows(pattern, 0, places, reach, causal);
}

AttentionResult sparse_attention(const Var& query, const Var& key, const Var& value, const SparseAttentionOptions& options) {
  check_reach(op, options.reach);
  check<ValueError>(query.defined() && key.defined() && value.defined(), op, "query, key and value must be defined");
  check<ShapeError>(query.rank() == 4 && key.shape() == query.shape() && value.rank() == 4 && value.size(0) == key.size(0) &&
                        value.size(1) == key.size(1) && value.size(2) == key.size(2),
                    op,
                    "query {}, key {} and value {} don't fit: each must be [batch, heads, places, size], the first two alike",
                    query.value(), key.value(), value.value());
  check<DTypeError>(is_floating(query.dtype()) && key.dtype() == query.dtype() && value.dtype() == query.dtype(), op,
                    "query {}, key {} and value {}: all must be f32 or all f64", query.value(), key.value(), value.value());
  const Tensor lengths = checked_lengths(op, options.lengths, "key", key.value(), 2);
  const AttentionOptions dense{.scale = options.scale, .dropout = options.dropout, .need_weights = options.need_weights};
  if (options.need_weights || query.size(2) == 0 || query.size(0) == 0)
    return scaled_dot_product_attention(
        query, key, value,
        {.allowed = sparse_mask(options.pattern, query.size(2), options.reach, options.causal).unsqueeze(0).unsqueeze(0),
         .lengths = lengths},
        dense);
  const Folding folding(query, options);
  const Var output =
      folded_attention(folding.queries(query), folding.keys(key), folding.keys(value), folding.mask(lengths), dense,
                       folding.rows_of_each(), Closed::finite)  // by the band: zeros before the first place
          .output;
  return {folding.unfolded(output), {}};
}

SparseSelfAttention::SparseSelfAttention(const SparseSelfAttentionOptions& options, const Scope& scope)
    : Module(scope),
      in_proj_weight(this, "in_proj_weight", Shape{3 * checked(options).embed_dim, options.embed_dim}, init::xavier_uniform()),
      in_proj_bias(options.bias ? Weight(this, "in_proj_bias", Shape{3 * options.embed_dim}, init::zeros()) : Weight()),
      out_proj({.in_features = options.embed_dim,
                .out_features = options.embed_dim,
                .bias = options.bias,
                .weight_init = options.weight_init,
                .bias_init = init::zeros()},
               {this, "out_proj"}),
      options_(options) {}

SparseSelfAttention::Heads SparseSelfAttention::project(const Var& x) const {
  const std::int64_t size = options_.embed_dim, heads = options_.num_heads;
  const PoolVector<Var> parts = split(linear(x, in_proj_weight, in_proj_bias), {size, size, size}, 2);
  return {in_heads(parts[0], heads), in_heads(parts[1], heads), in_heads(parts[2], heads)};
}

MixingOutput SparseSelfAttention::forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) {
  check_places(name, "input", x, options_.embed_dim, *out_proj.weight);
  check<ValueError>(!mask.allowed.defined(), name,
                    "a mask {} of pairs of places can't be followed for input {}; give lengths, and `causal`", mask.allowed,
                    x.value());
  const bool recorded = AttentionRecorder::alive(), wanted = recorded || weights != AttentionWeights::none;
  const Heads all = project(padding == Padding::finite ? x : without_padding(x, mask.lengths, name));
  PoolVector<Var> outputs, shares;
  std::int64_t head = 0;
  for (const SparsePattern pattern : options_.patterns) {
    const std::int64_t end = head + heads_of_each();
    const Var query = slice(all.query, 1, head, end), key = slice(all.key, 1, head, end),
              value = slice(all.value, 1, head, end);
    SparseAttentionOptions options{.pattern = pattern,
                                   .reach = options_.reach,
                                   .causal = mask.causal,
                                   .lengths = mask.lengths,
                                   .dropout = training() ? options_.dropout : 0};
    outputs.push_back(sparse_attention(query, key, value, options).output);
    if (wanted) {  // apart: who looks at weights changes neither the draws of dropout nor a bit of the output
      std::optional<NoGrad> for_the_recorder;  // which takes values alone
      if (weights == AttentionWeights::none) for_the_recorder.emplace();
      options.dropout = 0;
      options.need_weights = true;
      shares.push_back(sparse_attention(query, key, value, options).weights);
    }
    head = end;
  }
  MixingOutput result{out_proj(together(concat(outputs, 1))), {}};
  if (!wanted) return result;
  const Var of_heads = concat(shares, 1);
  if (recorded) AttentionRecorder::record(*this, of_heads.value());
  if (weights == AttentionWeights::averaged) result.weights = mean(of_heads, {1});
  if (weights == AttentionWeights::per_head) result.weights = of_heads;
  return result;
}

Var SparseSelfAttention::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, mask, AttentionWeights::none, padding).output;
}

// The weights of new queries over all places, which a step doesn't make as a whole.
void SparseSelfAttention::record_step(const Var& query, const AttentionCache& kept) const {
  const NoGrad nothing_recorded;
  const std::int64_t all = kept.places(), before = all - query.size(2);
  PoolVector<Var> shares;
  std::int64_t head = 0;
  for (const SparsePattern pattern : options_.patterns) {
    const std::int64_t end = head + heads_of_each();
    const Tensor allowed = mask_rows(pattern, before, all, within(all, options_.reach), true);
    shares.push_back(scaled_dot_product_attention(slice(query, 1, head, end), slice(kept.keys, 1, head, end),
                                                  slice(kept.values, 1, head, end),
                                                  {.allowed = allowed.unsqueeze(0).unsqueeze(0)}, {.need_weights = true})
                         .weights);
    head = end;
  }
  AttentionRecorder::record(*this, concat(shares, 1).value());
}

MixingStep SparseSelfAttention::step(const Var& x, const AttentionCache& cache) {
  return run([&]() -> MixingStep {
    check_places(name, "input", x, options_.embed_dim, *out_proj.weight);
    const Heads fresh = project(x);
    const std::int64_t heads = options_.num_heads, size = options_.embed_dim / heads;
    check_cache(name, x, cache, {{heads, -1, size}, {heads, -1, size}});
    AttentionCache kept{behind(cache.keys, fresh.key, 2), behind(cache.values, fresh.value, 2)};
    const std::int64_t before = cache.places(), reach = within(before + x.size(1), options_.reach);
    PoolVector<Var> places;
    for (std::int64_t t = 0; t < x.size(1); ++t) {
      const std::int64_t place = before + t;
      PoolVector<Var> outputs;
      std::int64_t head = 0;
      for (const SparsePattern pattern : options_.patterns) {
        const std::int64_t end = head + heads_of_each();
        const auto seen = [&](const Var& all) {
          const Var of_heads = slice(all, 1, head, end);
          if (pattern == SparsePattern::block) return slice(of_heads, 2, place / reach * reach, place + 1);
          if (pattern == SparsePattern::window) return slice(of_heads, 2, std::max<std::int64_t>(place - reach, 0), place + 1);
          Tensor index = Tensor::empty({place / reach + 1}, i64);
          auto* at = index.mutable_data<std::int64_t>();
          for (std::int64_t k = place % reach; k <= place; k += reach) *at++ = k;
          return index_select(of_heads, 2, index);
        };
        const Var query = slice(slice(fresh.query, 1, head, end), 2, t, t + 1);
        outputs.push_back(scaled_dot_product_attention(query, seen(kept.keys), seen(kept.values), {},
                                                       {.dropout = training() ? options_.dropout : 0})
                              .output);
        head = end;
      }
      places.push_back(concat(outputs, 1));
    }
    if (AttentionRecorder::alive()) record_step(fresh.query, kept);
    const Var output = places.empty() ? fresh.query : concat(places, 2);
    return {out_proj(together(output)), std::move(kept)};
  });
}

}  // namespace weft::nn::attention
