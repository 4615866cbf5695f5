#pragma once
#include <cstdint>

#include "weft/nn/module.hpp"
#include "weft/nn/normaliser.hpp"

namespace weft::nn {

/// What attention looks at, made once for many queries (all steps of a decoder).
struct AttentionMemory {
  Var keys;     ///< as the scores need them; made of zeros where masked
  Var values;   ///< [batch, places, value size]; zeros where masked
  Tensor mask;  ///< bool [batch, places], true where one may attend; undefined: everywhere
  /// The rows `index` (i64 or i32) of the batch, for a beam search.
  AttentionMemory select(const Tensor& index) const;
};

/// What a kind that depends on the queries before carries from one to the next. Undefined members: before the first query.
struct AttentionState {
  Var history;      ///< [rows, places]: the last query's weights (Location), the sum of all (Coverage)
  Tensor position;  ///< i64 [rows]: the number of the next query (LocalM)
  /// The rows `index` (i64 or i32), for a beam search.
  AttentionState select(const Tensor& index) const;
};

struct AttentionOutput {
  Var context;           ///< [rows, queries, value size]: the values, averaged by the weights
  Var weights;           ///< [rows, queries, places]; zeros where nothing may be attended
  AttentionState state;  ///< for the query that comes next; empty for kinds that don't look back
};

namespace attention {

/// What all kinds of attention are: weights = softmax(score(query, key)) over the places of the mask, context = weights
/// times values. What stands at masked places, NaN included, reaches neither results nor gradients; a row without places gets
/// zeros.
class Attention : public Module<Attention> {
 public:
  /// keys [batch, places, key size], values [batch, places, any], mask bool [batch, places] (of lengths:
  /// sequence_mask) or undefined.
  /// Throws ShapeError, DTypeError, ValueError for an undefined one.
  AttentionMemory remember(const Var& keys, const Var& values, const Tensor& mask = {});

  /// query [rows, queries, query size]; the rows are as many as the memory's or a multiple, several next to each other for
  /// each of the memory's (the beams of a search). With the state that the last call gave, queries that come one by one get
  /// what they get all at once. Throws ShapeError, DTypeError for a memory or a state that this module can't have made;
  /// ValueError for an undefined memory or query, or a state that another kind carries.
  AttentionOutput forward(const Var& query, const AttentionMemory& memory, const AttentionState& state = {});
  AttentionOutput forward(const Var& query, const Var& keys, const Var& values, const Tensor& mask = {});

 protected:
  struct Sizes {
    std::int64_t query = 0, key = 0, value = 0;  ///< 0: any
  };
  /// What becomes of scores.
  struct Weighting {
    Normaliser normaliser;
    double dropout;  ///< share of the weights that a context in training goes without, the others scaled by 1 / (1 - dropout)
  };
  /// `kind` is what messages call the module; it must stay. Throws ValueError for a dropout outside [0, 1).
  Attention(const char* kind, const Sizes& sizes, const Weighting& weighting, const Scope& scope);

  const char* kind() const { return kind_; }
  void check_query(const Var& query, const AttentionMemory& memory) const;
  /// Throws ValueError where the state has a history or a position and this kind carries none.
  void check_no_history(const Var& query, const AttentionState& state) const;
  void check_no_position(const Var& query, const AttentionState& state) const;
  /// x [rows, n, size] with rows of one memory as further queries: [batch, rows / batch * n, size].
  static Var folded(const Var& x, const AttentionMemory& memory);
  /// The weights of scores [batch, n, places] where `mask` (broadcasts to them; undefined: everywhere) is true.
  Var normalised(const Var& scores, const Tensor& mask) const { return nn::normalised(weighting_.normaliser, scores, mask); }
  /// The mask of the memory, for scores of any number of queries.
  static Tensor mask_of(const AttentionMemory& memory) { return memory.mask.defined() ? memory.mask.unsqueeze(1) : Tensor(); }
  /// Context and weights of weights [batch, rows / batch * n, places] for the rows of `query` [rows, n, size]; dropout is on
  /// the context's alone.
  AttentionOutput averaged(const Var& weights, const AttentionMemory& memory, const Var& query) const;

  /// What remember keeps of the keys, and how that shows: [batch, places, size] or, turned, [batch, size, places]; size 0: any.
  virtual Var prepare(const Var& keys) { return keys; }
  struct PreparedKeys {
    std::int64_t size = 0;
    bool turned = false;
  };
  virtual PreparedKeys prepared() const { return {}; }
  /// [batch, n, places] of query [batch, n, query size] and prepared keys; of a kind with an `attend` of its own, what that
  /// makes the scores of, or nothing.
  virtual Var scores(const Var& /*query*/, const Var& /*keys*/) { return {}; }

 private:
  /// What remember gives, from keys and values that are zeros where masked.
  virtual AttentionMemory kept(const Var& keys, const Var& values, const Tensor& mask);
  /// Keys and values that `kept` could have made. Throws ShapeError.
  virtual void check_kept(const AttentionMemory& memory) const;
  /// What this kind carries, and nothing else. Throws ShapeError, DTypeError, ValueError.
  virtual void check_state(const Var& query, const AttentionMemory& memory, const AttentionState& state) const;
  /// From what check_query and check_state have let through. Kinds with a reach or a state have their own.
  virtual AttentionOutput attend(const Var& query, const AttentionMemory& memory, const AttentionState& state);

  const char* kind_;
  Sizes sizes_;
  Weighting weighting_;
};

}  // namespace attention
}  // namespace weft::nn
