#include "nn/transformer_parts.hpp"

#include "base/fail.hpp"
#include "weft/nn/attention/sparse.hpp"
#include "weft/nn/dynamic_conv.hpp"
#include "weft/nn/gated_attention.hpp"
#include "weft/nn/lightweight_conv.hpp"
#include "weft/nn/linear_attention.hpp"

namespace weft::nn {
namespace {

using attention::SparsePattern;

std::unique_ptr<PlaceMixing> self_attention(const TransformerLayerOptions& o, bool causal, const Scope& scope) {
  MultiheadAttentionOptions options = attention_options(o);
  options.positions = o.positions;
  options.bidirectional = !causal;
  options.max_span = o.max_span;
  return std::make_unique<MultiheadAttention>(options, scope);
}

std::unique_ptr<PlaceMixing> sparse(const TransformerLayerOptions& o, SparsePattern pattern, const Scope& scope) {
  attention::SparseSelfAttentionOptions options;
  options.embed_dim = o.d_model;
  options.num_heads = o.nhead;
  options.reach = o.reach;
  options.patterns = {pattern};
  options.dropout = o.dropout;
  options.weight_init = o.weight_init;
  return std::make_unique<attention::SparseSelfAttention>(options, scope);
}

std::unique_ptr<PlaceMixing> gated(const char* op, const TransformerLayerOptions& o, const Scope& scope) {
  check<ValueError>(o.d_model > 0 && o.nhead > 0 && o.d_model % o.nhead == 0, op,
                    "d_model is {} and nhead {}; both must be positive, and the heads divide the size evenly", o.d_model,
                    o.nhead);
  return std::make_unique<GatedAttentionUnit>(
      GatedAttentionUnitOptions{
          .embed_dim = o.d_model, .key_dim = o.d_model / o.nhead, .dropout = o.dropout, .weight_init = o.weight_init},
      scope);
}

}  // namespace

std::string name_of(Mixing mixing) { return mixing_names[static_cast<std::size_t>(mixing)]; }

MultiheadAttentionOptions attention_options(const TransformerLayerOptions& o) {
  return {.embed_dim = o.d_model,
          .num_heads = o.nhead,
          .dropout = o.dropout,
          .weight_init = o.weight_init,
          .kv_heads = o.kv_heads,
          .normaliser = o.normaliser};
}

std::unique_ptr<PlaceMixing> mixing(const char* op, const TransformerLayerOptions& o, bool causal, const Scope& scope) {
  const bool attends = o.mixing == Mixing::attention;
  check<ValueError>(attends || o.positions == AttentionPositions::none, op,
                    "positions of attention can't be for mixing {}; add positions to the input", name_of(o.mixing));
  check<ValueError>(attends || o.normaliser == Normaliser::softmax, op,
                    "normaliser {} is for mixing attention; mixing {} has no weights to normalise, leave it at softmax",
                    name_of(o.normaliser), name_of(o.mixing));
  check<ValueError>(attends || o.max_span == 0, op,
                    "max_span {} is for mixing attention; mixing {} has no spans, leave it at 0", o.max_span,
                    name_of(o.mixing));
  const ConvMixingOptions conv{.embed_dim = o.d_model,
                               .num_heads = o.nhead,
                               .kernel_size = o.kernel_size,
                               .dropout = o.dropout,
                               .weight_init = o.weight_init};
  switch (o.mixing) {
    case Mixing::attention: break;
    case Mixing::light: return std::make_unique<LightweightConv>(conv, scope);
    case Mixing::dynamic: return std::make_unique<DynamicConv>(conv, scope);
    case Mixing::linear:
      return std::make_unique<LinearAttention>(
          LinearAttentionOptions{.embed_dim = o.d_model, .num_heads = o.nhead, .weight_init = o.weight_init}, scope);
    case Mixing::gated: return gated(op, o, scope);
    case Mixing::block_local: return sparse(o, SparsePattern::block, scope);
    case Mixing::strided: return sparse(o, SparsePattern::strided, scope);
    case Mixing::window: return sparse(o, SparsePattern::window, scope);
  }
  return self_attention(o, causal, scope);
}

}  // namespace weft::nn
