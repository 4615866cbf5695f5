#pragma once
#include <initializer_list>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "weft/autograd/tape.hpp"

namespace weft {

/// A value kept for the backward pass: an operand, an output, a mask. `get` throws TapeError where it was changed since.
class Saved {
 public:
  Saved() = default;  ///< nothing: the rule won't need it
  explicit Saved(const Var& var) : var_(var), version_(var.defined() ? var.value().version() : 0) {}
  /// Kept only where `needed`.
  Saved(const Var& var, bool needed) : Saved(needed ? Saved(var) : Saved()) {}
  const Var& get() const {
    if (var_.defined() && var_.value().version() != version_) [[unlikely]]
      changed();
    return var_;
  }
  const Tensor& value() const { return get().value(); }
  bool defined() const { return var_.defined(); }

 private:
  [[noreturn]] void changed() const;

  Var var_;
  std::uint32_t version_ = 0;
};

/// What a gradient rule sees while it runs: the gradients of the operation's outputs come out, contributions to its
/// inputs go in. The engine sums over broadcast dimensions, accumulates, and owns what it is given. Inputs and outputs are
/// counted from 0; IndexError for one that the operation hasn't. A gradient that is undefined, of another dtype or doesn't fit
/// is a ValueError, DTypeError or ShapeError that names the operation and the input.
class Sink {
 public:
  /// Whether input `i` needs a gradient at all.
  bool wants(int i) const;
  /// The gradient of an output; zeros where nothing depended on it.
  Var grad(int output = 0) const;
  /// Whether anything depended on an output.
  bool has_grad(int output) const;
  /// The operation's own output, which the rule saved, as a Var on the tape.
  Var output(const Saved& saved, int output = 0) const;
  /// An operand whose value the rule kept in a copy of its own, as the Var on the tape that it was.
  Var input(const Tensor& kept, int input) const;
  /// Whether the rule's own operations are recorded (create_graph): fused rules then take their composite form.
  bool recording() const;

  /// A contribution to input `i`: of its shape, or of a shape that it was broadcast to.
  void add(int i, Var gradient);
  /// A contribution to the part [start, start + gradient's size) of input `i` along `axis`.
  void add_slice(int i, int axis, std::int64_t start, const Var& gradient);
  /// Contributions to rows of input `i` [rows, ...]: row index[k] gets gradient[k] (index: i32 or i64, any shape;
  /// gradient: index shape + row shape). Repeated rows add up.
  void add_rows(int i, const Tensor& index, const Var& gradient);
  /// grad^T x for a weight [..., out, in] at input `i`, from grad [..., rows, out] and x [..., rows, in]: kept and done as one
  /// product over all uses of the weight at the end. Not while `recording`.
  void add_product(int i, const Tensor& grad, const Tensor& x);

  // For the engine.
  Sink(detail::TapeState& tape, detail::Node& node, bool recording) : tape_(tape), node_(node), recording_(recording) {}

 private:
  detail::TapeState& tape_;
  detail::Node& node_;
  bool recording_;
};

namespace detail {

/// How the tape runs and destroys a rule of any type.
struct RuleType {
  void (*run)(void* rule, Sink& sink);
  void (*destroy)(void* rule);
  std::size_t size, alignment;
};

template <class Rule>
inline constexpr RuleType rule_type = {[](void* rule, Sink& sink) { (*static_cast<Rule*>(rule))(sink); },
                                       [](void* rule) { static_cast<Rule*>(rule)->~Rule(); }, sizeof(Rule), alignof(Rule)};

/// True where a tape records and one of the inputs needs a gradient. Throws TapeError for a Var of another tape, and
/// NumericError under DetectAnomaly.
bool should_record(const char* op, std::span<const Var* const> inputs, std::span<const Var> outputs);
/// Appends a node and gives the room for its rule; `outputs` become Vars on the tape.
void* append(const char* op, std::span<const Var* const> inputs, std::span<Var> outputs, const RuleType& type);

}  // namespace detail

/// Records an operation with several outputs: `outputs` hold the values and become Vars of the tape in place.
/// `rule(Sink&)` is moved into the tape and runs at most once unless backward retains.
template <class Rule>
void record(const char* op, std::span<Var> outputs, std::span<const Var* const> inputs, Rule&& rule) {
  using Type = std::remove_cvref_t<Rule>;
  if (!detail::should_record(op, inputs, outputs)) return;
  ::new (detail::append(op, inputs, outputs, detail::rule_type<Type>)) Type(std::forward<Rule>(rule));
}

/// Records an operation with one output and returns it:
///   Var square(const Var& x) {
///     const Tensor y = (x.detach() * x.detach()).value();
///     return record("square", y, {&x}, [x = Saved(x)](Sink& s) { s.add(0, s.grad() * x.get() * 2); });
///   }
template <class Rule>
Var record(const char* op, Tensor value, std::initializer_list<const Var*> inputs, Rule&& rule) {
  Var output(std::move(value));
  record(op, std::span<Var>(&output, 1), std::span<const Var* const>(inputs.begin(), inputs.size()), std::forward<Rule>(rule));
  return output;
}

}  // namespace weft
