#include "kernels/repeated_matmul.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "kernels/elementwise.hpp"
#include "kernels/matmul.hpp"
#include "kernels/panel_matmul.hpp"
#include "kernels/parallel.hpp"
#include "kernels/work.hpp"

namespace weft::kernels {
namespace {

constexpr std::int64_t most_rows = 256;
// Below this many multiply-adds a product isn't worth its panels' padding; below that many a chunk isn't worth a thread.
constexpr std::int64_t least_work = 16384, chunk_work = 1 << 18;

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
    for (std::int64_t panel = begin; panel < end; ++panel)
      pack_panel({from + panel * width * b.stride(1), b.stride(0), b.stride(1)}, k, std::min(width, n - panel * width),
                 to + panel * k * width);
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
  const auto width = panel_width();
  const Tensor panels = panels_of(b, width);
  multiply_adds += m * n * k;
  const float *from = a.data<float>(), *packed = panels.data<float>();
  float* to = target.mutable_data<float>();
  const std::int64_t chunk = std::max<std::int64_t>(1, chunk_work / (m * k * width));
  parallel_chunks(panels.size(0), chunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t panel = begin; panel < end; ++panel)
      multiply_panel(m, k, {from, a.stride(0), 1}, packed + panel * k * width, to + panel * width, target.stride(0),
                     std::min(width, n - panel * width), accumulate);
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
