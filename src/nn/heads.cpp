#include "nn/heads.hpp"

#include "base/fail.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {

bool same(const Var& a, const Var& b) { return a.value().is_same(b.value()) && a.slot() == b.slot(); }

void check_heads(const char* op, std::int64_t embed_dim, std::int64_t num_heads) {
  check<ValueError>(embed_dim > 0 && num_heads > 0 && embed_dim % num_heads == 0, op,
                    "embed_dim is {} and num_heads {}; both must be positive, and the heads divide the size evenly", embed_dim,
                    num_heads);
}

void check_places(const char* op, const char* name, const Var& x, std::int64_t size, const Parameter& weight) {
  check<ValueError>(x.defined(), op, "the {} is undefined", name);
  check<ShapeError>(x.rank() == 3 && x.size(2) == size, op, "{} {} is not [batch, places, {}]", name, x.value(), size);
  check<DTypeError>(x.dtype() == weight.dtype(), op, "{} {} and the module's weights {} differ in dtype", name, x.value(),
                    weight.value());
}

namespace {

void check_kept(const char* op, const Var& x, std::int64_t rows, const AttentionCache& cache, const CacheShape& shape,
                const char* how) {
  const auto fits = [&](const Var& kept, const std::array<std::int64_t, 3>& wanted) {
    if (!kept.defined() || kept.rank() != 4 || kept.size(0) != rows) return false;
    for (int i = 0; i < 3; ++i)
      if (wanted[static_cast<std::size_t>(i)] >= 0 && kept.size(i + 1) != wanted[static_cast<std::size_t>(i)]) return false;
    return true;
  };
  for (const Var* kept : {&cache.keys, &cache.values})
    check<DTypeError>(!kept->defined() || kept->dtype() == x.dtype(), op, "a cache of {} and input {} differ in dtype",
                      kept->defined() ? kept->value() : Tensor(), x.value());
  const bool any_places = shape.keys[1] < 0 && shape.values[1] < 0;
  if (fits(cache.keys, shape.keys) && fits(cache.values, shape.values) &&
      (!any_places || cache.keys.size(2) == cache.values.size(2)))
    return;
  const auto text = [&](const std::array<std::int64_t, 3>& wanted) {
    return fmt::format("{}[{}, {}, {}, {}]", name_of(x.dtype()), rows, wanted[0],
                       wanted[1] < 0 ? "places" : fmt::to_string(wanted[1]), wanted[2]);
  };
  fail<ShapeError>(op, "a cache of {} and {} isn't one of this module's for input {}: {} and {}; {}",
                   cache.keys.defined() ? cache.keys.value() : Tensor(),
                   cache.values.defined() ? cache.values.value() : Tensor(), x.value(), text(shape.keys), text(shape.values),
                   how);
}

}  // namespace

void check_cache(const char* op, const Var& x, const AttentionCache& cache, const CacheShape& shape) {
  if (cache.keys.defined() || cache.values.defined()) check_kept(op, x, x.size(0), cache, shape, "take the step's before it");
}

void check_memory(const char* op, const Var& x, std::int64_t rows, const AttentionCache& cache, const CacheShape& shape) {
  check_kept(op, x, rows, cache, shape, "`remember` makes one");
}

Var in_heads(const Var& x, std::int64_t heads) {
  return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}

Var together(const Var& heads) {
  return reshape(transpose(heads, 1, 2), {heads.size(0), heads.size(2), heads.size(1) * heads.size(3)});
}

Var behind(const Var& old, const Var& more, int axis) { return old.defined() ? concat({old, more}, axis) : more; }

}  // namespace weft::nn
