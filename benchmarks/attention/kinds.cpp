#include "attention/kinds.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "weft/nn/attention.hpp"
#include "weft/nn/co_attention.hpp"
#include "weft/nn/dynamic_conv.hpp"
#include "weft/nn/gated_attention.hpp"
#include "weft/nn/gated_fusion.hpp"
#include "weft/nn/lightweight_conv.hpp"
#include "weft/nn/linear_attention.hpp"
#include "weft/nn/multihead_attention.hpp"
#include "weft/nn/positional_encoding.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using namespace weft::nn::attention;

namespace bench {
namespace {

constexpr std::int64_t words = 32;         // of a sentence (hierarchical) and cells of a row (grid)
constexpr std::int64_t vocabulary = 1000;  // of the pointer-generator

/// A kind that attends to a memory.
template <class Kind, class Options>
AttentionCall over_memory(const Options& options) {
  return [attention = std::make_shared<Kind>(options)](const Var& x) { return (*attention)(x, x, x).context; };
}

/// A kind that mixes places.
template <class Kind, class Options>
AttentionCall mixing(const Options& options) {
  return [mixing = std::make_shared<Kind>(options)](const Var& x) { return mixing->mix(x, {}, nn::Padding::anything); };
}

AttentionKind scores(std::string name, const std::function<AttentionCall(std::int64_t width)>& make) {
  return {std::move(name), [make](const FamilySizes& sizes, std::int64_t) { return make(sizes.width); }};
}

/// Causal, with a reach near the length's square root.
AttentionKind sparse(std::string name, SparsePattern pattern) {
  return {std::move(name), [pattern](const FamilySizes& sizes, std::int64_t length) -> AttentionCall {
            const auto reach = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(length))));
            const auto attention = std::make_shared<SparseSelfAttention>(SparseSelfAttentionOptions{
                .embed_dim = sizes.width, .num_heads = sizes.heads, .reach = reach, .patterns = {pattern}});
            return [attention](const Var& x) { return attention->mix(x, {.causal = true}, nn::Padding::anything); };
          }};
}

/// MultiheadAttention with what `change` makes of its options.
AttentionKind heads(std::string name,
                    const std::function<void(nn::MultiheadAttentionOptions& options, std::int64_t length)>& change) {
  return {std::move(name), [change](const FamilySizes& sizes, std::int64_t length) {
            nn::MultiheadAttentionOptions options{.embed_dim = sizes.width, .num_heads = sizes.heads};
            change(options, length);
            return mixing<nn::MultiheadAttention>(options);
          }};
}

/// MultiheadAttention over x with positions added to it.
template <class Positions>
AttentionCall after_positions(const FamilySizes& sizes, const std::shared_ptr<Positions>& positions) {
  const auto attend =
      mixing<nn::MultiheadAttention>(nn::MultiheadAttentionOptions{.embed_dim = sizes.width, .num_heads = sizes.heads});
  return [positions, attend](const Var& x) { return attend((*positions)(x)); };
}

AttentionCall sinusoid(const FamilySizes& sizes, std::int64_t) {
  return after_positions(sizes, std::make_shared<nn::SinusoidalPositions>());
}

AttentionCall learned(const FamilySizes& sizes, std::int64_t length) {
  const nn::LearnedPositionsOptions options{.max_length = length, .embedding_dim = sizes.width};
  return after_positions(sizes, std::make_shared<nn::LearnedPositions>(options));
}

template <class Kind>
AttentionKind convolution(std::string name) {
  return {std::move(name), [](const FamilySizes& sizes, std::int64_t) {
            return mixing<Kind>(nn::ConvMixingOptions{.embed_dim = sizes.width, .num_heads = sizes.heads});
          }};
}

AttentionCall pooling(const FamilySizes& sizes, std::int64_t) {
  const auto attention = std::make_shared<Pooling>(PoolingOptions{.size = sizes.width, .hidden = sizes.width});
  return [attention](const Var& x) { return (*attention)(x).context; };
}

/// Sentences of 32 words; of a length that 32 doesn't divide the last words are left out.
AttentionCall hierarchical(const FamilySizes& sizes, std::int64_t length) {
  const auto attention =
      std::make_shared<Hierarchical>(HierarchicalOptions{.input_size = sizes.width, .hidden = sizes.width / 2});
  const std::int64_t in_sentence = std::min(words, length), sentences = length / in_sentence;
  return [=](const Var& x) {
    const Var whole = slice(x, 1, 0, sentences * in_sentence);
    return (*attention)(reshape(whole, {x.size(0), sentences, in_sentence, x.size(2)})).output;
  };
}

/// Rows of 32 cells, dot's scores, and a query for each cell.
AttentionCall grid(const FamilySizes&, std::int64_t length) {
  const auto attention = std::make_shared<Dot>();
  const std::int64_t columns = std::min(words, length), rows = length / columns;
  return [=](const Var& x) {
    const Var whole = slice(x, 1, 0, rows * columns);
    const Var features = reshape(transpose(whole, 1, 2), {x.size(0), x.size(2), rows, columns});
    return (*attention)(whole, remember_grid(*attention, features)).context;
  };
}

/// Over even weights of all places.
AttentionCall pointer_generator(const FamilySizes& sizes, std::int64_t length) {
  const auto pointer =
      std::make_shared<PointerGenerator>(PointerGeneratorOptions{.context_dim = sizes.width, .state_dim = sizes.width});
  PointerGeneratorInput in{.logits = Tensor::zeros({sizes.batch, length, vocabulary}),
                           .weights = Tensor::full({sizes.batch, length, length}, 1 / static_cast<double>(length)),
                           .source = Tensor::zeros({sizes.batch, length}, i64),
                           .extended = vocabulary};
  return [pointer, in](const Var& x) {
    PointerGeneratorInput given = in;
    given.context = given.state = x;
    return (*pointer)(given).output;
  };
}

AttentionCall linear(const FamilySizes& sizes, std::int64_t) {
  return mixing<nn::LinearAttention>(nn::LinearAttentionOptions{.embed_dim = sizes.width, .num_heads = sizes.heads});
}

AttentionCall gated_unit(const FamilySizes& sizes, std::int64_t) {
  return mixing<nn::GatedAttentionUnit>(
      nn::GatedAttentionUnitOptions{.embed_dim = sizes.width, .key_dim = sizes.width / sizes.heads});
}

AttentionCall fusion(const FamilySizes& sizes, std::int64_t) {
  const auto gate = std::make_shared<nn::GatedFusion>(
      nn::GatedFusionOptions{.in_features = {sizes.width, sizes.width}, .out_features = sizes.width});
  return [gate](const Var& x) { return (*gate)(x, x); };
}

AttentionCall co_attention(const FamilySizes& sizes, std::int64_t) {
  const auto attention = std::make_shared<nn::CoAttention>(
      nn::CoAttentionOptions{.first_dim = sizes.width, .second_dim = sizes.width, .hidden = sizes.width});
  return [attention](const Var& x) {
    const nn::CoAttentionOutput out = (*attention)(x, x);
    return out.first + out.second;
  };
}

}  // namespace

const std::vector<AttentionKind>& attention_kinds() {
  using nn::AttentionPositions;
  using Options = nn::MultiheadAttentionOptions;
  static const std::vector<AttentionKind> kinds = {
      scores("dot", [](auto) { return over_memory<Dot>(DotOptions{}); }),
      scores("scaled_dot", [](auto) { return over_memory<Dot>(DotOptions{.scaled = true}); }),
      scores("general", [](auto d) { return over_memory<General>(GeneralOptions{.query_dim = d, .key_dim = d}); }),
      scores("additive",
             [](auto d) { return over_memory<Additive>(AdditiveOptions{.query_dim = d, .key_dim = d, .hidden = d}); }),
      scores("concat", [](auto d) { return over_memory<Concat>(ConcatOptions{.query_dim = d, .key_dim = d, .hidden = d}); }),
      scores("cosine", [](auto) { return over_memory<Cosine>(CosineOptions{.temperature = 0.1}); }),
      scores("location",
             [](auto d) { return over_memory<Location>(LocationOptions{.query_dim = d, .key_dim = d, .hidden = d}); }),
      scores("coverage",
             [](auto d) { return over_memory<Coverage>(CoverageOptions{.query_dim = d, .key_dim = d, .hidden = d}); }),
      scores("local_m", [](auto d) { return over_memory<LocalM>(LocalOptions{.query_dim = d, .key_dim = d}); }),
      scores("local_p", [](auto d) { return over_memory<LocalP>(LocalPOptions{.query_dim = d, .key_dim = d, .hidden = d}); }),
      sparse("block", SparsePattern::block),
      sparse("strided", SparsePattern::strided),
      sparse("window", SparsePattern::window),
      {"pooling", pooling},
      {"hierarchical", hierarchical},
      {"grid", grid},
      {"pointer_generator", pointer_generator},
      heads("multi_head", [](Options&, auto) {}),
      heads("grouped_query",
            [](Options& options, auto) { options.kv_heads = options.num_heads % 2 == 0 ? options.num_heads / 2 : 1; }),
      heads("multi_query", [](Options& options, auto) { options.kv_heads = 1; }),
      {"sinusoid", sinusoid},
      {"learned", learned},
      heads("rotary", [](Options& options, auto) { options.positions = AttentionPositions::rotary; }),
      heads("alibi", [](Options& options, auto) { options.positions = AttentionPositions::alibi; }),
      heads("shaw", [](Options& options, auto) { options.positions = AttentionPositions::shaw; }),
      heads("t5", [](Options& options, auto) { options.positions = AttentionPositions::t5; }),
      heads("sparsemax", [](Options& options, auto) { options.normaliser = nn::Normaliser::sparsemax; }),
      heads("entmax15", [](Options& options, auto) { options.normaliser = nn::Normaliser::entmax15; }),
      heads("adaptive_span", [](Options& options, std::int64_t length) { options.max_span = length; }),
      convolution<nn::LightweightConv>("lightweight_conv"),
      convolution<nn::DynamicConv>("dynamic_conv"),
      {"linear_attention", linear},
      {"gated_attention", gated_unit},
      {"gated_fusion", fusion},
      {"co_attention", co_attention},
  };
  return kinds;
}

}  // namespace bench
