// The gradient table of attention: a row for every kind that docs/attention.md has a section of.
#include <doctest/doctest.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/mixing_checks.hpp"
#include "support/support.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/nn/attention.hpp"
#include "weft/nn/co_attention.hpp"
#include "weft/nn/dynamic_conv.hpp"
#include "weft/nn/gated_attention.hpp"
#include "weft/nn/gated_fusion.hpp"
#include "weft/nn/lightweight_conv.hpp"
#include "weft/nn/linear_attention.hpp"
#include "weft/nn/multihead_attention.hpp"
#include "weft/nn/positional_encoding.hpp"

using namespace weft;
using namespace weft::nn;
using namespace weft::nn::attention;
using test::uniform;

namespace {

using Inputs = std::vector<Var>;

struct Row {
  std::string kind;  ///< its section in docs/attention.md
  std::vector<Tensor> inputs;
  std::shared_ptr<ModuleBase> module;
  GradcheckFunction output;  ///< what it gives, weights too
};

Var both(const Var& a, const Var& b) { return concat({reshape(a, {a.value().numel()}), reshape(b, {b.value().numel()})}, 0); }

template <class Module, class Output>
Row row(std::string kind, std::shared_ptr<Module> module, std::vector<Tensor> inputs, const Output& output) {
  test::filled(*module);
  return {std::move(kind), std::move(inputs), module, [module, output](const Inputs& in) { return output(*module, in); }};
}

// Two rows, the second with closed places.
const Tensor open_places = Tensor::from<bool>({true, true, true, true, true, false, true, false}, {2, 4});
const Tensor lengths = Tensor::from<std::int64_t>({4, 3}, {2});
const Tensor extended_ids = Tensor::from<std::int64_t>({4, 1, 4, 0, 5, 2}, {2, 3});

template <class Kind, class Options>
Row of_queries(const char* kind, const Options& options, std::int64_t size = 3) {
  return row(kind, std::make_shared<Kind>(options),
             {uniform({2, 3, size}, -1, 1, 1), uniform({2, 4, size}, -1, 1, 2), uniform({2, 4, size}, -1, 1, 3)},
             [](Kind& attention, const Inputs& in) {
               const AttentionOutput out = attention(in[0], in[1], in[2], open_places);
               return both(out.context, out.weights);
             });
}

Row of_heads(const char* kind, MultiheadAttentionOptions options) {
  options.embed_dim = 8;
  if (options.num_heads == 0) options.num_heads = 2;
  return row(kind, std::make_shared<MultiheadAttention>(options), {uniform({2, 4, 8}, -1, 1, 1)},
             [](MultiheadAttention& attention, const Inputs& in) {
               const MixingOutput out =
                   attention(in[0], in[0], in[0], AttentionMask{.lengths = lengths}, AttentionWeights::per_head);
               return both(out.output, out.weights);
             });
}

template <class Mixing, class Options>
Row of_places(const char* kind, const Options& options) {
  return row(kind, std::make_shared<Mixing>(options), {uniform({2, 4, 6}, -1, 1, 1)}, [](Mixing& mixing, const Inputs& in) {
    const MixingOutput out = mixing(in[0], AttentionMask{.lengths = lengths, .causal = true}, AttentionWeights::per_head);
    return both(out.output, out.weights);
  });
}

Row sparse(const char* kind, SparsePattern pattern) {
  return of_places<SparseSelfAttention>(
      kind, SparseSelfAttentionOptions{.embed_dim = 6, .num_heads = 2, .reach = 2, .patterns = {pattern}});
}

std::vector<Row> rows_of_scores() {
  return {of_queries<Dot>("Dot", DotOptions{}),
          of_queries<Dot>("Scaled dot", DotOptions{.scaled = true}),
          of_queries<General>("General", GeneralOptions{.query_dim = 3, .key_dim = 3}),
          of_queries<Additive>("Additive", AdditiveOptions{.query_dim = 3, .key_dim = 3, .hidden = 4}),
          of_queries<Concat>("Concat", ConcatOptions{.query_dim = 3, .key_dim = 3, .hidden = 4}),
          of_queries<Cosine>("Cosine", CosineOptions{.temperature = 0.5, .learned = true}),
          of_queries<Location>("Location-aware",
                               LocationOptions{.query_dim = 3, .key_dim = 3, .hidden = 4, .channels = 2, .kernel = 3}),
          of_queries<Coverage>("Coverage", CoverageOptions{.query_dim = 3, .key_dim = 3, .hidden = 4}),
          of_queries<LocalM>("Local-m", LocalOptions{.query_dim = 3, .key_dim = 3, .window = 1}),
          of_queries<LocalP>("Local-p", LocalPOptions{.query_dim = 3, .key_dim = 3, .hidden = 4, .window = 2}),
          sparse("Block-local", SparsePattern::block),
          sparse("Strided", SparsePattern::strided),
          sparse("Window", SparsePattern::window),
          of_queries<Dot>("Sparsemax", DotOptions{.normaliser = Normaliser::sparsemax}),
          of_queries<Dot>("1.5-entmax", DotOptions{.normaliser = Normaliser::entmax15}),
          of_queries<attention::MultiHead>("Multi-head", MultiHeadOptions{.query_dim = 4, .heads = 2}, 4)};
}

std::vector<Row> rows_of_layers() {
  std::vector<Row> rows = {
      of_heads("Multi-head", {}),
      of_heads("Multi-query and grouped-query", {.num_heads = 4, .kv_heads = 1}),
      of_heads("Multi-query and grouped-query", {.num_heads = 4, .kv_heads = 2}),
      of_heads("Rotary", {.positions = AttentionPositions::rotary}),
      of_heads("ALiBi", {.positions = AttentionPositions::alibi}),
      of_heads("Shaw's relative positions", {.positions = AttentionPositions::shaw, .max_distance = 2}),
      of_heads("T5's relative bias", {.positions = AttentionPositions::t5, .max_distance = 4, .num_buckets = 4}),
      of_heads("Adaptive span", {.max_span = 4, .span_ramp = 2, .initial_span = 0.4}),
      of_places<LightweightConv>("Lightweight convolution",
                                 ConvMixingOptions{.embed_dim = 6, .num_heads = 2, .kernel_size = 3}),
      of_places<DynamicConv>("Dynamic convolution", ConvMixingOptions{.embed_dim = 6, .num_heads = 2, .kernel_size = 3}),
      of_places<GatedAttentionUnit>("Gated attention unit",
                                    GatedAttentionUnitOptions{.embed_dim = 6, .hidden = 5, .key_dim = 3})};
  rows.push_back(
      row("Linear attention", std::make_shared<LinearAttention>(LinearAttentionOptions{.embed_dim = 6, .num_heads = 2}),
          {uniform({2, 4, 6}, -1, 1, 1)}, [](LinearAttention& attention, const Inputs& in) {
            const MixingOutput out =
                attention(in[0], in[0], in[0], AttentionMask{.lengths = lengths, .causal = true}, AttentionWeights::per_head);
            return both(out.output, out.weights);
          }));
  rows.push_back(row("Sinusoid and learned", std::make_shared<SinusoidalPositions>(), {uniform({2, 3, 4}, -1, 1, 1)},
                     [](SinusoidalPositions& positions, const Inputs& in) { return square(positions(in[0], 1)); }));
  rows.push_back(row("Sinusoid and learned",
                     std::make_shared<LearnedPositions>(LearnedPositionsOptions{.max_length = 5, .embedding_dim = 4}),
                     {uniform({2, 3, 4}, -1, 1, 1)},
                     [](LearnedPositions& positions, const Inputs& in) { return square(positions(in[0], 1)); }));
  return rows;
}

std::vector<Row> rows_of_levels_and_senses() {
  std::vector<Row> rows;
  rows.push_back(row("Pooling", std::make_shared<Pooling>(PoolingOptions{.size = 3, .hidden = 4}),
                     {uniform({2, 4, 3}, -1, 1, 1)}, [](Pooling& pooling, const Inputs& in) {
                       const PoolingOutput out = pooling(in[0], open_places);
                       return both(out.context, out.weights);
                     }));
  for (const SequenceEncoder encoder : {SequenceEncoder::gru, SequenceEncoder::conv, SequenceEncoder::none})
    rows.push_back(row("Hierarchical",
                       std::make_shared<Hierarchical>(HierarchicalOptions{.input_size = 3, .hidden = 2, .encoder = encoder}),
                       {uniform({2, 3, 2, 3}, -1, 1, 1)}, [](Hierarchical& levels, const Inputs& in) {
                         const HierarchicalOutput out = levels(in[0]);
                         return both(out.output, both(out.weights[0], out.weights[1]));
                       }));
  rows.push_back(row("Grid", std::make_shared<Additive>(AdditiveOptions{.query_dim = 3, .key_dim = 2, .hidden = 4}),
                     {uniform({2, 1, 3}, -1, 1, 1), uniform({2, 2, 2, 3}, -1, 1, 2)},
                     [](Additive& attention, const Inputs& in) {
                       const AttentionOutput out = attention(in[0], remember_grid(attention, in[1]));
                       return both(out.context, on_grid(out.weights, 2, 3));
                     }));
  rows.push_back(row(
      "Pointer-generator", std::make_shared<PointerGenerator>(PointerGeneratorOptions{.context_dim = 2, .state_dim = 3}),
      {uniform({2, 2, 2}, -1, 1, 1), uniform({2, 2, 3}, -1, 1, 2), uniform({2, 2, 4}, -1, 1, 3), uniform({2, 2, 3}, 0.2, 1, 4)},
      [](PointerGenerator& generator, const Inputs& in) {
        const auto out = generator(PointerGeneratorInput{.context = in[0],
                                                         .state = in[1],
                                                         .input = {},
                                                         .logits = in[2],
                                                         .weights = in[3],
                                                         .source = extended_ids,
                                                         .extended = 6});
        return both(out.output, out.generate);
      }));
  rows.push_back(row("Gated fusion",
                     std::make_shared<GatedFusion>(GatedFusionOptions{.in_features = {3, 2}, .out_features = 4}),
                     {uniform({2, 3}, -1, 1, 1), uniform({2, 2}, -1, 1, 2)},
                     [](GatedFusion& fusion, const Inputs& in) { return fusion(in[0], in[1]); }));
  rows.push_back(
      row("Co-attention", std::make_shared<CoAttention>(CoAttentionOptions{.first_dim = 3, .second_dim = 2, .hidden = 4}),
          {uniform({2, 4, 3}, -1, 1, 1), uniform({2, 4, 2}, -1, 1, 2)}, [](CoAttention& attention, const Inputs& in) {
            const CoAttentionOutput out = attention(in[0], in[1], lengths, lengths);
            return both(both(out.first, out.second), both(out.first_weights, out.second_weights));
          }));
  return rows;
}

std::vector<Row> table() {
  std::vector<Row> rows = rows_of_scores();
  for (auto more : {rows_of_layers, rows_of_levels_and_senses})
    for (Row& each : more()) rows.push_back(std::move(each));
  return rows;
}

const test::Option list_kinds("--list-kinds", [] {
  for (const Row& each : table()) std::printf("%s\n", each.kind.c_str());
});

}  // namespace

TEST_CASE("gradients of every kind of attention, by its inputs and its parameters, to second order") {
  std::printf("%-30s  %-10s  %s\n", "worst error / what is allowed", "first", "second");
  for (const Row& each : table()) {
    CAPTURE(each.kind);
    const Inputs constants(each.inputs.begin(), each.inputs.end());
    const auto loss = [&] { return sum(square(each.output(constants))); };
    const bool has_parameters = !each.module->parameters().empty();
    double worst[2] = {};
    const auto take = [&](int order, const GradcheckReport& report) {
      CHECK_MESSAGE(report.ok(), report.str());
      worst[order - 1] = std::max(worst[order - 1], report.worst);
    };
    take(1, gradcheck(each.output, each.inputs));
    take(2, gradgradcheck(each.output, each.inputs));
    if (has_parameters) {
      take(1, gradcheck_parameters(loss, each.module->parameters()));
      take(2, gradgradcheck_parameters(loss, each.module->parameters(), {.rtol = 1e-4, .elements = 20}));
    }
    std::printf("%-30s  %-10.2g  %.2g\n", each.kind.c_str(), worst[0], worst[1]);
  }
}
