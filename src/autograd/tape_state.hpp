#pragma once
#include "autograd/arena.hpp"
#include "weft/autograd/record.hpp"

namespace weft::detail {

/// One use of a weight whose gradient is grad^T x, kept for a single product over all uses.
struct PendingProduct {
  Tensor grad, x;
  PendingProduct* next;
};

/// The place of one differentiable value on a tape. It doesn't hold the value.
struct Slot {
  Node* node;            // null for a leaf
  Parameter* parameter;  // of a leaf that is one
  const std::int64_t* sizes;
  int rank;
  DType dtype;
  Var grad;
  PendingProduct* pending;
  std::size_t pending_bytes;
  Slot* next_leaf;

  Shape shape() const { return Shape(std::span(sizes, static_cast<std::size_t>(rank))); }
  bool has_shape(const Shape& shape) const;
  bool has_grad() const { return grad.defined() || pending != nullptr; }
};

/// One recorded operation.
struct Node {
  const char* op;
  const char* scope;
  const RuleType* type;
  void* rule;  // null when released
  Node* previous;
  Slot** inputs;  // null entries: constants
  Slot* outputs;
  std::uint16_t input_count, output_count;
};

struct TapeState {
  std::uint64_t id;
  Generator* generator;
  Tape* tape;
  TapeState* outer;  // the tape that was innermost before
  Node* last = nullptr;
  std::int64_t count = 0;
  Slot* leaves = nullptr;
  Arena arena;
  // Parameter -> its leaf: open addressing, in the arena.
  Slot** table = nullptr;
  std::size_t table_size = 0, table_used = 0;

  Slot* leaf_of(Parameter& parameter);
  void initialise(Slot& slot, const Tensor& value, Node* node);
};

/// Takes a parameter that ends out of this thread's tapes.
void forget(const Parameter& parameter);

/// Adds `gradient` (of the slot's shape, or broadcast from it) to what the slot has.
void accumulate(Slot& slot, Var gradient, bool recording);
/// Adds into a part of the slot's gradient; not recorded.
void accumulate_slice(Slot& slot, int axis, std::int64_t start, const Tensor& gradient);
void accumulate_rows(Slot& slot, const Tensor& index, const Tensor& gradient);
void accumulate_product(TapeState& tape, Slot& slot, const Tensor& grad, const Tensor& x);
/// Does the products that were put off.
void flush(Slot& slot);

}  // namespace weft::detail
