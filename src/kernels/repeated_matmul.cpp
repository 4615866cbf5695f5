#include "kernels/repeated_matmul.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "kernels/elementwise.hpp"
#include "kernels/matmul.hpp"
#include "kernels/parallel.hpp"
#include "kernels/work.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/repeated_matmul.cpp"
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
HWY_INLINE void MultiplyBlock(std::size_t k, const float* a, std::size_t a_row, const float* panel, float* c, std::size_t c_row,
                              std::size_t columns, bool accumulate) {
  const Tag d;
  const std::size_t lanes = hn::Lanes(d);
  Vector sums[rows][block_vectors];
  for (auto& row : sums)
    for (auto& sum : row) sum = hn::Zero(d);
  for (std::size_t p = 0; p < k; ++p, panel += block_vectors * lanes) {
    Vector b[block_vectors];
    for (std::size_t v = 0; v < block_vectors; ++v) b[v] = hn::Load(d, panel + v * lanes);
    for (std::size_t r = 0; r < rows; ++r) {
      const Vector factor = hn::Set(d, a[r * a_row + p]);
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
void MultiplyPanel(std::size_t m, std::size_t k, const float* a, std::size_t a_row, const float* panel, float* c,
                   std::size_t c_row, std::size_t columns, bool accumulate) {
  std::size_t i = 0;
  for (; i + block_rows <= m; i += block_rows)
    MultiplyBlock<block_rows>(k, a + i * a_row, a_row, panel, c + i * c_row, c_row, columns, accumulate);
  if constexpr (block_rows > 4)
    for (; i + 4 <= m; i += 4) MultiplyBlock<4>(k, a + i * a_row, a_row, panel, c + i * c_row, c_row, columns, accumulate);
  for (; i + 2 <= m; i += 2) MultiplyBlock<2>(k, a + i * a_row, a_row, panel, c + i * c_row, c_row, columns, accumulate);
  if (i < m) MultiplyBlock<1>(k, a + i * a_row, a_row, panel, c + i * c_row, c_row, columns, accumulate);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(PanelWidth);
HWY_EXPORT(PackPanel);
HWY_EXPORT(MultiplyPanel);

namespace {

constexpr std::int64_t most_rows = 256;
// Below this many multiply-adds a product isn't worth its panels' padding; below that many a chunk isn't worth a thread.
constexpr std::int64_t least_work = 16384, chunk_work = 1 << 18;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// The panels of one view of a buffer, as they were at a version of its values.
struct Panels {
  const float* data = nullptr;
  std::int64_t k = 0, n = 0, row = 0, column = 0, width = 0;
  std::uint32_t version = 0;
  Tensor packed;  // [panels, k, width]

  bool of(const Tensor& b) const {
    return data == b.data<float>() && k == b.size(0) && n == b.size(1) && row == b.stride(0) && column == b.stride(1);
  }
};

Tensor pack(const Tensor& b, std::int64_t width, Tensor room) {
  const std::int64_t k = b.size(0), n = b.size(1), panels = (n + width - 1) / width;
  if (!room.defined() || !room.is_unique() || room.shape() != Shape{panels, k, width}) {
    const MemoryCategoryGuard category(MemoryCategory::scratch);
    room = Tensor::empty({panels, k, width});
  }
  float* to = room.mutable_data<float>();
  const float* from = b.data<float>();
  parallel_chunks(panels, rows_per_chunk(k * width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t panel = begin; panel < end; ++panel) HWY_DYNAMIC_DISPATCH(PackPanel)
    (from + panel * width * b.stride(1), size(b.stride(0)), size(b.stride(1)), size(k),
     size(std::min(width, n - panel * width)), to + panel * k * width);
  });
  return room;
}

// What is kept with a weight's buffer: few views of it are ever multiplied by (itself and its transpose, or halves of it).
class PackedViews : public detail::Attachment {
 public:
  Tensor panels_of(const Tensor& b, std::int64_t width) {
    const std::lock_guard lock(mutex_);
    auto found = std::find_if(views_.begin(), views_.end(), [&](const Panels& p) { return p.of(b); });
    if (found == views_.end()) found = views_.begin() + static_cast<std::ptrdiff_t>(next_++ % views_.size());
    if (!found->of(b) || found->version != b.version() || found->width != width) {
      Tensor room = std::move(found->packed);
      *found = {};  // packing may throw
      Tensor packed = pack(b, width, std::move(room));
      *found = {b.data<float>(), b.size(0), b.size(1), b.stride(0), b.stride(1), width, b.version(), std::move(packed)};
    }
    return found->packed;
  }

 private:
  std::mutex mutex_;
  std::array<Panels, 4> views_;
  std::size_t next_ = 0;
};

Tensor panels_of(const Tensor& b, std::int64_t width) {
  std::atomic<detail::Attachment*>& place = b.attachment();
  detail::Attachment* kept = place.load(std::memory_order_acquire);
  if (kept == nullptr) {
    auto made = std::make_unique<PackedViews>();
    if (place.compare_exchange_strong(kept, made.get(), std::memory_order_acq_rel)) kept = made.release();
  }
  return static_cast<PackedViews*>(kept)->panels_of(b, width);
}

bool is_served(const Tensor& target, const Tensor& a, const Tensor& b) {
  const std::int64_t m = a.size(0), k = a.size(1), n = b.size(1);
  return a.dtype() == f32 && m <= most_rows && m > 0 && m * k * n >= least_work && target.stride(1) == 1 && a.stride(1) == 1 &&
         b.stride(0) > 0 && b.stride(1) > 0;
}

}  // namespace

void repeated_matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate) {
  if (!is_served(target, a, b)) return matmul_into(target, a, b, accumulate);
  const std::int64_t m = a.size(0), k = a.size(1), n = b.size(1);
  const auto width = static_cast<std::int64_t>(HWY_DYNAMIC_DISPATCH(PanelWidth)());
  const Tensor panels = panels_of(b, width);
  multiply_adds += m * n * k;
  const float *from = a.data<float>(), *packed = panels.data<float>();
  float* to = target.mutable_data<float>();
  const std::int64_t chunk = std::max<std::int64_t>(1, chunk_work / (m * k * width));
  parallel_chunks(panels.size(0), chunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t panel = begin; panel < end; ++panel) HWY_DYNAMIC_DISPATCH(MultiplyPanel)
    (size(m), size(k), from, size(a.stride(0)), packed + panel * k * width, to + panel * width, size(target.stride(0)),
     size(std::min(width, n - panel * width)), accumulate);
  });
}

Tensor repeated_matmul(const Tensor& a, const Tensor& b) {
  Tensor result = Tensor::empty({a.size(0), b.size(1)}, a.dtype());
  repeated_matmul_into(result, a, b, false);
  return result;
}

Tensor repeated_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor turned = weight.transpose(0, 1);
  if (!bias.defined()) return repeated_matmul(x, turned);
  Tensor result = Tensor::empty({x.size(0), weight.size(0)}, x.dtype());
  copy_into(bias, result);
  repeated_matmul_into(result, x, turned, true);
  return result;
}

}  // namespace weft::kernels
#endif
