#pragma once
#include <array>
#include <cstdint>

#include "weft/autograd/parameter.hpp"
#include "weft/nn/place_mixing.hpp"

namespace weft::nn {

// What the mixings of places have in common.

/// Whether both stand for one value of one tape, so that what is made of it needn't be made twice.
bool same(const Var& a, const Var& b);

/// That heads of one size can be. Throws ValueError.
void check_heads(const char* op, std::int64_t embed_dim, std::int64_t num_heads);

/// That x is [batch, places, size] and of the dtype of one of the module's weights. `name` says which operand it is.
/// Throws ValueError where it is undefined, ShapeError, DTypeError.
void check_places(const char* op, const char* name, const Var& x, std::int64_t size, const Parameter& weight);

/// What a module keeps of each row: [rows, heads, places, size] with these three, places -1 for any.
struct CacheShape {
  std::array<std::int64_t, 3> keys, values;
};
/// That a cache is of x's rows and of this shape, as many places in both where they are any. Throws ShapeError, DTypeError.
void check_cache(const char* op, const Var& x, const AttentionCache& cache, const CacheShape& shape);
/// The same of what `remember` kept, of so many rows.
void check_memory(const char* op, const Var& x, std::int64_t rows, const AttentionCache& cache, const CacheShape& shape);

/// [batch, places, heads * head_dim] -> [batch, heads, places, head_dim], and back.
Var in_heads(const Var& x, std::int64_t heads);
Var together(const Var& heads);

/// `more` behind `old` along an axis; `more` alone where there is nothing yet.
Var behind(const Var& old, const Var& more, int axis);

}  // namespace weft::nn
