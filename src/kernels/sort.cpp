#include "kernels/sort.hpp"

#include <algorithm>

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "tensor/copy.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::kernels {
namespace {

template <class T>
struct Entry {
  T key;
  std::int64_t index;
};

// A total order: equal keys by their index, so that sorting is stable without memory of its own.
template <class T>
struct Before {
  bool descending;
  static bool less(T a, T b) { return a < b || (b != b && a == a); }
  bool operator()(const Entry<T>& a, const Entry<T>& b) const {
    if (descending ? less(b.key, a.key) : less(a.key, b.key)) return true;
    if (descending ? less(a.key, b.key) : less(b.key, a.key)) return false;
    return a.index < b.index;
  }
};

// For each row of x [rows, n] the indices of its first k elements.
template <class T>
void rank_rows(const T* x, std::int64_t rows, std::int64_t n, std::int64_t k, Before<T> before, bool sorted,
               std::int64_t* out) {
  parallel_chunks(rows, rows_per_chunk(n), [=](std::int64_t begin, std::int64_t end) {
    PoolVector<Entry<T>> entries(static_cast<std::size_t>(n));
    const auto first = entries.begin(), middle = first + k, last = entries.end();
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t i = 0; i < n; ++i) entries[static_cast<std::size_t>(i)] = {x[row * n + i], i};
      if (k < n) std::nth_element(first, middle, last, before);
      if (sorted) std::sort(first, middle, before);
      std::transform(first, middle, out + row * k, [](const Entry<T>& entry) { return entry.index; });
    }
  });
}

}  // namespace

Tensor topk(const Tensor& x, std::int64_t k, int axis, bool descending, bool sorted) {
  const Tensor rows = dense(x.transpose(axis, -1));
  const std::int64_t n = rows.size(-1);
  Tensor out = Tensor::empty(rows.shape().with(rows.rank() - 1, k), i64);
  if (out.numel() == 0) return out.transpose(axis, -1).contiguous();
  auto* to = out.mutable_data<std::int64_t>();
  dispatch(x.dtype(), [&]<class T>() { rank_rows(rows.data<T>(), rows.numel() / n, n, k, Before<T>{descending}, sorted, to); });
  return dense(out.transpose(axis, -1));
}

Tensor argsort(const Tensor& x, int axis, bool descending) { return topk(x, x.size(axis), axis, descending, true); }

}  // namespace weft::kernels
