#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::test {

/// Plain attention by loops in double. What a kind of attention changes is a function of (head, query, key).
struct PlainAttention {
  std::int64_t heads = 1;
  std::function<double(std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j, double dot)> score =
      [](auto, auto, auto, auto, double dot) { return dot; };
  std::function<bool(std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j)> open = [](auto...) { return true; };
  /// Of the weight e^score; 1 where nothing is changed.
  std::function<double(std::int64_t h, std::int64_t i, std::int64_t j)> factor = [](auto...) { return 1.0; };
  /// Added to value (j, d) for query i.
  std::function<double(std::int64_t i, std::int64_t j, std::int64_t d)> value = [](auto...) { return 0.0; };

  /// q [B, H, Q, D], k and v [B, any divisor of H, K, D] -> [B, Q, H D].
  Tensor operator()(const Tensor& q, const Tensor& k, const Tensor& v) const {
    const std::int64_t B = q.size(0), H = q.size(1), Q = q.size(2), D = q.size(3), K = k.size(2), G = H / k.size(1);
    Tensor out = Tensor::zeros({B, Q, H * D}, f64);
    auto* to = out.mutable_data<double>();
    for (std::int64_t b = 0; b < B; ++b)
      for (std::int64_t i = 0; i < Q; ++i)
        for (std::int64_t h = 0; h < H; ++h) {
          std::vector<double> w(static_cast<std::size_t>(K), 0.0);
          double total = 0;
          for (std::int64_t j = 0; j < K; ++j) {
            if (!open(b, h, i, j)) continue;
            double dot = 0;
            for (std::int64_t d = 0; d < D; ++d) dot += q.at({b, h, i, d}) * k.at({b, h / G, j, d});
            w[static_cast<std::size_t>(j)] = std::exp(score(b, h, i, j, dot)) * factor(h, i, j);
            total += w[static_cast<std::size_t>(j)];
          }
          for (std::int64_t j = 0; j < K && total > 0; ++j)
            for (std::int64_t d = 0; d < D; ++d)
              to[(b * Q + i) * H * D + h * D + d] +=
                  w[static_cast<std::size_t>(j)] / total * (v.at({b, h / G, j, d}) + value(i, j, d));
        }
    return out;
  }
};

/// x W^T + b by loops: x [batch, places, in] -> [batch, places, out].
inline Tensor plain_linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}) {
  Tensor y = Tensor::zeros({x.size(0), x.size(1), weight.size(0)}, f64);
  auto* to = y.mutable_data<double>();
  for (std::int64_t b = 0; b < x.size(0); ++b)
    for (std::int64_t t = 0; t < x.size(1); ++t)
      for (std::int64_t o = 0; o < weight.size(0); ++o, ++to) {
        *to = bias.defined() ? bias.at({o}) : 0.0;
        for (std::int64_t i = 0; i < x.size(2); ++i) *to += x.at({b, t, i}) * weight.at({o, i});
      }
  return y;
}

/// [batch, places, heads size] -> [batch, heads, places, size]
inline Tensor plain_heads(const Tensor& x, std::int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

}  // namespace weft::test
