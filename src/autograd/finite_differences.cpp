#include "autograd/finite_differences.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/fail.hpp"
#include "weft/base/random.hpp"

namespace weft::detail {
namespace {

constexpr std::uint32_t cotangent_stream = 1, sample_stream = 1000, direction_stream = 1000000;

// Uniform in [0, 1), element `i` of the stream `stream`.
double draw(std::uint64_t seed, std::uint32_t stream, std::int64_t i) {
  const auto n = static_cast<std::uint64_t>(i);
  const auto words = philox({static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32), stream, 0},
                            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return static_cast<double>((std::uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
}

std::string index_of(const Shape& shape, std::int64_t flat) {
  std::array<std::int64_t, max_rank> index{};
  for (int i = shape.rank() - 1; i >= 0; --i) {
    index[static_cast<std::size_t>(i)] = flat % shape[i];
    flat /= shape[i];
  }
  return fmt::format("[{}]", fmt::join(index.begin(), index.begin() + shape.rank(), ", "));
}

// The inner product of dense tensors of the same shapes. Terms of 0 times infinity are 0: -inf stays -inf under a mask.
double inner(const Tensors& a, const Tensors& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double *x = a[k].data<double>(), *y = b[k].data<double>();
    for (std::int64_t i = 0; i < a[k].numel(); ++i)
      if (x[i] != 0 && y[i] != 0) sum += x[i] * y[i];
  }
  return sum;
}

// The cotangents that outputs are contracted with, each with the name of the output's element that it picks.
struct Cotangents {
  std::vector<Tensors> values;
  std::vector<std::string> names;
};

// Zeros for every output.
Tensors no_cotangent(const Tensors& outputs) {
  Tensors zeros;
  for (const Tensor& output : outputs) zeros.push_back(Tensor::zeros(output.shape(), f64));
  return zeros;
}

Cotangents cotangents_of(const Tensors& outputs, const std::vector<std::string>& names, const GradcheckOptions& options) {
  Cotangents result;
  if (!options.full_jacobian) {
    result.names.emplace_back();
    Tensors& random = result.values.emplace_back();
    for (std::size_t k = 0; k < outputs.size(); ++k)
      random.push_back(random_signs(outputs[k].shape(), options.seed, cotangent_stream + static_cast<std::uint32_t>(k)));
    return result;
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    for (std::int64_t i = 0; i < outputs[k].numel(); ++i) {
      result.values.push_back(no_cotangent(outputs));
      result.values.back()[k].mutable_data<double>()[i] = 1;
      const std::string index = index_of(outputs[k].shape(), i);
      result.names.push_back(names.empty() ? index : fmt::format("{} at {}", names[k], index));
    }
  }
  return result;
}

class Comparison {
 public:
  Comparison(const Differentiable& function, const GradcheckOptions& options, GradcheckReport& report)
      : function_(function), options_(options), report_(report) {}

  // `outputs`: the values at the unperturbed variables.
  void run(const Tensors& outputs) {
    outputs_ = outputs;
    cotangents_ = cotangents_of(outputs, function_.outputs, options_);
    for (const Tensors& cotangent : cotangents_.values) gradients_.push_back(function_.differentiate(cotangent));
    for (std::size_t v = 0; v < function_.variables.size(); ++v)
      options_.directions > 0 ? compare_directions(v) : compare_elements(v);
    if (report_.failures.empty()) return;
    blame();
    report_.hint = hint();
  }

 private:
  std::string hint() const {
    if (!beyond_rounding_)
      return fmt::format(
          "no difference is more than rounding makes of an output of {:.3g}, {:.1g} at a step of {}: take a mean in place of a "
          "sum, or a larger step",
          largest_excused_, rounding(largest_excused_), options_.step);
    std::vector<std::string> hints;
    if (first_kink_)
      hints.push_back(fmt::format(
          "at a kink, as relu has at 0, where there is no derivative: {} of {} (from {} at {} the slope is {:.6g} upwards and "
          "{:.6g} downwards); keep the inputs away from it",
          kinks_, report_.failures.size(), first_kink_->input, first_kink_->index, first_kink_->up, first_kink_->down));
    if (bends_ > 0)
      hints.push_back(fmt::format("the function bends within a step of {}, at {} of {}: take a smaller step", options_.step,
                                  bends_, report_.failures.size()));
    if (!independent_.empty())
      hints.push_back(fmt::format(
          "{}, in the recorded backward pass: a tensor stands in its rule where a Var should (value(), detach(), one that was "
          "captured, or get() of a saved output instead of s.output())",
          fmt::join(independent_, "; ")));
    return fmt::format("{}", fmt::join(hints, "\n  "));
  }

  void compare_elements(std::size_t v) {
    const Variable& variable = function_.variables[v];
    const std::int64_t numel = variable.value.numel();
    const std::int64_t samples = options_.elements > 0 ? std::min(options_.elements, numel) : numel;
    for (std::int64_t k = 0; k < samples; ++k) {
      // One element out of each of `samples` equal parts.
      const std::int64_t first = k * numel / samples, last = (k + 1) * numel / samples;
      const double u = draw(options_.seed, sample_stream + static_cast<std::uint32_t>(v), k);
      const std::int64_t i = first + static_cast<std::int64_t>(u * static_cast<double>(last - first));
      Tensor direction = Tensor::zeros(variable.value.shape(), f64);
      direction.mutable_data<double>()[i] = 1;
      compare(v, direction, index_of(variable.value.shape(), i));
    }
  }

  void compare_directions(std::size_t v) {
    const Shape& shape = function_.variables[v].value.shape();
    for (std::int64_t k = 0; k < options_.directions; ++k) {
      const auto stream = direction_stream + static_cast<std::uint32_t>(static_cast<std::int64_t>(v) * options_.directions + k);
      compare(v, random_signs(shape, options_.seed, stream), fmt::format("direction {}", k));
    }
  }

  // The derivative of every output along `direction` of variable v.
  void compare(std::size_t v, const Tensor& direction, const std::string& where) {
    if (step_is_lost(function_.variables[v].value, direction)) {
      report_.problem = fmt::format("a step of {} is lost beside the numbers of {} at {}: take a larger one", options_.step,
                                    function_.variables[v].name, where);
      return;
    }
    const auto [high, low] = moved_outputs(function_.variables[v].value, direction, options_.step);
    if (!same_shapes(high, outputs_) || !same_shapes(low, outputs_)) {
      report_.problem =
          fmt::format("a step of {} of {} at {} changes the output's shape", options_.step, function_.variables[v].name, where);
      return;
    }
    const Differences found = differences(high, low);
    for (std::size_t c = 0; c < gradients_.size(); ++c) {
      const double numeric = inner(cotangents_.values[c], found.slopes);
      const double analytic = contraction(gradients_[c][v], direction);
      const double difference = std::abs(analytic - numeric), error = error_of(analytic, numeric);
      ++report_.elements;
      report_.worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(report_.worst, error);
      if (error <= 1) continue;
      report_.failures.push_back(
          {report_.operation, function_.variables[v].name, where, cotangents_.names[c], analytic, numeric});
      if (parted() && suspects_.size() < most_suspects) suspects_.push_back(suspect(v, direction, found.slopes));
      const double size = largest_counted(cotangents_.values[c], found.sizes);
      const bool excused = std::isfinite(size) && difference <= rounding(size);
      beyond_rounding_ = beyond_rounding_ || !excused;
      if (excused) {
        largest_excused_ = std::max(largest_excused_, size);
      } else {
        look_for_kink(v, direction, cotangents_.values[c], high, low, rounding(size));
      }
    }
  }

  double error_of(double analytic, double numeric) const {
    const double difference = std::abs(analytic - numeric);
    return difference == 0 ? 0 : difference / (options_.atol + options_.rtol * std::abs(numeric));
  }

  // One cotangent over outputs that have names: a failure by itself doesn't say whose it is.
  bool parted() const { return !function_.outputs.empty() && !options_.full_jacobian; }

  // A failure whose outputs are to be named: where, and the numeric derivative of each output by itself.
  struct Suspect {
    std::size_t failure, variable;
    Tensor direction;
    std::vector<double> numeric;
  };

  Suspect suspect(std::size_t v, const Tensor& direction, const Tensors& slopes) const {
    Suspect one{report_.failures.size() - 1, v, direction, {}};
    for (std::size_t k = 0; k < slopes.size(); ++k) one.numeric.push_back(inner({cotangents_.values[0][k]}, {slopes[k]}));
    return one;
  }

  // Names of each failure the output whose own part of the derivative differs most, and gives that part's numbers; finds
  // outputs that should depend on a variable and don't. One output's derivatives are held at a time.
  void blame() {
    std::vector<double> worst(suspects_.size(), -1);
    for (std::size_t k = 0; !suspects_.empty() && k < outputs_.size(); ++k) {
      Tensors only = no_cotangent(outputs_);
      only[k] = cotangents_.values[0][k];
      const Tensors part = function_.differentiate(only);
      for (std::size_t i = 0; i < suspects_.size(); ++i) {
        const Suspect& one = suspects_[i];
        const double analytic = contraction(part[one.variable], one.direction), numeric = one.numeric[k];
        const double difference =
            std::isnan(analytic - numeric) ? std::numeric_limits<double>::infinity() : std::abs(analytic - numeric);
        if (error_of(analytic, numeric) > 1 && is_zero(part[one.variable])) note_independent(k, one.variable);
        if (difference <= worst[i]) continue;
        worst[i] = difference;
        GradcheckFailure& failure = report_.failures[one.failure];
        failure.output = function_.outputs[k];
        failure.analytic = analytic;
        failure.numeric = numeric;
      }
    }
  }

  void note_independent(std::size_t k, std::size_t v) {
    const std::string& name = function_.variables[v].name;
    const std::string text =
        fmt::format("{} doesn't depend on {}", function_.outputs[k], name == cotangent ? "s.grad()" : name);
    if (std::find(independent_.begin(), independent_.end(), text) == independent_.end()) independent_.push_back(text);
  }

  // Where the slopes to both sides differ, with the analytic one between them, the function bends within a step, or has a kink:
  // then they differ as much over a tenth of the step.
  void look_for_kink(std::size_t v, const Tensor& direction, const Tensors& cotangent, const Tensors& high, const Tensors& low,
                     double rounding) {
    constexpr double far = 1e-3;
    const GradcheckFailure& failure = report_.failures.back();
    const double up = slope(cotangent, outputs_, high, options_.step), down = slope(cotangent, low, outputs_, options_.step);
    const double largest = std::max(std::abs(up), std::abs(down)), gap = std::abs(up - down);
    const double slack = 10 * rounding + options_.atol + options_.rtol * largest;
    if (!(gap > far * largest + 4 * slack)) return;
    if (failure.analytic < std::min(up, down) - slack || failure.analytic > std::max(up, down) + slack) return;
    const double tenth = options_.step / 10;
    const auto [near_high, near_low] = moved_outputs(function_.variables[v].value, direction, tenth);
    if (!same_shapes(near_high, outputs_) || !same_shapes(near_low, outputs_)) return;
    const double near_gap =
        std::abs(slope(cotangent, outputs_, near_high, tenth) - slope(cotangent, near_low, outputs_, tenth));
    if (near_gap < gap / 2) {
      ++bends_;
      return;
    }
    ++kinks_;
    if (!first_kink_) first_kink_ = {failure.input, failure.index, up, down};
  }

  static double slope(const Tensors& cotangent, const Tensors& from, const Tensors& to, double step) {
    Tensors slopes = no_cotangent(to);
    for (std::size_t k = 0; k < to.size(); ++k) {
      double* slope = slopes[k].mutable_data<double>();
      const double *a = from[k].data<double>(), *b = to[k].data<double>();
      for (std::int64_t i = 0; i < slopes[k].numel(); ++i)
        if (a[i] != b[i]) slope[i] = (b[i] - a[i]) / step;
    }
    return inner(cotangent, slopes);
  }

  // What the rounding of some tens of operations makes of a difference of two outputs of about that size.
  double rounding(double size) const { return 32 * std::numeric_limits<double>::epsilon() * size / options_.step; }

  // A NaN anywhere in the gradient shows, unless the direction leaves it out.
  static double contraction(const Tensor& gradient, const Tensor& direction) {
    const Tensor dense = gradient.contiguous();
    double sum = 0;
    for (std::int64_t i = 0; i < direction.numel(); ++i)
      if (direction.data<double>()[i] != 0) sum += direction.data<double>()[i] * dense.data<double>()[i];
    return sum;
  }

  // Beside numbers that are so much larger that they hardly move, or by something else than the step.
  bool step_is_lost(const Tensor& value, const Tensor& direction) const {
    const double rounding = std::clamp(options_.rtol, 1e-9, 1e-3);  // of the step, and so of a difference
    const double *x = value.data<double>(), *d = direction.data<double>();
    for (std::int64_t i = 0; i < value.numel(); ++i) {
      const double step = options_.step * d[i], moved = (x[i] + step) - (x[i] - step);
      if (d[i] != 0 && std::isfinite(x[i]) && std::abs(moved - 2 * step) > rounding * std::abs(step)) return true;
    }
    return false;
  }

  static bool same_shapes(const Tensors& a, const Tensors& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Tensor& x, const Tensor& y) { return x.shape() == y.shape(); });
  }

  // The outputs a step up and a step down the direction.
  std::pair<Tensors, Tensors> moved_outputs(Tensor value, const Tensor& direction, double size) const {
    const Tensor saved = value.clone();
    const auto moved = [&](double step) {
      double* x = value.mutable_data<double>();
      for (std::int64_t i = 0; i < value.numel(); ++i) x[i] = saved.data<double>()[i] + step * direction.data<double>()[i];
      return function_.evaluate();
    };
    std::pair<Tensors, Tensors> outputs;
    try {
      outputs.first = moved(size);
      outputs.second = moved(-size);
    } catch (...) {
      value.copy_from(saved);
      throw;
    }
    value.copy_from(saved);
    return outputs;
  }

  // How fast each output's elements move, and how large those are that move: what stands still adds no rounding, however large
  // it is.
  struct Differences {
    Tensors slopes, sizes;
  };

  Differences differences(const Tensors& high, const Tensors& low) const {
    Differences result;
    for (std::size_t k = 0; k < high.size(); ++k) {
      Tensor slopes = Tensor::zeros(high[k].shape(), f64), sizes = Tensor::zeros(high[k].shape(), f64);
      const double *up = high[k].data<double>(), *down = low[k].data<double>();
      double *slope = slopes.mutable_data<double>(), *size = sizes.mutable_data<double>();
      for (std::int64_t i = 0; i < slopes.numel(); ++i) {
        if (up[i] == down[i]) continue;
        slope[i] = (up[i] - down[i]) / (2 * options_.step);
        size[i] = std::max(std::abs(up[i]), std::abs(down[i]));
      }
      result.slopes.push_back(slopes);
      result.sizes.push_back(sizes);
    }
    return result;
  }

  // The largest of the elements that a cotangent counts.
  static double largest_counted(const Tensors& cotangent, const Tensors& sizes) {
    double largest = 0;
    for (std::size_t k = 0; k < sizes.size(); ++k)
      for (std::int64_t i = 0; i < sizes[k].numel(); ++i)
        if (cotangent[k].data<double>()[i] != 0) largest = std::max(largest, sizes[k].data<double>()[i]);
    return largest;
  }

  const Differentiable& function_;
  const GradcheckOptions& options_;
  GradcheckReport& report_;
  Tensors outputs_;
  Cotangents cotangents_;
  double largest_excused_ = 0;  // of the outputs' elements whose rounding explains failures
  bool beyond_rounding_ = false;
  std::int64_t kinks_ = 0, bends_ = 0;  // failures that stand at one
  struct Kink {
    std::string input, index;
    double up, down;
  };
  std::optional<Kink> first_kink_;
  std::vector<Tensors> gradients_;                  // of each cotangent, for each variable
  static constexpr std::size_t most_suspects = 10;  // as many as a report shows
  std::vector<Suspect> suspects_;
  std::vector<std::string> independent_;  // sentences
};

}  // namespace

Tensor random_signs(const Shape& shape, std::uint64_t seed, std::uint32_t stream) {
  Tensor result = Tensor::empty(shape, f64);
  double* c = result.mutable_data<double>();
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    const double u = 2 * draw(seed, stream, i) - 1;
    c[i] = u < 0 ? u - 0.5 : u + 0.5;
  }
  return result;
}

bool is_zero(const Tensor& tensor) {
  const Tensor dense = tensor.contiguous();
  return std::all_of(dense.data<double>(), dense.data<double>() + dense.numel(), [](double x) { return x == 0; });
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * sizeof(double)) == 0;
}

bool same_bits(const Tensors& a, const Tensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Tensor& x, const Tensor& y) { return same_bits(x, y); });
}

void compare_with_differences(const Differentiable& function, const GradcheckOptions& options, GradcheckReport& report) {
  const auto at_least_0 = [](double x) { return std::isfinite(x) && x >= 0; };
  check<ValueError>(std::isfinite(options.step) && options.step > 0 && at_least_0(options.rtol) && options.rtol < 1 &&
                        at_least_0(options.atol),
                    "gradcheck",
                    "step {}, rtol {}, atol {}: all must be finite, the step positive, the others not negative, rtol below 1",
                    options.step, options.rtol, options.atol);
  check<ValueError>(options.elements >= 0 && options.directions >= 0, "gradcheck", "elements {}, directions {}: not below 0",
                    options.elements, options.directions);
  if (function.variables.empty()) {
    report.problem = no_variables;
    return;
  }
  const Tensors outputs = function.evaluate();
  const bool complete = function.outputs.empty() || outputs.size() == function.outputs.size();
  if (!complete || !same_bits(outputs, function.evaluate())) {
    report.problem = not_repeatable;
    return;
  }
  Comparison(function, options, report).run(outputs);
}

}  // namespace weft::detail
