#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention.hpp"
#include "kernels/parallel.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::kernels::reference {
namespace {

/// One row of the batch in one head, with the row strides of its matrices.
template <class T>
struct Head {
  const AttentionSettings& settings;
  const T *query, *key, *value;
  const bool* allowed;  // null: all
  const T* kept;        // what dropout multiplies the weights with; null: nothing
  std::int64_t b, queries, keys, size, value_size, query_row, key_row, value_row, allowed_row, allowed_column;
  const T* bias;  // null: none

  std::int64_t end(std::int64_t q) const { return settings.visible(b, q, queries, keys); }
  bool open(std::int64_t q, std::int64_t k) const {
    return allowed == nullptr || allowed[q * allowed_row + k * allowed_column];
  }
  T keep(std::int64_t q, std::int64_t k) const { return kept == nullptr ? T{1} : kept[q * keys + k]; }
  std::int64_t distance(std::int64_t q, std::int64_t k) const { return k - q + queries - 1; }
  T score(std::int64_t q, std::int64_t k) const {
    T sum = 0;
    for (std::int64_t i = 0; i < size; ++i) sum += query[q * query_row + i] * key[k * key_row + i];
    sum *= static_cast<T>(settings.scale);
    return bias == nullptr ? sum : sum + bias[distance(q, k)];
  }
};

/// Calls body(head, b, h) for each row and head, in parallel.
template <class T, class Body>
void for_heads(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionSettings& settings,
               const Body& body) {
  const std::int64_t B = query.size(0), H = query.size(1), Q = query.size(2), K = key.size(2);
  Tensor kept;
  if (settings.draw) kept = reference::dropout(Tensor::ones({B * H * Q, K}, query.dtype()), *settings.draw);
  const Tensor q = heads::with_dense_rows(query), k = heads::with_dense_rows(key), v = heads::with_dense_rows(value);
  const Tensor& allowed = settings.allowed;
  parallel_chunks(B * H, 1, [&](std::int64_t begin, std::int64_t) {
    const std::int64_t b = begin / H, h = begin % H;
    body(Head<T>{settings, heads::matrix<T>(q, b, h), heads::matrix<T>(k, b, h), heads::matrix<T>(v, b, h),
                 allowed.defined() ? heads::matrix<bool>(allowed, b, h) : nullptr,
                 kept.defined() ? kept.data<T>() + begin * Q * K : nullptr, b, Q, K, q.size(3), v.size(3), q.stride(2),
                 k.stride(2), v.stride(2), allowed.defined() ? allowed.stride(2) : 0, allowed.defined() ? allowed.stride(3) : 0,
                 settings.bias_of<T>(h)},
         b, h);
  });
}

template <class T>
void forward_head(const Head<T>& head, T* output, std::int64_t output_row, T* largest, T* log_sums) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  PoolVector<T> scores(static_cast<std::size_t>(head.keys));
  for (std::int64_t q = 0; q < head.queries; ++q) {
    const std::int64_t end = head.end(q);
    T most = -infinity, sum = 0;
    bool any = false;
    for (std::int64_t k = 0; k < end; ++k) {
      if (!head.open(q, k)) continue;
      T& score = scores[static_cast<std::size_t>(k)] = head.score(q, k);
      most = score > most ? score : most;
      any = true;
    }
    for (std::int64_t k = 0; k < end; ++k)
      if (head.open(q, k)) sum += scores[static_cast<std::size_t>(k)] = std::exp(scores[static_cast<std::size_t>(k)] - most);
    T* row = output + q * output_row;
    std::fill_n(row, head.value_size, T{0});
    for (std::int64_t k = 0; k < end; ++k) {
      if (!head.open(q, k)) continue;
      const T weight = scores[static_cast<std::size_t>(k)] / sum * head.keep(q, k);
      for (std::int64_t i = 0; i < head.value_size; ++i) row[i] += weight * head.value[k * head.value_row + i];
    }
    largest[q] = most;
    log_sums[q] = any ? std::log(sum) : infinity;
  }
}

template <class T>
struct Outgoing {
  T *query, *key, *value;
  T* bias;  // null: not wanted
  std::int64_t query_row, key_row, value_row;
};

// p = exp(score - largest - log_sum), dp = keep (g . v):  dv += p keep g,  ds = p (dp - sum(p dp)),
// dq += ds scale k,  dk += ds scale q
template <class T>
void backward_head(const Head<T>& head, const T* gradient, std::int64_t gradient_row, const T* largest, const T* log_sums,
                   const Outgoing<T>& to) {
  PoolVector<T> weights(static_cast<std::size_t>(head.keys)), incoming(weights.size());
  for (std::int64_t q = 0; q < head.queries; ++q) {
    const T* g = gradient + q * gradient_row;
    if (std::all_of(g, g + head.value_size, [](T x) { return x == 0; })) continue;
    const std::int64_t end = head.end(q);
    T sum = 0;
    for (std::int64_t k = 0; k < end; ++k) {
      if (!head.open(q, k)) continue;
      const T weight = weights[static_cast<std::size_t>(k)] = std::exp(head.score(q, k) - largest[q] - log_sums[q]),
              keep = head.keep(q, k);
      T product = 0;
      for (std::int64_t i = 0; i < head.value_size; ++i) {
        product += g[i] * head.value[k * head.value_row + i];
        to.value[k * to.value_row + i] += weight * keep * g[i];
      }
      incoming[static_cast<std::size_t>(k)] = product * keep;
      sum += weight * product * keep;
    }
    for (std::int64_t k = 0; k < end; ++k) {
      if (!head.open(q, k)) continue;
      const T of_score = weights[static_cast<std::size_t>(k)] * (incoming[static_cast<std::size_t>(k)] - sum),
              factor = of_score * static_cast<T>(head.settings.scale);
      if (to.bias != nullptr) to.bias[head.distance(q, k)] += of_score;
      for (std::int64_t i = 0; i < head.size; ++i) {
        to.query[q * to.query_row + i] += factor * head.key[k * head.key_row + i];
        to.key[k * to.key_row + i] += factor * head.query[q * head.query_row + i];
      }
    }
  }
}

template <class T>
AttentionForward forward_of(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionSettings& settings) {
  const Shape of_queries{query.size(0), query.size(1), query.size(2)};
  AttentionForward result{heads::empty(query, value.size(3)), Tensor::empty(of_queries, query.dtype()),
                          Tensor::empty(of_queries, query.dtype())};
  T *output = result.output.mutable_data<T>(), *largest = result.largest.mutable_data<T>(),
    *log_sums = result.log_sums.mutable_data<T>();
  for_heads<T>(query, key, value, settings, [&](const Head<T>& head, std::int64_t b, std::int64_t h) {
    forward_head(head, output + b * result.output.stride(0) + h * result.output.stride(1), result.output.stride(2),
                 largest + (b * query.size(1) + h) * head.queries, log_sums + (b * query.size(1) + h) * head.queries);
  });
  return result;
}

template <class T>
AttentionGradients backward_of(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionForward& forward,
                               const Tensor& gradient, const AttentionSettings& settings, bool with_bias) {
  const std::int64_t distances = query.size(2) + key.size(2) - 1;
  AttentionGradients result{
      heads::empty(query, query.size(3)), heads::empty(key, key.size(3)), heads::empty(value, value.size(3)),
      with_bias ? Tensor::zeros({query.size(0), query.size(1), std::max<std::int64_t>(distances, 0)}, query.dtype())
                : Tensor()};
  T* const bias = with_bias ? result.bias.mutable_data<T>() : nullptr;
  for (Tensor* each : {&result.query, &result.key, &result.value}) each->fill(0);
  const Tensor g = heads::with_dense_rows(gradient);
  T *dq = result.query.mutable_data<T>(), *dk = result.key.mutable_data<T>(), *dv = result.value.mutable_data<T>();
  for_heads<T>(query, key, value, settings, [&](const Head<T>& head, std::int64_t b, std::int64_t h) {
    const auto at = [b, h](const Tensor& x) { return b * x.stride(0) + h * x.stride(1); };
    const std::int64_t row = (b * query.size(1) + h) * head.queries;
    backward_head(head, g.data<T>() + at(g), g.stride(2), forward.largest.data<T>() + row, forward.log_sums.data<T>() + row,
                  Outgoing<T>{dq + at(result.query), dk + at(result.key), dv + at(result.value),
                              with_bias ? bias + (b * query.size(1) + h) * distances : nullptr, result.query.stride(2),
                              result.key.stride(2), result.value.stride(2)});
  });
  return result;
}

}  // namespace

AttentionForward attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionSettings& settings) {
  return query.dtype() == f32 ? forward_of<float>(query, key, value, settings)
                              : forward_of<double>(query, key, value, settings);
}

AttentionGradients attention_backward(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionForward& forward, const Tensor& gradient,
                                      const AttentionSettings& settings, bool with_bias) {
  return query.dtype() == f32 ? backward_of<float>(query, key, value, forward, gradient, settings, with_bias)
                              : backward_of<double>(query, key, value, forward, gradient, settings, with_bias);
}

}  // namespace weft::kernels::reference
