#include <algorithm>

#include "autograd/linear_maps.hpp"
#include "autograd/profiler.hpp"
#include "autograd/tape_state.hpp"
#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/matmul.hpp"
#include "kernels/rows.hpp"

namespace weft {
namespace {

using detail::Slot;

// Products put off for one weight may hold this much before they are done.
constexpr std::size_t pending_limit = std::size_t{256} << 20;

// The slot's gradient, dense and owned by it alone, so that it can be added into.
Tensor own_gradient(Slot& slot) {
  Tensor gradient = std::exchange(slot.grad, Var()).value();
  if (!gradient.defined()) return Tensor::zeros(slot.shape(), slot.dtype);
  return gradient.is_unique() && gradient.is_contiguous() ? gradient : gradient.clone();
}

// Rows of all pairs under each other, in one dense matrix (or batch of them).
Tensor stack_rows(const detail::PendingProduct* pending, std::int64_t rows, Tensor detail::PendingProduct::*which) {
  const Tensor& first = pending->*which;
  const int axis = first.rank() - 2;
  Tensor all = Tensor::empty(first.shape().with(axis, rows), first.dtype());
  std::int64_t row = 0;
  for (const auto* pair = pending; pair != nullptr; pair = pair->next) {
    const Tensor& part = pair->*which;
    kernels::copy_into(part, all.slice(axis, row, row + part.size(axis)));
    row += part.size(axis);
  }
  return all;
}

}  // namespace

namespace detail {

void accumulate(Slot& slot, Var gradient, bool recording) {
  check<DTypeError>(gradient.dtype() == slot.dtype, "backward", "a gradient of {} for a value of {}", name_of(gradient.dtype()),
                    name_of(slot.dtype));
  if (!slot.has_shape(gradient.shape())) gradient = maps::sum_to(gradient, slot.shape());
  if (!slot.grad.defined()) {
    slot.grad = std::move(gradient);
  } else if (recording) {
    slot.grad = maps::add_same(slot.grad, gradient);
  } else if (slot.grad.value().is_unique() && slot.grad.value().is_contiguous()) {
    Tensor sum = std::exchange(slot.grad, Var()).value();
    kernels::add_into(sum, gradient.value());
    slot.grad = Var(std::move(sum));
  } else if (gradient.value().is_unique() && gradient.value().is_contiguous()) {
    Tensor sum = std::move(gradient).value();
    kernels::add_into(sum, slot.grad.value());
    slot.grad = Var(std::move(sum));
  } else {
    slot.grad = kernels::add(slot.grad.value(), gradient.value());
  }
}

void accumulate_slice(Slot& slot, int axis, std::int64_t start, const Tensor& gradient) {
  Tensor whole = own_gradient(slot);
  Tensor part = whole.slice(axis, start, start + gradient.size(axis));
  kernels::add_into(part, gradient);
  part = Tensor();
  slot.grad = Var(std::move(whole));
}

void accumulate_rows(Slot& slot, const Tensor& index, const Tensor& gradient) {
  Tensor whole = own_gradient(slot);
  kernels::scatter_add_rows(whole, index, gradient, "backward");
  slot.grad = Var(std::move(whole));
}

void accumulate_product(TapeState& tape, const Node& node, Slot& slot, const Tensor& grad, const Tensor& x) {
  slot.pending = new (tape.arena.allocate(sizeof(PendingProduct), alignof(PendingProduct)))
      PendingProduct{grad, x, grad.version(), x.version(), &node, slot.pending};
  slot.pending_bytes += static_cast<std::size_t>(grad.numel() + x.numel()) * size_of(grad.dtype());
  if (slot.pending_bytes > pending_limit) flush(slot);
}

void throw_changed(const char* op, const Tensor& value) {
  fail<TapeError>("backward",
                  "'{}' had saved {}, which was changed before backward (in place, or by an optimizer's step); "
                  "change it afterwards, or give the operation a clone()",
                  op, value);
}

void flush(Slot& slot) {
  if (slot.pending == nullptr) return;
  PendingProduct* pending = slot.pending;
  const ProfiledCall profiled(pending->node->op, pending->node->scope, Direction::backward, 0);
  for (const auto* pair = pending; pair != nullptr; pair = pair->next)
    if (pair->grad.version() != pair->grad_version || pair->x.version() != pair->x_version) [[unlikely]]
      throw_changed(pair->node->op, pair->x.version() != pair->x_version ? pair->x : pair->grad);
  Tensor grad = pending->grad, x = pending->x;
  if (pending->next != nullptr) {
    std::int64_t rows = 0;
    for (const auto* pair = pending; pair != nullptr; pair = pair->next) rows += pair->grad.size(-2);
    grad = stack_rows(pending, rows, &PendingProduct::grad);
    x = stack_rows(pending, rows, &PendingProduct::x);
  }
  const Tensor turned = grad.transpose(-1, -2);
  if (slot.grad.defined()) {
    Tensor sum = own_gradient(slot);
    turned.rank() == 2 ? kernels::matmul_into(sum, turned, x, true)
                       : kernels::add_into(sum, kernels::matmul(turned, x, "backward"));
    slot.grad = Var(std::move(sum));
  } else {
    slot.grad = Var(kernels::matmul(turned, x, "backward"));
  }
  slot.pending = nullptr;
  slot.pending_bytes = 0;
  for (auto* pair = pending; pair != nullptr; pair = pair->next) {
    pair->grad = Tensor();
    pair->x = Tensor();
  }
}

}  // namespace detail

namespace {

// A rule is a user's, too.
void check_number(const detail::Node& node, const char* what, int number, int count) {
  if (number >= 0 && number < count) [[likely]]
    return;
  fail<IndexError>("backward", "the rule of '{}' speaks of {} {}; the operation has {}, counted from 0", node.op, what, number,
                   count);
}

// An undefined gradient, or one of another dtype.
void check_dtype(const detail::Node& node, int i, const Tensor& gradient) {
  if (gradient.defined() && gradient.dtype() == node.inputs[i]->dtype) [[likely]]
    return;
  check<ValueError>(gradient.defined(), "backward", "the rule of '{}' gives input {} an undefined gradient", node.op, i);
  fail<DTypeError>("backward", "the rule of '{}' gives input {} a gradient {}; the input is of {}", node.op, i, gradient,
                   name_of(node.inputs[i]->dtype));
}

// One that the input doesn't broadcast to, too.
void check_gradient(const detail::Node& node, int i, const Var& gradient) {
  check_dtype(node, i, gradient.defined() ? gradient.value() : Tensor());
  const Slot& slot = *node.inputs[i];
  const Shape &given = gradient.shape(), wanted = slot.shape();
  bool fits = given.rank() >= wanted.rank();
  for (int d = 1; fits && d <= wanted.rank(); ++d) fits = wanted.size(-d) == 1 || wanted.size(-d) == given.size(-d);
  check<ShapeError>(
      fits, "backward",
      "the rule of '{}' gives input {} a gradient {} that doesn't fit its shape {}: give one of that shape, or of one "
      "that it broadcasts to, to be summed up",
      node.op, i, gradient.value(), wanted);
}

bool is_slice(const Slot& slot, int axis, std::int64_t start, const Shape& part) {
  if (part.rank() != slot.rank || axis < 0 || axis >= slot.rank || start < 0) return false;
  for (int d = 0; d < slot.rank; ++d)
    if (d == axis ? part[d] > slot.sizes[d] - start : part[d] != slot.sizes[d]) return false;
  return true;
}

bool are_rows(const Slot& slot, const Shape& index, const Shape& rows) {
  if (slot.rank < 1 || rows.rank() != index.rank() + slot.rank - 1) return false;
  for (int d = 0; d < rows.rank(); ++d)
    if (rows[d] != (d < index.rank() ? index[d] : slot.sizes[d - index.rank() + 1])) return false;
  return true;
}

bool is_product(const Slot& slot, const Shape& grad, const Shape& x) {
  if (slot.rank < 2 || grad.rank() != slot.rank || x.rank() != slot.rank || grad[slot.rank - 2] != x[slot.rank - 2])
    return false;
  for (int d = 0; d < slot.rank - 2; ++d)
    if (grad[d] != slot.sizes[d] || x[d] != slot.sizes[d]) return false;
  return grad[slot.rank - 1] == slot.sizes[slot.rank - 2] && x[slot.rank - 1] == slot.sizes[slot.rank - 1];
}

}  // namespace

bool Sink::wants(int i) const {
  check_number(node_, "input", i, node_.input_count);
  return tape_.reaches(node_.inputs[i]);
}

bool Sink::has_grad(int output) const {
  check_number(node_, "output", output, node_.output_count);
  return node_.outputs[output].grad.defined();
}

bool Sink::recording() const { return recording_; }

Var Sink::grad(int output) const {
  check_number(node_, "output", output, node_.output_count);
  const Slot& slot = node_.outputs[output];
  if (slot.grad.defined()) return slot.grad;
  return Tensor::zeros(slot.shape(), slot.dtype);
}

Var Sink::output(const Saved& saved, int output) const {
  check_number(node_, "output", output, node_.output_count);
  return Var(saved.value(), node_.outputs + output, tape_.id);
}

Var Sink::input(const Tensor& kept, int input) const {
  check_number(node_, "input", input, node_.input_count);
  return Var(kept, node_.inputs[input], tape_.id);
}

void Sink::add(int i, Var gradient) {
  if (!wants(i)) return;
  if (!gradient.defined() || gradient.dtype() != node_.inputs[i]->dtype || !node_.inputs[i]->has_shape(gradient.shape()))
      [[unlikely]]
    check_gradient(node_, i, gradient);
  detail::accumulate(*node_.inputs[i], std::move(gradient), recording_);
}

void Sink::add_slice(int i, int axis, std::int64_t start, const Var& gradient) {
  if (!wants(i)) return;
  Slot& slot = *node_.inputs[i];
  check_dtype(node_, i, gradient.defined() ? gradient.value() : Tensor());
  if (!is_slice(slot, axis, start, gradient.shape())) [[unlikely]]
    fail<ShapeError>("backward",
                     "the rule of '{}' gives input {}, from {} along axis {} on, a gradient {}; the input has shape {}",
                     node_.op, i, start, axis, gradient.value(), slot.shape());
  if (recording_) return add(i, maps::unslice(gradient, axis, start, slot.sizes[axis]));
  detail::accumulate_slice(slot, axis, start, gradient.value());
}

void Sink::add_rows(int i, const Tensor& index, const Var& gradient) {
  if (!wants(i)) return;
  Slot& slot = *node_.inputs[i];
  check_dtype(node_, i, gradient.defined() ? gradient.value() : Tensor());
  if (!index.defined() || !are_rows(slot, index.shape(), gradient.shape())) [[unlikely]]
    fail<ShapeError>("backward", "the rule of '{}' gives rows {} of input {} a gradient {}; the input has shape {}", node_.op,
                     index, i, gradient.value(), slot.shape());
  if (recording_) return add(i, maps::scatter_rows(gradient, index, slot.sizes[0]));
  detail::accumulate_rows(slot, index, gradient.value());
}

void Sink::add_product(int i, const Tensor& grad, const Tensor& x) {
  if (!wants(i)) return;
  check_dtype(node_, i, grad);
  check_dtype(node_, i, x);
  if (!is_product(*node_.inputs[i], grad.shape(), x.shape())) [[unlikely]]
    fail<ShapeError>("backward", "the rule of '{}' gives input {} the product of {}, turned, with {}; the input has shape {}",
                     node_.op, i, grad, x, node_.inputs[i]->shape());
  detail::accumulate_product(tape_, node_, *node_.inputs[i], grad, x);
  // In the search for the first non-finite number a product is done, and seen, at once.
  if (detail::anomaly_guards > 0) [[unlikely]]
    detail::flush(*node_.inputs[i]);
}

void Saved::changed() const { throw detail::ChangedValue(var_.value()); }

}  // namespace weft
