#include "ops/axes.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

constexpr std::array<int, max_rank> every_axis{0, 1, 2, 3, 4, 5, 6, 7};

}  // namespace

AxesPlan plan_axes(const char* op, const Var& x, std::span<const int> axes, bool keepdim) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  AxesPlan p;
  p.kept = x.shape();
  std::array<bool, max_rank> chosen{};
  for (const int given : axes) {
    const int axis = x.shape().axis(given, op);
    bool& seen = chosen[static_cast<std::size_t>(axis)];
    check<IndexError>(!seen, op, "axis {} stands twice for shape {}", axis, x.shape());
    seen = true;
  }
  std::array<std::int64_t, max_rank> sizes{};
  std::size_t rank = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool reduces = chosen[static_cast<std::size_t>(axis)];
    if (!reduces || keepdim) sizes[rank++] = reduces ? 1 : x.shape()[axis];
    if (!reduces) continue;
    p.axes[p.count++] = axis;
    p.reduced *= x.shape()[axis];
    p.kept = p.kept.with(axis, 1);
  }
  p.result = Shape(std::span<const std::int64_t>(sizes.data(), rank));
  p.keepdim = keepdim;
  return p;
}

std::span<const int> all_axes(const Var& x) {
  return std::span(every_axis).first(x.defined() ? static_cast<std::size_t>(x.rank()) : 0);
}

Var with_shape(const Var& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record("reshape", x.value().reshape(shape), {&x},
                [from = x.shape()](Sink& s) { s.add(0, with_shape(s.grad(), from)); });
}

Var in_rows(const Var& x, const AxesPlan& plan) {
  std::array<int, max_rank> order{};
  std::size_t place = 0;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (std::find(plan.span().begin(), plan.span().end(), axis) == plan.span().end()) order[place++] = axis;
  for (const int axis : plan.span()) order[place++] = axis;
  return reshape(permute(x, std::span<const int>(order.data(), place)), {plan.kept.numel(), plan.reduced});
}

void check_floating(const char* op, const Var& x) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  check<DTypeError>(is_floating(x.dtype()), op, "the input is {}; f32 or f64 is needed", x.value());
}

}  // namespace weft
