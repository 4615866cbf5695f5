#include "kernels/reduce_rows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduce_vector.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

// Vectors of a row, and rows of columns, whose sum is held in f32.
constexpr std::size_t block_vectors = 64, block_rows = 32;

// Of two the better one; once NaN it stays. `start` is worse than all.
struct Larger {
  HWY_INLINE Vector operator()(Vector a, Vector b) const { return hn::IfThenElse(hn::Or(hn::Gt(b, a), hn::IsNaN(b)), b, a); }
  static HWY_INLINE Vector OfLanes(Vector v) { return hn::MaxOfLanes(Floats(), v); }
  static HWY_INLINE double Total(double total, float part) {
    return static_cast<double>(part) > total || part != part ? static_cast<double>(part) : total;
  }
  static constexpr float start = -__builtin_inff();
};
struct Smaller {
  HWY_INLINE Vector operator()(Vector a, Vector b) const { return hn::IfThenElse(hn::Or(hn::Lt(b, a), hn::IsNaN(b)), b, a); }
  static HWY_INLINE Vector OfLanes(Vector v) { return hn::MinOfLanes(Floats(), v); }
  static HWY_INLINE double Total(double total, float part) {
    return static_cast<double>(part) < total || part != part ? static_cast<double>(part) : total;
  }
  static constexpr float start = __builtin_inff();
};

// What is added up, a vector at a time.
struct Same {
  HWY_INLINE Vector operator()(Vector x) const { return x; }
};
struct ExpOfDifference {
  Vector shift;
  HWY_INLINE Vector operator()(Vector x) const { return Exp(Floats(), hn::Sub(x, shift)); }
};

// The first `count` lanes of v, 0 in the others.
HWY_INLINE Vector Only(Vector v, std::size_t count) { return hn::IfThenElseZero(hn::FirstN(Floats(), count), v); }

// At most block_vectors, in four running sums.
template <class Function>
HWY_INLINE float SumBlock(const float* x, std::size_t n, Function function) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, function(hn::LoadU(d, x + i)));
    s1 = hn::Add(s1, function(hn::LoadU(d, x + i + lanes)));
    s2 = hn::Add(s2, function(hn::LoadU(d, x + i + 2 * lanes)));
    s3 = hn::Add(s3, function(hn::LoadU(d, x + i + 3 * lanes)));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, function(hn::LoadU(d, x + i)));
  if (i < n) s1 = hn::Add(s1, Only(function(LoadSome(d, x + i, n - i)), n - i));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

template <class Function>
HWY_INLINE double SumBlocks(const float* x, std::size_t n, Function function) {
  const std::size_t block = block_vectors * hn::Lanes(Floats());
  if (n <= block) return static_cast<double>(SumBlock(x, n, function));
  double total = 0;
  for (std::size_t i = 0; i < n; i += block)
    total += static_cast<double>(SumBlock(x + i, n - i < block ? n - i : block, function));
  return total;
}

double Sum(const float* x, std::size_t n) { return SumBlocks(x, n, Same()); }
double SumExp(const float* x, float shift, std::size_t n) { return SumBlocks(x, n, ExpOfDifference{hn::Set(Floats(), shift)}); }

template <class Better>
double Choose(const float* x, std::size_t n) {
  const Floats d;
  const Better better;
  const std::size_t lanes = hn::Lanes(d);
  Vector m0 = hn::Set(d, Better::start), m1 = m0, m2 = m0, m3 = m0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    m0 = better(m0, hn::LoadU(d, x + i));
    m1 = better(m1, hn::LoadU(d, x + i + lanes));
    m2 = better(m2, hn::LoadU(d, x + i + 2 * lanes));
    m3 = better(m3, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) m0 = better(m0, hn::LoadU(d, x + i));
  if (i < n) m1 = better(m1, hn::IfThenElse(hn::FirstN(d, n - i), LoadSome(d, x + i, n - i), hn::Set(d, Better::start)));
  const Vector all = better(better(m0, m1), better(m2, m3));
  if (!hn::AllFalse(d, hn::IsNaN(all))) return static_cast<double>(hn::GetLane(hn::NaN(d)));
  return static_cast<double>(hn::GetLane(Better::OfLanes(all)));
}

struct AddColumns {
  HWY_INLINE Vector operator()(Vector a, Vector b) const { return hn::Add(a, b); }
  static HWY_INLINE double Total(double total, float part) { return total + static_cast<double>(part); }
  static constexpr float start = 0;
};

// One block of rows, at most block_rows, into the totals.
template <class Function>
HWY_INLINE void ReduceBlock(const float* x, std::ptrdiff_t step, std::size_t rows, std::size_t columns, double* totals) {
  const Floats d;
  const Function function;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float parts[columns_at_once];
  std::size_t j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) {
    Vector s0 = hn::Set(d, Function::start), s1 = s0;
    const float* at = x + j;
    for (std::size_t i = 0; i < rows; ++i, at += step) {
      s0 = function(s0, hn::LoadU(d, at));
      s1 = function(s1, hn::LoadU(d, at + lanes));
    }
    hn::StoreU(s0, d, parts + j);
    hn::StoreU(s1, d, parts + j + lanes);
  }
  for (; j < columns; j += lanes) {
    const std::size_t count = columns - j < lanes ? columns - j : lanes;
    Vector s = hn::Set(d, Function::start);
    const float* at = x + j;
    for (std::size_t i = 0; i < rows; ++i, at += step)
      s = function(s, count == lanes ? hn::LoadU(d, at) : LoadSome(d, at, count));
    StoreSome(s, d, parts + j, count);
  }
  for (j = 0; j < columns; ++j) totals[j] = Function::Total(totals[j], parts[j]);
}

template <class Function>
void ReduceColumns(const float* x, std::ptrdiff_t step, std::size_t rows, std::size_t columns, double* totals) {
  for (std::size_t i = 0; i < rows; i += block_rows)
    ReduceBlock<Function>(x + static_cast<std::ptrdiff_t>(i) * step, step, rows - i < block_rows ? rows - i : block_rows,
                          columns, totals);
}

constexpr ReduceRows kernels = {
    Sum, Choose<Larger>, Choose<Smaller>, SumExp, ReduceColumns<AddColumns>, ReduceColumns<Larger>, ReduceColumns<Smaller>};

const ReduceRows* Rows() { return &kernels; }

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(Rows);

const ReduceRows& reduce_rows() { return *HWY_DYNAMIC_DISPATCH(Rows)(); }

}  // namespace weft::kernels
#endif
