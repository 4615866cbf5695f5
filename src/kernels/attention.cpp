#include "kernels/attention.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "kernels/onednn.hpp"
#include "kernels/parallel.hpp"
#include "kernels/work.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

using Floats = hn::ScalableTag<float>;

HWY_INLINE hn::Vec<Floats> LoadOr(const float* x, std::size_t count, float fill) {
  const Floats d;
  if (count == hn::Lanes(d)) return hn::LoadU(d, x);
  return hn::IfThenElse(hn::FirstN(d, count), LoadSome(d, x, count), hn::Set(d, fill));
}

// e^x to 2 ulp for x that is hardly above 0; NaN stays NaN. Below e^-64 it is 0: beside the largest weight, which is 1, such a
// one is lost in rounding, while sums of such alone, as far keys have under ALiBi, would be denormal and slow.
HWY_INLINE hn::Vec<Floats> ExpBelow(hn::Vec<Floats> x) {
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  const auto low = hn::Set(d, -64.0f);
  const auto parts = SplitExp(d, hn::Max(x, low));
  const auto scale = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, parts.n), hn::Set(di, 127))));
  const auto y = hn::Mul(hn::Add(parts.rest, hn::Set(d, 1.0f)), scale);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenZeroElse(hn::Lt(x, low), y));
}

// One row of scores, on its way through the blocks of keys: x = exp(x - most) with the largest so far as `most`; what was
// gathered before has to be multiplied by the factor that is given. `most` is -inf before there is anything.
float SoftmaxBlock(float* x, std::size_t n, float* most, float* sum) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto tops = hn::Set(d, *most);
  for (std::size_t i = 0; i < n; i += lanes) tops = hn::Max(tops, LoadOr(x + i, HWY_MIN(lanes, n - i), *most));
  const float top = hn::GetLane(hn::MaxOfLanes(d, tops));
  // Everything closed so far: nothing to weigh, unless a NaN stands there, which exp finds.
  const auto shift = hn::Set(d, top == -__builtin_inff() ? 0.0f : top);
  auto sums = hn::Zero(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = HWY_MIN(lanes, n - i);
    const auto e = ExpBelow(hn::Sub(LoadOr(x + i, count, -__builtin_inff()), shift));
    sums = hn::Add(sums, e);
    StoreUpTo(e, d, x + i, count);
  }
  const float below = *most - top;  // 0 beyond e^-64, as single weights are
  const float factor = *most == top ? 1.0f : (below < -64 ? 0.0f : __builtin_expf(below));
  *sum = *sum * factor + hn::GetLane(hn::SumOfLanes(d, sums));
  *most = top;
  return factor;
}

// y += x
void AddRow(const float* x, float* y, std::size_t n) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = HWY_MIN(lanes, n - i);
    StoreUpTo(hn::Add(LoadOr(x + i, count, 0), LoadOr(y + i, count, 0)), d, y + i, count);
  }
}

// y = factor x
void ScaleRow(const float* x, float* y, std::size_t n, float factor) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = HWY_MIN(lanes, n - i);
    StoreUpTo(hn::Mul(LoadOr(x + i, count, 0), hn::Set(d, factor)), d, y + i, count);
  }
}

// x = exp(x - most - log_sum): the weights of the forward pass.
void WeightsRow(float* x, std::size_t n, float most, float log_sum) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = HWY_MIN(lanes, n - i);
    const auto below = hn::Sub(LoadOr(x + i, count, 0), hn::Set(d, most));
    StoreUpTo(ExpBelow(hn::Sub(below, hn::Set(d, log_sum))), d, x + i, count);
  }
}

// incoming = weight (incoming - sum); what would be denormal is 0
void ScoreGradientRow(const float* weights, float* incoming, std::size_t n, float sum) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = HWY_MIN(lanes, n - i);
    const auto g = hn::Sub(LoadOr(incoming + i, count, 0), hn::Set(d, sum));
    StoreUpTo(WithoutDenormals(d, hn::Mul(LoadOr(weights + i, count, 0), g)), d, incoming + i, count);
  }
}

float DotRow(const float* a, const float* b, std::size_t n) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto sums = hn::Zero(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = HWY_MIN(lanes, n - i);
    sums = hn::MulAdd(LoadOr(a + i, count, 0), LoadOr(b + i, count, 0), sums);
  }
  return hn::GetLane(hn::SumOfLanes(d, sums));
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(SoftmaxBlock);
HWY_EXPORT(AddRow);
HWY_EXPORT(ScaleRow);
HWY_EXPORT(WeightsRow);
HWY_EXPORT(ScoreGradientRow);
HWY_EXPORT(DotRow);

namespace {

// Queries and keys of one block of scores: 128 KiB, which a second-level cache holds.
constexpr std::int64_t block_queries = 128, block_keys = 256;
// Rows of a block of scores are this much apart: leading dimensions of a power of two are slow.
constexpr std::int64_t block_pitch = block_keys + 16;
constexpr float infinity = std::numeric_limits<float>::infinity(), quiet_nan = std::numeric_limits<float>::quiet_NaN();

using onednn::Matrix;

// c [m, n] (+)= a [m, k] b [k, n], on this thread.
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix& a, const Matrix& b, float* c, std::int64_t c_row,
              bool accumulate) {
  onednn::multiply({m, n, k, a, b, c, c_row, accumulate}, 1);
}

/// Operands whose rows are dense and don't overlap, as oneDNN takes them.
Tensor with_plain_rows(const Tensor& x) {
  const bool plain = (x.stride(3) == 1 || x.size(3) == 1) && x.stride(2) >= x.size(3) && x.stride(0) >= 0 && x.stride(1) >= 0;
  return plain ? x : x.clone();
}

/// What all heads of a call share.
struct Call {
  Tensor query, key, value;
  const AttentionSettings& settings;
  std::int64_t batch, heads, queries, keys, size, value_size;

  Call(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionSettings& s)
      : query(with_plain_rows(q)),
        key(with_plain_rows(k)),
        value(with_plain_rows(v)),
        settings(s),
        batch(q.size(0)),
        heads(q.size(1)),
        queries(q.size(2)),
        keys(k.size(2)),
        size(q.size(3)),
        value_size(v.size(3)) {}

  // Where the distance of key k from query q stands among all.
  std::int64_t distance(std::int64_t q, std::int64_t k) const { return k - q + queries - 1; }
  std::int64_t blocks() const { return (queries + block_queries - 1) / block_queries; }
};

Matrix matrix_of(const Tensor& x, std::int64_t b, std::int64_t h) {
  return {heads::matrix<float>(x, b, h), std::max(x.stride(2), x.size(3)), 1};
}

/// Row b of the batch in head h.
class Head {
 public:
  Head(const Call& call, std::int64_t b, std::int64_t h)
      : query(matrix_of(call.query, b, h)),
        key(matrix_of(call.key, b, h)),
        value(matrix_of(call.value, b, h)),
        call_(call),
        b_(b),
        first_row_((b * call.heads + h) * call.queries),
        bias_(call.settings.bias_of<float>(h)) {
    if (!call.settings.allowed.defined()) return;
    allowed_ = heads::matrix<bool>(call.settings.allowed, b, h);
  }

  Matrix query, key, value;

  std::int64_t visible(std::int64_t q) const { return call_.settings.visible(b_, q, call_.queries, call_.keys); }

  // Whether query q may attend to anything.
  bool has_keys(std::int64_t q) const {
    const std::int64_t end = visible(q);
    if (allowed_ == nullptr) return end > 0;
    const Tensor& mask = call_.settings.allowed;
    const bool* allowed = allowed_ + q * mask.stride(2);
    for (std::int64_t k = 0; k < end; ++k)
      if (allowed[k * mask.stride(3)]) return true;
    return false;
  }

  // Queries q, q + 1, ... times the scale, next to each other.
  void scaled_queries(float* to, std::int64_t q, std::int64_t rows) const {
    const auto scale = HWY_DYNAMIC_DISPATCH(ScaleRow);
    for (std::int64_t i = 0; i < rows; ++i)
      scale(query.data + (q + i) * query.row, to + i * call_.size, static_cast<std::size_t>(call_.size),
            static_cast<float>(call_.settings.scale));
  }

  // Scores of scaled queries from q on for the keys from k on; -inf where a query may not attend, whatever stands there.
  void scores(float* to, const float* queries, std::int64_t q, std::int64_t rows, std::int64_t k, std::int64_t columns) const {
    const auto add = HWY_DYNAMIC_DISPATCH(AddRow);
    multiply(rows, columns, call_.size, {queries, call_.size, 1}, key.from_row(k).transposed(), to, block_pitch, false);
    for (std::int64_t i = 0; i < rows; ++i) {
      float* row = to + i * block_pitch;
      if (bias_ != nullptr) {
        const std::int64_t open = std::clamp<std::int64_t>(visible(q + i) - k, 0, columns);
        add(bias_ + call_.distance(q + i, k), row, static_cast<std::size_t>(open));
      }
      close(row, q + i, k, columns, -infinity);
    }
  }

  // `with` in columns k, k + 1, ... of row q that this query may not attend to.
  void close(float* row, std::int64_t q, std::int64_t k, std::int64_t columns, float with) const {
    const std::int64_t open = std::clamp<std::int64_t>(visible(q) - k, 0, columns);
    std::fill(row + open, row + columns, with);
    if (allowed_ == nullptr) return;
    const Tensor& mask = call_.settings.allowed;
    const bool* allowed = allowed_ + q * mask.stride(2) + k * mask.stride(3);
    for (std::int64_t j = 0; j < open; ++j)
      if (!allowed[j * mask.stride(3)]) row[j] = with;
  }

  // Columns k, k + 1, ... of row q under dropout.
  void drop(float* row, std::int64_t q, std::int64_t k, std::int64_t columns) const {
    if (call_.settings.draw) dropout_columns(row, columns, first_row_ + q, k, *call_.settings.draw);
  }

 private:
  const Call& call_;
  const bool* allowed_ = nullptr;
  std::int64_t b_, first_row_;
  const float* bias_;
};

void forward_block(const Call& call, const Head& head, std::int64_t q, float* output, std::int64_t output_row, float* largest,
                   float* log_sums) {
  const std::int64_t rows = std::min(block_queries, call.queries - q), end = head.visible(q + rows - 1);
  const auto row_size = static_cast<std::size_t>(call.value_size);
  const auto softmax = HWY_DYNAMIC_DISPATCH(SoftmaxBlock);
  const auto scale = HWY_DYNAMIC_DISPATCH(ScaleRow);
  Tensor room = Tensor::empty({block_queries * (block_pitch + call.size)});
  float *scores = room.mutable_data<float>(), *queries = scores + block_queries * block_pitch;
  head.scaled_queries(queries, q, rows);
  std::array<float, block_queries> most, sums{};
  most.fill(-infinity);
  for (std::int64_t i = 0; i < rows; ++i) std::fill_n(output + i * output_row, row_size, 0.0f);
  for (std::int64_t k = 0; k < end; k += block_keys) {
    const std::int64_t columns = std::min(block_keys, end - k);
    head.scores(scores, queries, q, rows, k, columns);
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const float factor = softmax(scores + i * block_pitch, static_cast<std::size_t>(columns), &most[at], &sums[at]);
      if (factor != 1) scale(output + i * output_row, output + i * output_row, row_size, factor);
      head.drop(scores + i * block_pitch, q + i, k, columns);
    }
    multiply(rows, call.value_size, columns, {scores, block_pitch, 1}, head.value.from_row(k), output, output_row, true);
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    // A sum of 0 is that of no keys, or of scores that are all -inf: then it is NaN, as -inf - -inf is.
    const float sum = sums[static_cast<std::size_t>(i)];
    const bool lost = sum == 0 && head.has_keys(q + i);
    if (sum != 0 || lost) scale(output + i * output_row, output + i * output_row, row_size, lost ? quiet_nan : 1 / sum);
    largest[i] = most[static_cast<std::size_t>(i)];
    log_sums[i] = sum != 0 ? std::log(sum) : lost ? quiet_nan : infinity;
  }
}

/// Where the gradients of one head go, and what comes into it.
struct Gradients {
  Matrix incoming;
  const float *output, *largest, *log_sums;
  float *query, *key, *value;
  float* bias;  // by distance; null: not wanted
  std::int64_t output_row, query_row, key_row, value_row;
};

// Which of some queries count: those into whose output something else than zeros comes.
std::array<bool, block_queries> counting(const Call& call, const Gradients& g, std::int64_t q, std::int64_t rows) {
  std::array<bool, block_queries> counts{};
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* row = g.incoming.data + (q + i) * g.incoming.row;
    counts[static_cast<std::size_t>(i)] =
        g.log_sums[q + i] != infinity && std::any_of(row, row + call.value_size, [](float x) { return x != 0; });
  }
  return counts;
}

void backward_head(const Call& call, const Head& head, const Gradients& g) {
  const auto weights_row = HWY_DYNAMIC_DISPATCH(WeightsRow);
  const auto gradient_row = HWY_DYNAMIC_DISPATCH(ScoreGradientRow);
  const auto dot = HWY_DYNAMIC_DISPATCH(DotRow);
  const auto scale_row = HWY_DYNAMIC_DISPATCH(ScaleRow);
  const auto add = HWY_DYNAMIC_DISPATCH(AddRow);
  const auto scale = static_cast<float>(call.settings.scale);
  const bool drops = call.settings.draw.has_value();
  const std::int64_t block = block_queries * block_pitch;
  Tensor room = Tensor::empty({(drops ? 3 : 2) * block + block_queries * call.size});
  float *queries = room.mutable_data<float>(), *weights = queries + block_queries * call.size, *incoming = weights + block;
  float* dropped = drops ? incoming + block : weights;
  std::array<float, block_queries> sums{};
  for (std::int64_t i = 0; i < call.keys; ++i) {
    std::fill_n(g.key + i * g.key_row, call.size, 0.0f);
    std::fill_n(g.value + i * g.value_row, call.value_size, 0.0f);
  }
  for (std::int64_t q = 0; q < call.queries; q += block_queries) {
    const std::int64_t rows = std::min(block_queries, call.queries - q), end = head.visible(q + rows - 1);
    const auto counts = counting(call, g, q, rows);
    const bool one_block = end <= block_keys;
    head.scaled_queries(queries, q, rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::fill_n(g.query + (q + i) * g.query_row, call.size, 0.0f);
      // What doesn't count may be NaN, and meets zeros in a product.
      if (!counts[static_cast<std::size_t>(i)]) std::fill_n(queries + i * call.size, call.size, 0.0f);
      // sum of weight times what comes in for it = output . g: all blocks' before the first is seen
      sums[static_cast<std::size_t>(i)] =
          one_block ? 0
                    : dot(g.output + (q + i) * g.output_row, g.incoming.data + (q + i) * g.incoming.row,
                          static_cast<std::size_t>(call.value_size));
    }
    for (std::int64_t k = 0; k < end; k += block_keys) {
      const std::int64_t columns = std::min(block_keys, end - k);
      const auto n = static_cast<std::size_t>(columns);
      head.scores(weights, queries, q, rows, k, columns);
      multiply(rows, columns, call.value_size, g.incoming.from_row(q), head.value.from_row(k).transposed(), incoming,
               block_pitch, false);
      for (std::int64_t i = 0; i < rows; ++i) {
        float *weight = weights + i * block_pitch, *in = incoming + i * block_pitch;
        if (!counts[static_cast<std::size_t>(i)]) {
          for (float* row : {weight, in, dropped + i * block_pitch}) std::fill_n(row, n, 0.0f);
          continue;
        }
        weights_row(weight, n, g.largest[q + i], g.log_sums[q + i]);
        if (drops) {
          std::copy_n(weight, n, dropped + i * block_pitch);
          head.drop(dropped + i * block_pitch, q + i, k, columns);
          head.drop(in, q + i, k, columns);
        }
        // Where all weights are here the sum of their own products is nearer: what is left of each score's gradient cancels.
        gradient_row(weight, in, n, one_block ? dot(weight, in, n) : sums[static_cast<std::size_t>(i)]);
        if (std::isnan(g.log_sums[q + i]))  // a row that is lost is so where it is open alone
          for (float* row : {weight, in, dropped + i * block_pitch}) head.close(row, q + i, k, columns, 0);
        if (g.bias == nullptr) continue;
        const std::int64_t open = std::clamp<std::int64_t>(head.visible(q + i) - k, 0, columns);
        add(in, g.bias + call.distance(q + i, k), static_cast<std::size_t>(open));
      }
      multiply(columns, call.value_size, rows, Matrix{dropped, block_pitch, 1}.transposed(), g.incoming.from_row(q),
               g.value + k * g.value_row, g.value_row, true);
      multiply(rows, call.size, columns, {incoming, block_pitch, 1}, head.key.from_row(k), g.query + q * g.query_row,
               g.query_row, true);
      multiply(columns, call.size, rows, Matrix{incoming, block_pitch, 1}.transposed(), {queries, call.size, 1},
               g.key + k * g.key_row, g.key_row, true);
    }
  }
  for (std::int64_t i = 0; i < call.queries; ++i)
    scale_row(g.query + i * g.query_row, g.query + i * g.query_row, static_cast<std::size_t>(call.size), scale);
}

// Multiply-adds for one thread at least: small heads are done several together.
constexpr std::int64_t work_per_chunk = std::int64_t{1} << 20;

// body(task) for each of some tasks of `rows` queries, in parallel.
template <class Body>
void for_tasks(const Call& call, std::int64_t tasks, std::int64_t rows, const Body& body) {
  const std::int64_t work = std::max<std::int64_t>(1, std::min(rows, call.queries) * call.keys * (call.size + call.value_size));
  parallel_chunks(tasks, std::max<std::int64_t>(1, work_per_chunk / work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) body(task);
  });
}

// Pairs of a query and a key that it may see for length and causality, over all heads.
std::int64_t visible_pairs(const Tensor& query, const Tensor& key, const AttentionSettings& settings) {
  std::int64_t pairs = 0;
  for (std::int64_t b = 0; b < query.size(0); ++b)
    for (std::int64_t q = 0; q < query.size(2); ++q) pairs += settings.visible(b, q, query.size(2), key.size(2));
  return query.size(1) * pairs;
}

bool plain(const Tensor& query, const Tensor& key, const Tensor& value) {
  return query.dtype() != f32 || query.numel() == 0 || key.numel() == 0 || value.numel() == 0;
}

}  // namespace

AttentionForward attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionSettings& settings) {
  multiply_adds += visible_pairs(query, key, settings) * (query.size(3) + value.size(3));
  if (plain(query, key, value)) return reference::attention(query, key, value, settings);
  const Call call(query, key, value, settings);
  const Shape of_queries{call.batch, call.heads, call.queries};
  AttentionForward result{heads::empty(query, call.value_size), Tensor::empty(of_queries), Tensor::empty(of_queries)};
  float *output = result.output.mutable_data<float>(), *largest = result.largest.mutable_data<float>(),
        *log_sums = result.log_sums.mutable_data<float>();
  const std::int64_t blocks = call.blocks(), row = result.output.stride(2);
  for_tasks(call, call.batch * call.heads * blocks, block_queries, [&](std::int64_t task) {
    const std::int64_t head = task / blocks, b = head / call.heads, h = head % call.heads, turn = task % blocks;
    // Long and short blocks of a causal head in turn, so that threads which get tasks side by side have equally much to do.
    const std::int64_t block = turn % 2 == 0 ? turn / 2 : blocks - 1 - turn / 2, q = block * block_queries;
    forward_block(call, Head(call, b, h), q, output + b * result.output.stride(0) + h * result.output.stride(1) + q * row, row,
                  largest + head * call.queries + q, log_sums + head * call.queries + q);
  });
  return result;
}

AttentionGradients attention_backward(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionForward& forward, const Tensor& gradient,
                                      const AttentionSettings& settings, bool with_bias) {
  multiply_adds += visible_pairs(query, key, settings) * (3 * query.size(3) + 2 * value.size(3));
  if (plain(query, key, value)) return reference::attention_backward(query, key, value, forward, gradient, settings, with_bias);
  const Call call(query, key, value, settings);
  const Tensor incoming = with_plain_rows(gradient), output = with_plain_rows(forward.output);
  AttentionGradients result{heads::empty(query, call.size), heads::empty(key, call.size), heads::empty(value, call.value_size),
                            with_bias ? Tensor::zeros({call.batch, call.heads, call.queries + call.keys - 1}) : Tensor()};
  float* const bias = with_bias ? result.bias.mutable_data<float>() : nullptr;
  float *dq = result.query.mutable_data<float>(), *dk = result.key.mutable_data<float>(),
        *dv = result.value.mutable_data<float>();
  const float *largest = forward.largest.data<float>(), *log_sums = forward.log_sums.data<float>();
  for_tasks(call, call.batch * call.heads, call.queries, [&](std::int64_t head) {
    const std::int64_t b = head / call.heads, h = head % call.heads;
    const auto at = [b, h](const Tensor& x) { return b * x.stride(0) + h * x.stride(1); };
    backward_head(call, Head(call, b, h),
                  {matrix_of(incoming, b, h), heads::matrix<float>(output, b, h), largest + head * call.queries,
                   log_sums + head * call.queries, dq + at(result.query), dk + at(result.key), dv + at(result.value),
                   with_bias ? bias + head * result.bias.size(2) : nullptr, output.stride(2), result.query.stride(2),
                   result.key.stride(2), result.value.stride(2)});
  });
  return result;
}

}  // namespace weft::kernels
#endif
