#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "weft/optim/parameter_handle.hpp"
#include "weft/tensor/state_dict.hpp"

namespace weft::optim {

/// How far a step goes along its direction.
enum class LineSearch {
  none,         ///< lr times the direction
  strong_wolfe  ///< where loss and slope have fallen enough (Nocedal and Wright 2006, algorithms 3.5 and 3.6); lr is the first
                ///< try
};

struct LBFGSOptions {
  double lr = 1;
  std::int64_t max_iter = 20;                 ///< iterations of one step
  std::optional<std::int64_t> max_eval = {};  ///< evaluations of one step after which it ends; 5/4 max_iter where not given
  double tolerance_grad = 1e-7;               ///< a step ends where no element of the gradient is larger,
  double tolerance_change = 1e-9;             ///< or neither an element of the values nor the loss changes by more
  std::int64_t history_size = 100;            ///< pairs of changes that stand for the curvature
  LineSearch line_search = LineSearch::none;  ///< as PyTorch; strong_wolfe is what converges by itself
};

/// L-BFGS (Liu and Nocedal 1989) as PyTorch has it, for losses without noise: all data in every evaluation. All parameters
/// are one vector x; with H made of the last changes s of x and y of the gradient, x += t d along d = -H g.
/// One step is up to max_iter iterations, each with an evaluation or more, so it takes a function that makes the loss:
///   lbfgs.step([&] { Tape tape; const Var loss = ...; tape.backward(loss); return loss.item(); });
/// The history counts 2 history_size vectors of all elements in f64, whatever the parameters are: it holds differences of
/// nearly equal gradients. Everything but the loss runs on one thread: the same bits for any thread count.
/// The parameters keep shape and dtype. One that is gone with its module is a ValueError where its values are needed.
class LBFGS {
 public:
  /// Computes the loss at the parameters' values, and its gradients by a backward pass; must give the same for the same values.
  using Closure = std::function<double()>;

  /// Throws ValueError for no parameters, a null pointer or a parameter that stands twice; a negative or non-finite lr or
  /// tolerance; max_iter, max_eval or history_size < 1.
  explicit LBFGS(std::span<Parameter* const> parameters, const LBFGSOptions& options = {});
  LBFGS(const LBFGS&) = delete;
  LBFGS& operator=(const LBFGS&) = delete;

  /// Moves the parameters and returns the loss where they were. Gradients that are there before are dropped, and none is left.
  /// A parameter without a gradient has one of zeros. Throws TapeError where none has one, ShapeError or DTypeError where a
  /// parameter has changed since, NumericError where loss or gradient aren't finite (in the line search such a place is one
  /// that lies too far). After an error, and what `closure` throws, values and state are those of before the step.
  double step(const Closure& closure);

  double lr() const { return options_.lr; }
  /// Throws ValueError for a negative or non-finite rate.
  void set_lr(double lr);

  /// "lr", "t", "h_diag" (f64), "iterations", "evaluations" (i64), and over all n elements "d", "prev_flat_grad" [n],
  /// "old_dirs" and "old_stps" [k, n] of the k changes so far (f64). Copies.
  StateDict state_dict() const;
  /// Takes over a `state_dict` in any order. Throws as Optimizer::load_state_dict does; nothing changes then.
  void load_state_dict(const StateDict& state);

 private:
  struct Pair {
    Tensor y, s;  ///< changes of gradient and values, [n]
    double ro;    ///< 1 / (y s)
  };
  // Tensors are replaced, never written to: a copy of it all is the state of then.
  struct State {
    std::int64_t iterations = 0, evaluations = 0;
    double t = 0, h_diag = 1;
    Tensor d, gradient;  ///< of the last iteration, [n]
    std::vector<Pair> history = {};
  };
  void check_parameters() const;
  void clear_grad();
  double evaluate(const Closure& closure, Tensor& gradient);
  Tensor values() const;
  void restore(const Tensor& x);
  void set_values(const Tensor& x, double t, const Tensor* d);
  Tensor direction(const Tensor& gradient);
  double iterate(const Closure& closure);

  std::vector<ParameterHandle> parameters_;
  std::vector<std::pair<Shape, DType>> kinds_;
  LBFGSOptions options_;
  std::int64_t size_ = 0;
  State state_ = {};
};

}  // namespace weft::optim
