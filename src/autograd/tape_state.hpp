#pragma once
#include <atomic>
#include <list>

#include "autograd/arena.hpp"
#include "weft/autograd/record.hpp"
#include "weft/base/error.hpp"

namespace weft::detail {

/// One use of a weight whose gradient is grad^T x, kept for a single product over all uses.
struct PendingProduct {
  Tensor grad, x;
  std::uint32_t grad_version, x_version;  // as they were
  const Node* node;                       // whose rule asked for it
  PendingProduct* next;
};

/// The place of one differentiable value on a tape. It doesn't hold the value.
struct Slot {
  Node* node;            // null for a leaf
  Parameter* parameter;  // of a leaf that is one
  const std::int64_t* sizes;
  std::int8_t rank;
  DType dtype;
  std::uint8_t watched;  // somebody is to see the finished gradient: bits by_hook, by_pass
  std::uint32_t mark;    // of the last restricted pass that reaches it
  Var grad;
  PendingProduct* pending;
  std::size_t pending_bytes;
  Slot* next_leaf;

  Shape shape() const { return Shape(std::span(sizes, static_cast<std::size_t>(rank))); }
  bool has_shape(const Shape& other) const {
    if (rank != other.rank()) return false;
    for (int i = 0; i < rank; ++i)
      if (sizes[i] != other[i]) return false;
    return true;
  }
  bool has_grad() const { return grad.defined() || pending != nullptr; }
};

constexpr std::uint8_t by_hook = 1, by_pass = 2;  // bits of Slot::watched

/// A user's function that sees a finished gradient.
struct Hook {
  const Slot* slot;
  GradientHook function;
};

/// Where a pass puts the finished gradient of a slot that it was asked for.
struct Capture {
  const Slot* slot;
  Var gradient;
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
  TapeState* outer;            // the tape that was innermost before
  std::int64_t first_row = 0;  // of the batch that this tape computes a part of
  Node* last = nullptr;
  std::int64_t count = 0;
  Slot* leaves = nullptr;
  Arena arena;
  // Parameter -> its leaf: open addressing, in the arena.
  Slot** table = nullptr;
  std::size_t table_size = 0, table_used = 0;
  // Of the backward pass that runs.
  bool running = false;
  std::uint32_t target = 0;  // only slots of this mark get gradients; 0: all
  std::span<Capture> captures;
  std::uint32_t marks = 0;  // handed out so far
  std::list<Hook> hooks;
  bool dry = false;         // recompute's forward pass: draws random numbers and records nothing
  bool recomputed = false;  // made by recompute
  enum class End : std::uint8_t { none, of_tape, of_thread };
  std::atomic<End> first_end = End::none;  // of the tape and the thread that made it; the second end frees this

  Slot* leaf_of(Parameter& parameter);
  void initialise(Slot& slot, const Tensor& value, Node* node);
  bool reaches(const Slot* slot) const { return slot != nullptr && (target == 0 || slot->mark == target); }
};

/// Takes a parameter that ends out of this thread's tapes.
void forget(const Parameter& parameter);

/// Throws TapeError: `value`, which `op` had saved, was changed.
[[noreturn]] void throw_changed(const char* op, const Tensor& value);

/// A rule wanted a saved value that was changed; run_rules says of which operation.
class ChangedValue : public TapeError {
 public:
  explicit ChangedValue(const Tensor& value)
      : TapeError("[backward] a saved value " + value.describe() + " was changed before backward"), value_(value) {}
  const Tensor& value() const { return value_; }

 private:
  Tensor value_;
};

/// Adds `gradient` (of the slot's shape, or broadcast from it) to what the slot has.
void accumulate(Slot& slot, Var gradient, bool recording);
/// Adds into a part of the slot's gradient; not recorded.
void accumulate_slice(Slot& slot, int axis, std::int64_t start, const Tensor& gradient);
void accumulate_rows(Slot& slot, const Tensor& index, const Tensor& gradient);
void accumulate_product(TapeState& tape, const Node& node, Slot& slot, const Tensor& grad, const Tensor& x);
/// Does the products that were put off.
void flush(Slot& slot);

/// The tape of that number, if it lives on this thread.
TapeState* find_tape(std::uint64_t id);
/// Throws TapeError for a Var of a tape that is another than the one in question.
[[noreturn]] void foreign(const char* op, std::uint64_t id);
/// Nothing on this thread records while it lives, unless the backward pass itself is wanted on the tape.
class NoGradUnless {
 public:
  explicit NoGradUnless(bool recording);
  ~NoGradUnless();
  NoGradUnless(const NoGradUnless&) = delete;
  NoGradUnless& operator=(const NoGradUnless&) = delete;

 private:
  int previous_;
};

/// Recording works while it lives, whatever guards are alive.
class GradAgain {
 public:
  GradAgain();
  ~GradAgain();
  GradAgain(const GradAgain&) = delete;
  GradAgain& operator=(const GradAgain&) = delete;

 private:
  int previous_;
};

/// Runs the rules from `last` back to the one after `stop` (null: the first), with gradients in the slots.
void run_rules(TapeState& tape, Node* last, const Node* stop, const BackwardOptions& options);
/// Does what the rules left to the end: products put off, hooks on leaves.
void finish_leaves(TapeState& tape);
/// Drops every gradient that isn't a leaf's, back to `stop`; and every leaf's.
void clear_gradients(TapeState& tape, const Node* stop);
void clear_leaves(TapeState& tape);
/// Shows the slot's finished gradient to those who watch it.
void observe(TapeState& tape, Slot& slot);

/// While it lives the tape takes no other backward pass.
class RunningPass {
 public:
  RunningPass(TapeState& tape, const char* op);
  ~RunningPass() { tape_.running = false; }
  RunningPass(const RunningPass&) = delete;
  RunningPass& operator=(const RunningPass&) = delete;

 private:
  TapeState& tape_;
};

/// Guards of DetectAnomaly that are alive on this thread.
extern constinit thread_local int anomaly_guards;
/// Whether values are checked: a guard is alive and no rule is running (its own operations are the rule's business).
extern constinit thread_local bool anomaly_values;
/// Throws NumericError where an output isn't finite.
void check_values(const char* op, std::span<const Var* const> inputs, std::span<const Var> outputs);
/// Throws NumericError where the rule of `node` made a gradient that isn't finite.
void check_gradients(const TapeState& tape, const Node& node);
/// The same for a gradient that was given from outside.
void check_given_gradient(const char* op, const Var& gradient);

/// Keeps values from being checked while it lives.
class ValuesUnchecked {
 public:
  ValuesUnchecked() : previous_(std::exchange(anomaly_values, false)) {}
  ~ValuesUnchecked() { anomaly_values = previous_; }
  ValuesUnchecked(const ValuesUnchecked&) = delete;
  ValuesUnchecked& operator=(const ValuesUnchecked&) = delete;

 private:
  bool previous_;
};

}  // namespace weft::detail
