// The Transformer's modules against what PyTorch computes (tests/golden): outputs and every gradient. PyTorch's state
// dictionaries fit name by name.
#include <doctest/doctest.h>

#include "golden/module_golden.hpp"
#include "nn/padding.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/nn/transformer.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using test::check_parameters;
using test::fill;
using test::Golden;
using test::relative_error;
using test::tolerance;
using test::weighted;

namespace {

nn::TransformerLayerOptions layer_options(bool norm_first) {
  return {.d_model = 6,
          .nhead = 2,
          .dim_feedforward = 7,
          .dropout = 0,
          .activation = norm_first ? nn::TransformerActivation::gelu : nn::TransformerActivation::relu,
          .layer_norm_eps = norm_first ? 1e-3 : 1e-5,
          .norm_first = norm_first};
}

// In f32 rounding adds up through the layers: PyTorch's own f32 is 2.5e-6 from its f64 in the gradients of the whole.
double deep_tolerance(DType dtype) { return dtype == f32 ? 5e-6 : tolerance(dtype); }

// Checks `run(golden, leaves)` on the golden file's inputs of the given names, with the output's padding left out.
template <class Module, class Run>
void check_module(const std::string& file, Module& module, const std::vector<std::string>& inputs, const std::string& lengths,
                  DType dtype, const Run& run) {
  const Golden golden = Golden::load(file);
  fill(module, golden, dtype);
  Tape tape;
  std::vector<Var> leaves;
  for (const std::string& name : inputs) leaves.push_back(tape.leaf(golden[name].to(dtype)));
  const Var output = nn::without_padding(run(golden, leaves), lengths.empty() ? Tensor() : golden[lengths], "test");
  CHECK(relative_error(output.value(), golden["output"]) <= deep_tolerance(dtype));
  tape.backward(weighted(golden, "output", output));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    CAPTURE(inputs[i]);
    CHECK(relative_error(tape.grad(leaves[i]), golden["grad." + inputs[i]]) <= deep_tolerance(dtype));
  }
  check_parameters(module, golden, deep_tolerance(dtype));
}

}  // namespace

TEST_CASE("MultiheadAttention equals PyTorch's: to itself, causal, with lengths") {
  const Golden golden = Golden::load("multihead_attention");
  for (const DType dtype : {f32, f64}) {
    nn::MultiheadAttention attention({.embed_dim = 6, .num_heads = 2});
    fill(attention, golden, dtype);
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype));
    const Tensor& lengths = golden["lengths"];
    const AttentionMask mask{.lengths = lengths, .causal = true};
    const auto both = attention(x, x, x, mask, nn::AttentionWeights::averaged);
    const auto heads = attention(x, x, x, mask, nn::AttentionWeights::per_head);
    const Var output = nn::without_padding(attention(x, x, x, mask).output, lengths, "test");
    const Var averaged = nn::without_padding(both.weights, lengths, "test");
    const Var rows = reshape(transpose(heads.weights, 1, 2), {3, 5, 10});  // places before heads
    const Var per_head = transpose(reshape(nn::without_padding(rows, lengths, "test"), {3, 5, 2, 5}), 1, 2);
    CHECK(relative_error(output.value(), golden["output"]) <= tolerance(dtype));
    CHECK(relative_error(averaged.value(), golden["averaged"]) <= tolerance(dtype));
    CHECK(relative_error(per_head.value(), golden["per_head"]) <= tolerance(dtype));
    tape.backward(weighted(golden, "output", output) + weighted(golden, "averaged", averaged) +
                  weighted(golden, "per_head", per_head));
    CHECK(relative_error(tape.grad(x), golden["grad.input"]) <= tolerance(dtype));
    check_parameters(attention, golden, dtype);
  }
}

TEST_CASE("MultiheadAttention equals PyTorch's: to keys and values of other sizes, with a mask, without bias") {
  const Golden golden = Golden::load("multihead_attention_cross");
  for (const DType dtype : {f32, f64}) {
    nn::MultiheadAttention attention({.embed_dim = 6, .num_heads = 3, .bias = false, .kdim = 4, .vdim = 5});
    fill(attention, golden, dtype);
    Tape tape;
    const Var query = tape.leaf(golden["query"].to(dtype)), key = tape.leaf(golden["key"].to(dtype)),
              value = tape.leaf(golden["value"].to(dtype));
    const auto out = attention(query, key, value, AttentionMask{.allowed = ne(golden["allowed"], 0).unsqueeze(0).unsqueeze(0)},
                               nn::AttentionWeights::averaged);
    CHECK(relative_error(out.output.value(), golden["output"]) <= tolerance(dtype));
    CHECK(relative_error(out.weights.value(), golden["averaged"]) <= tolerance(dtype));
    tape.backward(weighted(golden, "output", out.output) + weighted(golden, "averaged", out.weights));
    CHECK(relative_error(tape.grad(query), golden["grad.query"]) <= tolerance(dtype));
    CHECK(relative_error(tape.grad(key), golden["grad.key"]) <= tolerance(dtype));
    CHECK(relative_error(tape.grad(value), golden["grad.value"]) <= tolerance(dtype));
    check_parameters(attention, golden, dtype);
  }
}

TEST_CASE("encoder layer, decoder layer and the whole Transformer equal PyTorch's, normalised behind each part and before") {
  for (const bool norm_first : {false, true})
    for (const DType dtype : {f32, f64}) {
      CAPTURE(norm_first);
      CAPTURE(name_of(dtype));
      const std::string suffix = norm_first ? "_norm_first" : "";
      const auto options = layer_options(norm_first);

      nn::TransformerEncoderLayer encoder(options);
      check_module("transformer_encoder_layer" + suffix, encoder, {"source"}, "source_lengths", dtype,
                   [&](const Golden& golden, const std::vector<Var>& in) {
                     return encoder(in[0], AttentionMask{.lengths = golden["source_lengths"]});
                   });

      nn::TransformerDecoderLayer decoder(options);
      check_module("transformer_decoder_layer" + suffix, decoder, {"target", "memory"}, "target_lengths", dtype,
                   [&](const Golden& golden, const std::vector<Var>& in) {
                     return decoder(in[0], in[1], AttentionMask{.lengths = golden["target_lengths"], .causal = true},
                                    AttentionMask{.lengths = golden["source_lengths"]});
                   });

      nn::Transformer transformer({.d_model = 6,
                                   .nhead = 2,
                                   .num_encoder_layers = 2,
                                   .num_decoder_layers = 2,
                                   .dim_feedforward = 7,
                                   .dropout = 0,
                                   .activation = options.activation,
                                   .layer_norm_eps = options.layer_norm_eps,
                                   .norm_first = norm_first});
      check_module("transformer" + suffix, transformer, {"source", "target"}, "target_lengths", dtype,
                   [&](const Golden& golden, const std::vector<Var>& in) {
                     const AttentionMask source{.lengths = golden["source_lengths"]};
                     const AttentionMask target{.lengths = golden["target_lengths"], .causal = true};
                     return transformer(in[0], in[1], nn::TransformerMasks{source, target, source});
                   });
    }
}
