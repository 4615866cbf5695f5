#include "kernels/matmul.hpp"

#include <array>
#include <optional>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/onednn.hpp"
#include "kernels/panel_matmul.hpp"
#include "kernels/parallel.hpp"
#include "kernels/work.hpp"

namespace weft::kernels {
namespace {

// Below this many multiply-adds calling oneDNN costs more than the product.
constexpr std::int64_t tiny = 2048;
// Below this many (some microseconds of one thread) a second thread costs more than it does.
constexpr std::int64_t least_parallel_work = 1 << 18;
// Up to this many rows or columns oneDNN's own division among threads leaves part of them idle: 64 rows of a linear layer run
// at 60 % of what two halves reach that are one serial call each.
constexpr std::int64_t badly_divided = 256;
// About so many rows or columns, and at least half of them, have the serial calls that a product is cut into: each packs the
// other operand anew.
constexpr std::int64_t least_part = 64;

std::int64_t pitch(std::int64_t stride, std::int64_t size, std::int64_t other) { return size == 1 ? other : stride; }

// The last two dimensions as oneDNN takes them: one stride is 1, the other spans it. Nothing where they don't stand so.
std::optional<onednn::Matrix> as_it_stands(const Tensor& x) {
  const std::int64_t rows = x.size(-2), columns = x.size(-1);
  const std::int64_t row = pitch(x.stride(-2), rows, columns), column = pitch(x.stride(-1), columns, 1);
  if (column == 1 && row >= columns) return onednn::Matrix{x.data<float>(), row, 1};
  const std::int64_t turned = pitch(x.stride(-1), columns, rows);
  if (pitch(x.stride(-2), rows, 1) == 1 && turned >= rows) return onednn::Matrix{x.data<float>(), 1, turned};
  return {};
}

// A product's operand, and the tensor that keeps it.
struct Operand {
  Tensor kept;
  onednn::Matrix matrix;

  explicit Operand(const Tensor& x) : kept(x) {
    std::optional<onednn::Matrix> standing = as_it_stands(x);
    if (!standing) standing = as_it_stands(kept = x.clone());
    matrix = *standing;
  }
};

// x, its rows or columns further apart where their distance is a multiple of 2 KiB, as those of a weight's gradient often are:
// a walk across them then falls into a few sets of the cache, and the product takes 1.3 to 2 times as long. Worth a copy
// where each element is used `uses` times.
Tensor spread(const Tensor& x, std::int64_t uses) {
  constexpr std::int64_t bad = 512, more = 16, least_uses = 128;
  const bool turned = x.stride(0) == 1;
  const Tensor rows = turned ? x.transpose(0, 1) : x;
  if (uses < least_uses || rows.stride(0) % bad != 0) return x;
  const Tensor apart = Tensor::empty({rows.size(0), rows.size(1) + more}).slice(1, 0, rows.size(1));
  copy_into(rows, apart);
  return turned ? apart.transpose(0, 1) : apart;
}

// Products of one shape, whose operands stand this far apart; 0 repeats one.
struct Batch {
  std::int64_t count = 1, a = 0, b = 0, c = 0;
};

onednn::Product at(onednn::Product product, const Batch& batch, std::int64_t i) {
  product.a.data += i * batch.a;
  product.b.data += i * batch.b;
  product.c += i * batch.c;
  return product;
}

// Some of the rows of a product, or of its columns.
onednn::Product part_of(onednn::Product product, bool rows, std::int64_t first, std::int64_t count) {
  if (rows) {
    product.m = count;
    product.a = product.a.from_row(first);
    product.c += first * product.c_row;
  } else {
    product.n = count;
    product.b = product.b.transposed().from_row(first).transposed();
    product.c += first;
  }
  return product;
}

void multiply_serial(const onednn::Product& product) {
  is_small(product) ? multiply_small(product) : onednn::multiply(product, 1);
}

// The longer side in like parts, a serial call each, shared among the threads.
void multiply_parts(const onednn::Product& product, const Batch& batch, std::int64_t parts) {
  constexpr std::int64_t vectors = 32;  // a part ends where none of a kernel's vectors does, but the last
  const bool rows = product.m >= product.n;
  const std::int64_t longer = rows ? product.m : product.n;
  const auto first_of = [=](std::int64_t part) { return part == parts ? longer : longer * part / parts / vectors * vectors; };
  parallel_chunks(batch.count * parts, 1, [&](std::int64_t i, std::int64_t) {
    const std::int64_t first = first_of(i % parts), end = first_of(i % parts + 1);
    multiply_serial(part_of(at(product, batch, i / parts), rows, first, end - first));
  });
}

void multiply(const onednn::Product& product, const Batch& batch = {}) {
  const auto [shorter, longer] = std::minmax(product.m, product.n);
  if (deterministic()) {  // by the shape alone
    constexpr std::int64_t most_parts = 8;
    return multiply_parts(product, batch, std::min(most_parts, (longer + least_part - 1) / least_part));
  }
  const std::int64_t work = product.m * product.n * product.k;
  const int threads = batch.count * work < least_parallel_work || omp_in_parallel() ? 1 : num_threads();
  if (threads > 1 && batch.count >= threads) {
    return parallel_chunks(batch.count, std::max<std::int64_t>(1, least_parallel_work / work),
                           [&](std::int64_t begin, std::int64_t end) {
                             for (std::int64_t i = begin; i < end; ++i) multiply_serial(at(product, batch, i));
                           });
  }
  if (threads > 1 && shorter <= badly_divided && longer >= least_part * threads) return multiply_parts(product, batch, threads);
  for (std::int64_t i = 0; i < batch.count; ++i)
    threads == 1 ? multiply_serial(at(product, batch, i)) : onednn::multiply(at(product, batch, i), threads);
}

template <class T>
void plain_rows(const Tensor& target, T* c, const Tensor& a, const Tensor& b, bool accumulate, std::int64_t begin,
                std::int64_t end) {
  const std::int64_t n = target.size(1), depth = a.size(1), c_row = target.stride(0);
  const T* left = a.data<T>();
  const T* right = b.data<T>();
  const std::int64_t a_row = a.stride(0), a_column = a.stride(1), b_row = b.stride(0);
  for (std::int64_t i = begin; i < end; ++i) {
    T* row = c + i * c_row;
    if (!accumulate) std::fill_n(row, n, T{0});
    for (std::int64_t p = 0; p < depth; ++p) {
      const T factor = left[i * a_row + p * a_column];
      const T* from = right + p * b_row;
      for (std::int64_t j = 0; j < n; ++j) row[j] += factor * from[j];
    }
  }
}

void check_operands(const Tensor& a, const Tensor& b, const char* op) {
  check<ValueError>(a.defined() && b.defined(), op, "the operands are {} and {}; both need a value", a, b);
  check<DTypeError>(
      a.dtype() == b.dtype() && is_floating(a.dtype()), op,
      "operands are {} and {}; both must be f32 or both f64: convert data with x.to(f64), a module with model.to(f64)", a, b);
  check<ShapeError>(a.rank() >= 2 && b.rank() >= 2, op,
                    "operands have shapes {} and {}; each needs two dimensions at least (unsqueeze a vector)", a.shape(),
                    b.shape());
  check<ShapeError>(a.size(-1) == b.size(-2), op,
                    "{} columns of shape {} meet {} rows of shape {}; they must be equal: transpose or reshape an operand",
                    a.size(-1), a.shape(), b.size(-2), b.shape());
  for (int axis = -3; axis >= -std::min(a.rank(), b.rank()); --axis)
    check<ShapeError>(
        a.size(axis) == b.size(axis) || a.size(axis) == 1 || b.size(axis) == 1, op,
        "batches of shapes {} and {} don't broadcast: {} against {} at axis {}; they must be equal or one of them 1", a.shape(),
        b.shape(), a.size(axis), b.size(axis), axis);
}

Shape leading(const Shape& shape) { return Shape(std::span(shape.begin(), shape.end() - 2)); }

// [..., m, n] with its leading dimensions expanded to `batch` and folded into one; a copy only where strides demand it.
Tensor fold(const Tensor& x, const Shape& batch) {
  std::array<std::int64_t, max_rank> sizes{};
  std::copy(batch.begin(), batch.end(), sizes.begin());
  sizes[static_cast<std::size_t>(batch.rank())] = x.size(-2);
  sizes[static_cast<std::size_t>(batch.rank()) + 1] = x.size(-1);
  const Tensor whole = x.expand(Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(batch.rank() + 2))));
  return whole.reshape({batch.numel(), x.size(-2), x.size(-1)});
}

void batched_into(Tensor& target, const Tensor& a, const Tensor& b) {
  const std::int64_t count = target.size(0), m = target.size(1), n = target.size(2), k = a.size(2);
  multiply_adds += count * m * n * k;
  if (target.dtype() != f32 || m * n * k <= tiny || k == 0) {
    parallel_chunks(count, std::max<std::int64_t>(1, elements_per_chunk / std::max<std::int64_t>(1, m * n * k)),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i) {
                        Tensor part = target.select(0, i);
                        reference::matmul_into(part, a.select(0, i), b.select(0, i), false);
                      }
                    });
    return;
  }
  const auto operand = [](const Tensor& x) { return Operand(x.stride(0) < 0 ? x.clone() : x); };
  const Operand left = operand(a), right = operand(b);
  multiply({m, n, k, left.matrix, right.matrix, target.mutable_data<float>(), target.stride(1), false},
           {count, left.kept.stride(0), right.kept.stride(0), target.stride(0)});
}

}  // namespace

namespace reference {

void matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate) {
  check_operands(a, b, "matmul");
  const Tensor right = b.stride(1) == 1 ? b : b.clone();
  if (target.stride(1) != 1) {
    Tensor made = accumulate ? target.clone() : target.empty_like();
    matmul_into(made, a, right, accumulate);
    return copy_into(made, target);
  }
  const auto run = [&]<class T>(T* c) {
    parallel_chunks(target.size(0), rows_per_chunk(target.size(1) * a.size(1)),
                    [&](std::int64_t begin, std::int64_t end) { plain_rows<T>(target, c, a, right, accumulate, begin, end); });
  };
  target.dtype() == f32 ? run(target.mutable_data<float>()) : run(target.mutable_data<double>());
}

}  // namespace reference

void matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate) {
  check_operands(a, b, "matmul");
  check<ShapeError>(
      target.rank() == 2 && target.size(0) == a.size(0) && target.size(1) == b.size(1) && target.dtype() == a.dtype(), "matmul",
      "{} times {} doesn't fit the target {}", a, b, target);
  const std::int64_t m = a.size(0), n = b.size(1), k = a.size(1);
  if (m == 0 || n == 0) return;
  if (a.dtype() != f32 || k == 0 || m * n * k <= tiny) {
    multiply_adds += m * n * k;
    return reference::matmul_into(target, a, b, accumulate);
  }
  if (target.stride(1) != 1 && n > 1) {
    if (target.stride(0) == 1) {  // a transposed target: (a b)^T = b^T a^T
      Tensor turned = target.transpose(0, 1);
      return matmul_into(turned, b.transpose(0, 1), a.transpose(0, 1), accumulate);
    }
    Tensor made = accumulate ? target.clone() : target.empty_like();
    matmul_into(made, a, b, accumulate);
    return copy_into(made, target);
  }
  multiply_adds += m * n * k;
  Operand left(a), right(b);
  if (left.matrix.row == 1 && onednn::unpacked(m, n)) {
    left = Operand(spread(left.kept, n));
    right = Operand(spread(right.kept, m));
  }
  multiply({m, n, k, left.matrix, right.matrix, target.mutable_data<float>(), pitch(target.stride(0), m, n), accumulate});
}

Tensor matmul(const Tensor& a, const Tensor& b, const char* op) {
  check_operands(a, b, op);
  const Shape batch = broadcast(leading(a.shape()), leading(b.shape()), op);
  std::array<std::int64_t, max_rank> sizes{};
  std::copy(batch.begin(), batch.end(), sizes.begin());
  check<ShapeError>(batch.rank() + 2 <= max_rank, op, "shapes {} and {} make more than {} dimensions", a.shape(), b.shape(),
                    max_rank);
  sizes[static_cast<std::size_t>(batch.rank())] = a.size(-2);
  sizes[static_cast<std::size_t>(batch.rank()) + 1] = b.size(-1);
  Tensor result =
      Tensor::empty(Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(batch.rank() + 2))), a.dtype());
  if (result.numel() == 0) return result;
  if (b.rank() == 2 && (a.rank() == 2 || a.is_contiguous())) {  // all rows of a in one product
    Tensor flat = result.reshape({-1, b.size(1)});
    matmul_into(flat, a.reshape({batch.numel() * a.size(-2), a.size(-1)}), b, false);
    return result;
  }
  Tensor folded = result.reshape({batch.numel(), a.size(-2), b.size(-1)});
  batched_into(folded, fold(a, batch), fold(b, batch));
  return result;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor result = Tensor::empty({x.size(0), weight.size(0)}, x.dtype());
  if (bias.defined()) copy_into(bias, result);
  matmul_into(result, x, weight.transpose(0, 1), bias.defined());
  return result;
}

}  // namespace weft::kernels
