#include "weft/optim/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "autograd/profiler.hpp"
#include "base/fail.hpp"
#include "optim/check_options.hpp"
#include "optim/match_state.hpp"
#include "optim/strong_wolfe.hpp"

namespace weft::optim {
namespace {

constexpr const char* where = "LBFGS";
constexpr double least_curvature = 1e-10;  // of a pair y s that is kept

// Vectors are f64 [n]; sums go from the first element to the last.

Tensor make_vector(std::int64_t size) {
  const MemoryCategoryGuard category(MemoryCategory::optimizer);
  return Tensor::empty({size}, f64);
}

double dot(const Tensor& a, const Tensor& b) {
  const double *x = a.data<double>(), *y = b.data<double>();
  double sum = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) sum += x[i] * y[i];
  return sum;
}

double largest(const Tensor& a) {
  const double* x = a.data<double>();
  double result = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) result = std::isnan(x[i]) ? x[i] : std::max(result, std::abs(x[i]));
  return result;
}

double sum_of_sizes(const Tensor& a) {
  const double* x = a.data<double>();
  double sum = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) sum += std::abs(x[i]);
  return sum;
}

// a + factor b
Tensor plus(const Tensor& a, double factor, const Tensor& b) {
  Tensor result = make_vector(a.numel());
  const double *x = a.data<double>(), *y = b.data<double>();
  double* to = result.mutable_data<double>();
  for (std::int64_t i = 0; i < a.numel(); ++i) to[i] = x[i] + factor * y[i];
  return result;
}

Tensor times(double factor, const Tensor& a) {
  Tensor result = make_vector(a.numel());
  const double* x = a.data<double>();
  double* to = result.mutable_data<double>();
  for (std::int64_t i = 0; i < a.numel(); ++i) to[i] = factor * x[i];
  return result;
}

void add_to(Tensor& a, double factor, const Tensor& b) {
  double* to = a.mutable_data<double>();
  const double* x = b.data<double>();
  for (std::int64_t i = 0; i < a.numel(); ++i) to[i] += factor * x[i];
}

std::int64_t most_evaluations(const LBFGSOptions& o) {
  std::int64_t fourth_more = 0;
  if (__builtin_add_overflow(o.max_iter, o.max_iter / 4, &fourth_more)) fourth_more = o.max_iter;
  return o.max_eval.value_or(fourth_more);
}

}  // namespace

LBFGS::LBFGS(std::span<Parameter* const> parameters, const LBFGSOptions& options) : options_(options) {
  set_lr(options.lr);
  check<ValueError>(options.max_iter >= 1 && most_evaluations(options) >= 1 && options.history_size >= 1, where,
                    "max_iter {}, max_eval {} and history_size {} must be at least 1", options.max_iter,
                    most_evaluations(options), options.history_size);
  check_at_least_0(where, "tolerance_grad", options.tolerance_grad);
  check_at_least_0(where, "tolerance_change", options.tolerance_change);
  std::set<const Parameter*> seen;
  for (Parameter* parameter : parameters) {
    check<ValueError>(parameter != nullptr, where, "a parameter is a null pointer");
    check<ValueError>(seen.insert(parameter).second, where, "'{}' stands twice among the parameters", parameter->name());
    parameters_.emplace_back(*parameter);
    kinds_.emplace_back(parameter->shape(), parameter->dtype());
    size_ += parameter->numel();
  }
  check_any_parameters(where, !parameters_.empty());
}

void LBFGS::set_lr(double lr) {
  check<ValueError>(std::isfinite(lr) && lr >= 0, where, "the learning rate is {}, not at least 0", lr);
  options_.lr = lr;
}

void LBFGS::check_parameters() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].check_there(where);
    const Parameter& parameter = *parameters_[i];
    const auto& [shape, dtype] = kinds_[i];
    check<ShapeError>(parameter.shape() == shape, where, "'{}' is {} now, it was {}{}; make the optimizer anew",
                      parameter.name(), parameter.value(), name_of(dtype), shape);
    check<DTypeError>(parameter.dtype() == dtype, where, "'{}' is {} now, it was {}{}; convert before making the optimizer",
                      parameter.name(), parameter.value(), name_of(dtype), shape);
  }
}

void LBFGS::clear_grad() {
  for (const ParameterHandle& parameter : parameters_) parameter->clear_grad();
}

Tensor LBFGS::values() const {
  Tensor x = make_vector(size_);
  std::int64_t at = 0;
  for (const ParameterHandle& parameter : parameters_) {
    x.slice(0, at, at + parameter->numel()).reshape(parameter->shape()).copy_from(parameter->value());
    at += parameter->numel();
  }
  return x;
}

// x, or x + t d.
void LBFGS::set_values(const Tensor& x, double t, const Tensor* d) {
  const Tensor to = d == nullptr ? x : plus(x, t, *d);
  std::int64_t at = 0;
  for (const ParameterHandle& parameter : parameters_) {
    parameter->mutable_value().copy_from(to.slice(0, at, at + parameter->numel()).reshape(parameter->shape()));
    at += parameter->numel();
  }
}

// After an error, which may be that the function has replaced a parameter or made it another.
void LBFGS::restore(const Tensor& x) {
  std::int64_t at = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [shape, dtype] = kinds_[i];
    const Tensor part = x.slice(0, at, at + shape.numel()).reshape(shape);
    at += shape.numel();
    if (!parameters_[i].is_there()) continue;
    parameters_[i]->clear_grad();
    if (parameters_[i]->shape() == shape && parameters_[i]->dtype() == dtype) parameters_[i]->mutable_value().copy_from(part);
  }
}

double LBFGS::evaluate(const Closure& closure, Tensor& gradient) {
  clear_grad();
  const double loss = closure();
  ++state_.evaluations;
  check_parameters();
  gradient = make_vector(size_);
  std::int64_t at = 0;
  bool any = false;
  for (const ParameterHandle& parameter : parameters_) {
    Tensor part = gradient.slice(0, at, at + parameter->numel()).reshape(parameter->shape());
    if (parameter->grad().defined()) {
      parameter->check_gradient(parameter->grad());
      part.copy_from(parameter->grad());
      any = true;
    } else {
      part.fill(0);
    }
    at += parameter->numel();
  }
  check<TapeError>(any, where,
                   "no parameter has a gradient: the function must call tape.backward(loss) for a loss that was computed with "
                   "these parameters");
  clear_grad();
  return loss;
}

// -H gradient by the two loops of Nocedal and Wright's algorithm 7.4, with the last iteration's change in the history.
Tensor LBFGS::direction(const Tensor& gradient) {
  auto& history = state_.history;
  if (state_.iterations == 1) return times(-1, gradient);
  Tensor y = plus(gradient, -1, state_.gradient), s = times(state_.t, state_.d);
  const double ys = dot(y, s);
  if (ys > least_curvature) {
    if (static_cast<std::int64_t>(history.size()) == options_.history_size) history.erase(history.begin());
    state_.h_diag = ys / dot(y, y);
    history.push_back({std::move(y), std::move(s), 1 / ys});
  }
  std::vector<double> alpha(history.size());
  Tensor q = times(-1, gradient);
  for (std::size_t i = history.size(); i-- > 0;) {
    alpha[i] = dot(history[i].s, q) * history[i].ro;
    add_to(q, -alpha[i], history[i].y);
  }
  Tensor r = times(state_.h_diag, q);
  for (std::size_t i = 0; i < history.size(); ++i) add_to(r, alpha[i] - dot(history[i].y, r) * history[i].ro, history[i].s);
  return r;
}

double LBFGS::iterate(const Closure& closure) {
  const std::int64_t before = state_.evaluations;
  Tensor gradient;
  const auto finite_loss = [&] {
    const double loss = evaluate(closure, gradient);
    check<NumericError>(std::isfinite(loss) && std::isfinite(largest(gradient)), where,
                        "the loss is {}, the largest element of its gradient {}", loss, largest(gradient));
    return loss;
  };
  const double first = finite_loss();
  double loss = first;
  if (largest(gradient) <= options_.tolerance_grad) return first;
  for (std::int64_t n = 1; n <= options_.max_iter; ++n) {
    ++state_.iterations;
    const Tensor d = direction(gradient);
    state_.d = d;
    state_.gradient = gradient;
    state_.t = options_.lr * (state_.iterations == 1 ? std::min(1.0, 1 / sum_of_sizes(gradient)) : 1);
    const double last = loss, slope = dot(gradient, d);
    if (slope > -options_.tolerance_change) break;
    const Tensor x = values();
    if (options_.line_search == LineSearch::strong_wolfe) {
      const auto on_line = [&](double t) {
        set_values(x, t, &d);
        LinePoint point = {.t = t};
        point.loss = evaluate(closure, point.gradient);
        point.slope = dot(point.gradient, d);
        if (!std::isfinite(point.loss) || !std::isfinite(largest(point.gradient)))  // too far, whatever the other is
          point.loss = std::numeric_limits<double>::infinity();
        return point;
      };
      const LinePoint point = strong_wolfe(on_line, {.t = 0, .loss = loss, .slope = slope, .gradient = gradient}, state_.t,
                                           largest(d), options_.tolerance_change);
      loss = point.loss;
      gradient = point.gradient;
      state_.t = point.t;
      set_values(x, state_.t, &d);
    } else {
      set_values(x, state_.t, &d);
      if (n == options_.max_iter) break;
      loss = finite_loss();
    }
    if (state_.evaluations - before >= most_evaluations(options_) || largest(gradient) <= options_.tolerance_grad ||
        largest(d) * state_.t <= options_.tolerance_change || std::abs(loss - last) < options_.tolerance_change)
      break;
  }
  return first;
}

double LBFGS::step(const Closure& closure) {
  const detail::ProfiledCall profiled(where, current_scope(), detail::Direction::forward);
  check<ValueError>(static_cast<bool>(closure), where, "the function to evaluate is empty");
  check_parameters();
  const Tensor before = values();
  const State state = state_;
  try {
    return iterate(closure);
  } catch (...) {
    state_ = state;
    restore(before);
    throw;
  }
}

StateDict LBFGS::state_dict() const {
  const MemoryCategoryGuard category(MemoryCategory::optimizer);
  const auto count = static_cast<std::int64_t>(state_.history.size());
  const auto vector_or_zeros = [&](const Tensor& x) { return x.defined() ? x.clone() : Tensor::zeros({size_}, f64); };
  Tensor dirs = Tensor::empty({count, size_}, f64), steps = Tensor::empty({count, size_}, f64);
  for (std::int64_t i = 0; i < count; ++i) {
    dirs.select(0, i).copy_from(state_.history[static_cast<std::size_t>(i)].y);
    steps.select(0, i).copy_from(state_.history[static_cast<std::size_t>(i)].s);
  }
  return {{"lr", Tensor::full({}, options_.lr, f64)},
          {"t", Tensor::full({}, state_.t, f64)},
          {"h_diag", Tensor::full({}, state_.h_diag, f64)},
          {"iterations", Tensor::from({state_.iterations}, {})},
          {"evaluations", Tensor::from({state_.evaluations}, {})},
          {"d", vector_or_zeros(state_.d)},
          {"prev_flat_grad", vector_or_zeros(state_.gradient)},
          {"old_dirs", dirs},
          {"old_stps", steps}};
}

void LBFGS::load_state_dict(const StateDict& state) {
  // As many changes as are given, if they can be ours.
  std::int64_t count = 0;
  for (const auto& [name, tensor] : state)
    if (name == "old_dirs" && tensor.defined() && tensor.rank() == 2) count = std::min(tensor.size(0), options_.history_size);
  StateDict expected = state_dict();
  for (auto& [name, tensor] : expected)
    if (name == "old_dirs" || name == "old_stps") tensor = Tensor::zeros({1, 1}, f64).expand({count, size_});
  const std::vector<Tensor> given = match_state(where, expected, state);
  const auto iterations = *given[3].data<std::int64_t>(), evaluations = *given[4].data<std::int64_t>();
  check<ValueError>(iterations >= 0 && evaluations >= 0, where, "iterations {} and evaluations {} must be at least 0",
                    iterations, evaluations);
  const double t = given[1].item(), h_diag = given[2].item();
  check<ValueError>(std::isfinite(t) && t >= 0 && std::isfinite(h_diag) && h_diag > 0, where,
                    "t {} must be finite and not negative, h_diag {} finite and positive", t, h_diag);
  check<ValueError>(std::isfinite(largest(given[5])) && std::isfinite(largest(given[6])), where,
                    "the largest elements of d and prev_flat_grad, {} and {}, must be finite", largest(given[5]),
                    largest(given[6]));
  const MemoryCategoryGuard category(MemoryCategory::optimizer);
  std::vector<Pair> history;
  for (std::int64_t i = 0; i < count; ++i) {
    Pair pair = {given[7].select(0, i).clone(), given[8].select(0, i).clone(), 0};
    const double ys = dot(pair.y, pair.s);
    check<ValueError>(std::isfinite(ys) && ys > least_curvature, where,
                      "row {} of old_dirs and of old_stps have the product {}; only pairs with one above {} are kept", i, ys,
                      least_curvature);
    pair.ro = 1 / ys;
    history.push_back(std::move(pair));
  }
  set_lr(given[0].item());
  state_ = {.iterations = iterations,
            .evaluations = evaluations,
            .t = t,
            .h_diag = h_diag,
            .d = given[5].clone(),
            .gradient = given[6].clone(),
            .history = std::move(history)};
}

}  // namespace weft::optim
