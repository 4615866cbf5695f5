#pragma once
#include <cstdint>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"

namespace weft::nn {

struct AttentionOutput {
  Var context;  ///< [batch, queries, value size]: the values, averaged by the weights
  Var weights;  ///< [batch, queries, places]: rows add up to 1; zeros where nothing may be attended
};

/// What attention looks at, made once for many queries (all steps of a decoder).
struct AttentionMemory {
  Var keys;     ///< as the scores need them; zeros where masked
  Var values;   ///< zeros where masked
  Tensor mask;  ///< bool [batch, places], true where one may attend; undefined: everywhere
  /// The rows `index` (i64 or i32) of the batch, for a beam search.
  AttentionMemory select(const Tensor& index) const;
};

namespace attention {

/// What all kinds of attention are: weights = softmax(score(query, key)) over the places of the mask, context = weights
/// times values. What stands at masked places, NaN included, reaches neither results nor gradients.
class Attention : public Module<Attention> {
 public:
  /// keys [batch, places, key size], values [batch, places, any], mask bool [batch, places] or undefined.
  /// Throws ShapeError, DTypeError.
  AttentionMemory remember(const Var& keys, const Var& values, const Tensor& mask = {});

  /// query [batch, queries, query size].
  AttentionOutput forward(const Var& query, const AttentionMemory& memory);
  AttentionOutput forward(const Var& query, const Var& keys, const Var& values, const Tensor& mask = {});

 protected:
  Attention(std::int64_t query_size, std::int64_t key_size, const Scope& scope);

 private:
  /// What remember keeps of the keys.
  virtual Var prepare(const Var& keys) { return keys; }
  /// [batch, queries, places]
  virtual Var scores(const Var& query, const Var& keys) = 0;

  std::int64_t query_size_, key_size_;  // 0: any
};

struct DotOptions {
  bool scaled = false;  ///< divides by sqrt(size) (Vaswani 2017)
};

/// score = query . key (Luong 2015); both have one size.
class Dot : public Attention {
 public:
  explicit Dot(const DotOptions& options = {}, const Scope& scope = {});

 private:
  Var prepare(const Var& keys) override;  // [batch, size, places]: turned once, so that all steps' gradients are one product
  Var scores(const Var& query, const Var& keys) override;
  bool scaled_;
};

struct GeneralOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
};

/// score = key . W query (Luong 2015)
class General : public Attention {
 public:
  explicit General(const GeneralOptions& options, const Scope& scope = {});

  Linear query;  ///< W [key_dim, query_dim]

 private:
  Var prepare(const Var& keys) override;  // [batch, key_dim, places]
  Var scores(const Var& query, const Var& keys) override;
};

struct AdditiveOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  std::int64_t hidden = 0;
};

/// score = v . tanh(W query + U key) (Bahdanau 2014)
class Additive : public Attention {
 public:
  explicit Additive(const AdditiveOptions& options, const Scope& scope = {});

  Linear query, key, score;  ///< W [hidden, query_dim], U [hidden, key_dim], v [1, hidden]

 private:
  Var prepare(const Var& keys) override;
  Var scores(const Var& query, const Var& keys) override;
};

}  // namespace attention
}  // namespace weft::nn
