#pragma once
// Layers of a Transformer that normalise what goes into each part. libtorch 1.13's own C++ ones can't, so these are made of its
// MultiheadAttention, LayerNorm and Linear. The batch is the second dimension, which its attention is fastest with.
#include <cmath>
#include <string>

#include "compare/peer.hpp"

namespace bench {

struct LayerSizes {
  std::int64_t width, heads, feed_forward;
  double dropout;
  bool gelu;
};

/// What may not be attended: causal [places, places] of -inf and 0 and padding [batch, places], true at padding; or undefined.
struct AttentionMasks {
  torch::Tensor causal, padding;
};

inline torch::Tensor causal_mask(std::int64_t places) {
  return torch::full({places, places}, -std::numeric_limits<double>::infinity()).triu(1);
}

/// Self-attention, attention to a memory in a decoder, feed-forward.
struct LayerImpl : torch::nn::Module {
  LayerImpl(const LayerSizes& s, bool decoder)
      : sizes(s),
        self_attn(register_module("self_attn", attention())),
        linear1(register_module("linear1", torch::nn::Linear(s.width, s.feed_forward))),
        linear2(register_module("linear2", torch::nn::Linear(s.feed_forward, s.width))),
        norm1(register_module("norm1", norm())),
        norm2(register_module("norm2", norm())) {
    if (!decoder) return;
    multihead_attn = register_module("multihead_attn", attention());
    norm3 = register_module("norm3", norm());
  }

  torch::Tensor forward(torch::Tensor x, const AttentionMasks& masks, const torch::Tensor& memory = {},
                        const AttentionMasks& memory_masks = {}) {
    const torch::Tensor own = norm1(x);
    x = x + dropped(attend(self_attn, own, own, masks));
    if (memory.defined()) x = x + dropped(attend(multihead_attn, norm2(x), memory, memory_masks));
    const torch::Tensor inner = linear1((memory.defined() ? norm3 : norm2)(x));
    return x + dropped(linear2(dropped(sizes.gelu ? torch::gelu(inner) : torch::relu(inner))));
  }

  torch::nn::MultiheadAttention attention() const {
    return torch::nn::MultiheadAttention(torch::nn::MultiheadAttentionOptions(sizes.width, sizes.heads).dropout(sizes.dropout));
  }
  torch::nn::LayerNorm norm() const { return torch::nn::LayerNorm(torch::nn::LayerNormOptions({sizes.width})); }
  torch::Tensor dropped(const torch::Tensor& x) const {
    return sizes.dropout > 0 ? torch::dropout(x, sizes.dropout, is_training()) : x;
  }
  static torch::Tensor attend(torch::nn::MultiheadAttention& attention, const torch::Tensor& x, const torch::Tensor& memory,
                              const AttentionMasks& masks) {
    return std::get<0>(attention(x, memory, memory, masks.padding, /*need_weights=*/false, masks.causal));
  }

  LayerSizes sizes;
  torch::nn::MultiheadAttention self_attn;
  torch::nn::Linear linear1, linear2;
  torch::nn::LayerNorm norm1, norm2;
  torch::nn::MultiheadAttention multihead_attn{nullptr};
  torch::nn::LayerNorm norm3{nullptr};
};
TORCH_MODULE(Layer);

/// Layers and a last normalisation.
struct StackImpl : torch::nn::Module {
  StackImpl(std::int64_t count, const LayerSizes& s, bool decoder)
      : norm(register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({s.width})))) {
    register_module("layers", layers);
    for (std::int64_t i = 0; i < count; ++i) layers->push_back(Layer(s, decoder));
  }

  torch::Tensor forward(torch::Tensor x, const AttentionMasks& masks, const torch::Tensor& memory = {},
                        const AttentionMasks& memory_masks = {}) {
    for (const auto& layer : *layers) x = layer->as<LayerImpl>()->forward(x, masks, memory, memory_masks);
    return norm(x);
  }

  torch::nn::ModuleList layers;
  torch::nn::LayerNorm norm;
};
TORCH_MODULE(Stack);

}  // namespace bench
