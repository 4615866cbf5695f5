#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "weft/autograd/parameter.hpp"
#include "weft/autograd/var.hpp"
#include "weft/base/random.hpp"

namespace weft {

namespace detail {
struct Node;
struct TapeState;
}  // namespace detail

struct BackwardOptions {
  bool retain = false;        ///< keep what the rules captured, for another backward
  bool create_graph = false;  ///< record the backward pass too, for derivatives of derivatives (implies retain)
};

/// Sees a finished gradient; returns the one to go on with, or an undefined Var to leave it as it is.
using GradientHook = std::function<Var(const Var& gradient)>;

/// The record of one computation: nodes in creation order. While it lives, operations on this thread record on it
/// (the innermost one, unless a NoGrad guard is alive); backward is one reverse loop.
/// Captures are released as soon as their rule has run. A tape is used by the thread that made it: `leaf` and backward throw
/// TapeError on another one. That may destroy it, while its own thread computes nothing on it.
class Tape {
 public:
  /// Without a generator random operations (dropout) throw TapeError.
  Tape();
  /// Random operations draw their positions from `generator`, which must outlive the tape. Where a batch is computed in parts,
  /// `first_row` says which of its rows (along the first dimension of two or more) this tape's row 0 is: with it, and
  /// generators at the same position, the parts draw what the whole would draw. Not so of what makes rows of parts,
  /// TimeDistributed, attention::Hierarchical and DocumentClassifier; seq2seq::EncoderDecoder draws by a row's place in the
  /// order of falling target length, which must be the batch's order then. Throws ValueError where it is negative.
  explicit Tape(Generator& generator, std::int64_t first_row = 0);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A variable whose gradient is wanted. A Var of another tape is handed in by its value.
  /// Throws DTypeError unless the tensor is f32 or f64.
  Var leaf(const Tensor& value);
  Var leaf(const Var& value) { return leaf(value.value()); }

  /// Derivatives of `output` (one element) with respect to every leaf: added into each parameter's gradient, those of
  /// other leaves kept for `grad` until the next backward. With create_graph all are kept there and parameters stay as
  /// they are. Throws ShapeError for more than one element, TapeError when the captures are gone.
  void backward(const Var& output, BackwardOptions options = {});
  /// The same with dL/d(output) given: a tensor of the output's shape.
  void backward(const Var& output, const Var& gradient, BackwardOptions options = {});

  /// The last backward's gradient of a leaf; zeros where the output doesn't depend on it.
  Tensor grad(const Var& leaf) const { return grad_var(leaf).value(); }
  /// The same as a Var: with `create_graph` it can be differentiated again.
  Var grad_var(const Var& leaf) const;

  /// Has `hook` called in every backward pass that reaches `var`, with dL/d(var) when all contributions are in: before the
  /// rule of the operation that made it runs or, for leaves and parameters, at the end, before a parameter's gradient is
  /// added to. Hooks of one variable are called in the order of their making, each with what the one before left; they go
  /// with the tape. Throws TapeError unless `var` is on this tape; backward throws ShapeError or DTypeError for a
  /// replacement that doesn't fit.
  void on_gradient(const Var& var, GradientHook hook);

  /// The graph as text for Mermaid ("flowchart TD ...") or Graphviz ("digraph tape { ... }"): operations with the shapes of
  /// their outputs, in boxes for the modules that ran them; leaves, parameters by their names. Constants aren't shown.
  std::string to_mermaid() const;
  std::string to_dot() const;

  /// Nodes recorded so far.
  std::int64_t size() const;
  /// Null where the tape was made without one.
  Generator* generator() const;
  std::int64_t first_row() const;

  // For the engine.
  detail::TapeState& state() { return *state_; }
  /// The tape that operations on this thread record on; null where none does.
  static Tape* recording();

 private:
  detail::TapeState* state_;
};

/// While it lives nothing on this thread records.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;
};

}  // namespace weft
