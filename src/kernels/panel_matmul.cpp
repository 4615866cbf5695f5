#include "kernels/panel_matmul.hpp"

#include <algorithm>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/panel_matmul.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

// Sums that are kept in registers: of so many rows, in so many vectors each.
#if HWY_TARGET <= HWY_AVX3
constexpr std::size_t block_rows = 8, block_vectors = 2;
#else
constexpr std::size_t block_rows = 4, block_vectors = 3;
#endif

using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;

std::size_t PanelWidth() { return block_vectors * hn::Lanes(Tag()); }

// Four rows of four elements, turned.
HWY_INLINE void Turn4(const float* from, std::size_t from_row, float* to, std::size_t to_row) {
#if HWY_TARGET == HWY_SCALAR
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) to[j * to_row + i] = from[i * from_row + j];
#else
  const hn::FixedTag<float, 4> d;
  const auto a = hn::LoadU(d, from), b = hn::LoadU(d, from + from_row), c = hn::LoadU(d, from + 2 * from_row),
             e = hn::LoadU(d, from + 3 * from_row);
  const auto ac_low = hn::InterleaveLower(d, a, c), ac_high = hn::InterleaveUpper(d, a, c);
  const auto be_low = hn::InterleaveLower(d, b, e), be_high = hn::InterleaveUpper(d, b, e);
  hn::StoreU(hn::InterleaveLower(d, ac_low, be_low), d, to);
  hn::StoreU(hn::InterleaveUpper(d, ac_low, be_low), d, to + to_row);
  hn::StoreU(hn::InterleaveLower(d, ac_high, be_high), d, to + 2 * to_row);
  hn::StoreU(hn::InterleaveUpper(d, ac_high, be_high), d, to + 3 * to_row);
#endif
}

// A panel: columns (at most PanelWidth()) of b [k, n] next to each other for each of the k rows, zeros behind the last.
void PackPanel(const float* b, std::size_t row, std::size_t column, std::size_t k, std::size_t columns, float* panel) {
  const std::size_t width = PanelWidth();
  std::size_t p = 0, done = 0;
  if (column == 1) {
    for (; p < k; ++p) {
      std::copy_n(b + p * row, columns, panel + p * width);
      std::fill_n(panel + p * width + columns, width - columns, 0.0f);
    }
    return;
  }
  for (; row == 1 && done + 4 <= columns; done += 4)
    for (p = 0; p + 4 <= k; p += 4) Turn4(b + p + done * column, column, panel + p * width + done, width);
  for (std::size_t j = 0; j < width; ++j)
    for (std::size_t i = j < done ? k / 4 * 4 : 0; i < k; ++i)
      panel[i * width + j] = j < columns ? b[i * row + j * column] : 0.0f;
}

// `rows` rows of c (+)= a panel, rows known when compiled.
template <std::size_t rows>
HWY_INLINE void MultiplyBlock(std::size_t k, const float* a, std::size_t a_row, std::size_t a_column, const float* panel,
                              float* c, std::size_t c_row, std::size_t columns, bool accumulate) {
  const Tag d;
  const std::size_t lanes = hn::Lanes(d);
  Vector sums[rows][block_vectors];
  for (auto& row : sums)
    for (auto& sum : row) sum = hn::Zero(d);
  for (std::size_t p = 0; p < k; ++p, a += a_column, panel += block_vectors * lanes) {
    Vector b[block_vectors];
    for (std::size_t v = 0; v < block_vectors; ++v) b[v] = hn::Load(d, panel + v * lanes);
    for (std::size_t r = 0; r < rows; ++r) {
      const Vector factor = hn::Set(d, a[r * a_row]);
      for (std::size_t v = 0; v < block_vectors; ++v) sums[r][v] = hn::MulAdd(factor, b[v], sums[r][v]);
    }
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t v = 0; v < block_vectors && v * lanes < columns; ++v) {
      float* to = c + r * c_row + v * lanes;
      const std::size_t left = columns - v * lanes;
      if (left >= lanes) {
        hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, to), sums[r][v]) : sums[r][v], d, to);
      } else {
        StoreSome(accumulate ? hn::Add(LoadSome(d, to, left), sums[r][v]) : sums[r][v], d, to, left);
      }
    }
}

// All m rows of c (+)= a panel.
void MultiplyPanel(std::size_t m, std::size_t k, const float* a, std::size_t a_row, std::size_t a_column, const float* panel,
                   float* c, std::size_t c_row, std::size_t columns, bool accumulate) {
  std::size_t i = 0;
  for (; i + block_rows <= m; i += block_rows)
    MultiplyBlock<block_rows>(k, a + i * a_row, a_row, a_column, panel, c + i * c_row, c_row, columns, accumulate);
  if constexpr (block_rows > 4)
    for (; i + 4 <= m; i += 4)
      MultiplyBlock<4>(k, a + i * a_row, a_row, a_column, panel, c + i * c_row, c_row, columns, accumulate);
  for (; i + 2 <= m; i += 2)
    MultiplyBlock<2>(k, a + i * a_row, a_row, a_column, panel, c + i * c_row, c_row, columns, accumulate);
  if (i < m) MultiplyBlock<1>(k, a + i * a_row, a_row, a_column, panel, c + i * c_row, c_row, columns, accumulate);
}

// Panel after panel, each packed where the last one stood.
void MultiplySmall(const onednn::Product& product) {
  HWY_ALIGN float panel[most_packed];
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const std::size_t m = size(product.m), n = size(product.n), k = size(product.k), width = PanelWidth();
  for (std::size_t first = 0; first < n; first += width) {
    const std::size_t columns = std::min(width, n - first);
    PackPanel(product.b.data + first * size(product.b.column), size(product.b.row), size(product.b.column), k, columns, panel);
    MultiplyPanel(m, k, product.a.data, size(product.a.row), size(product.a.column), panel, product.c + first,
                  size(product.c_row), columns, product.accumulate);
  }
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(PanelWidth);
HWY_EXPORT(PackPanel);
HWY_EXPORT(MultiplyPanel);
HWY_EXPORT(MultiplySmall);

namespace {
std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
}  // namespace

std::int64_t panel_width() { return static_cast<std::int64_t>(HWY_DYNAMIC_DISPATCH(PanelWidth)()); }

void pack_panel(const onednn::Matrix& b, std::int64_t k, std::int64_t columns, float* panel) {
  HWY_DYNAMIC_DISPATCH(PackPanel)(b.data, size(b.row), size(b.column), size(k), size(columns), panel);
}

void multiply_panel(std::int64_t m, std::int64_t k, const onednn::Matrix& a, const float* panel, float* c, std::int64_t c_row,
                    std::int64_t columns, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(MultiplyPanel)
  (size(m), size(k), a.data, size(a.row), size(a.column), panel, c, size(c_row), size(columns), accumulate);
}

bool is_small(const onednn::Product& product) {
  constexpr std::int64_t least_rows = 8, most_work = 1 << 16;
  return product.m >= least_rows && product.n >= panel_width() && product.n * product.k <= most_packed &&
         product.m * product.n * product.k <= most_work;
}

void multiply_small(const onednn::Product& product) { HWY_DYNAMIC_DISPATCH(MultiplySmall)(product); }

}  // namespace weft::kernels
#endif
