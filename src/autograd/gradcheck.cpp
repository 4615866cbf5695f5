#include "weft/autograd/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "autograd/tape_state.hpp"
#include "base/fail.hpp"

namespace weft {
namespace {

// A tensor whose elements are perturbed (dense, seen by nobody else) and the gradient that backward gave for it.
struct Variable {
  std::string name;
  Tensor value;
  Tensor analytic;
};

// Uniform in [0, 1), element `i` of the stream `stream`.
double draw(std::uint64_t seed, std::uint32_t stream, std::int64_t i) {
  const auto n = static_cast<std::uint64_t>(i);
  const auto words = philox({static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32), stream, 0},
                            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return static_cast<double>((std::uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
}

// 0.5 to 1.5 in size with either sign: no output goes unseen, and no symmetry hides an error.
Tensor random_cotangent(const Shape& shape, std::uint64_t seed) {
  Tensor cotangent = Tensor::empty(shape, f64);
  double* c = cotangent.mutable_data<double>();
  for (std::int64_t i = 0; i < cotangent.numel(); ++i) {
    const double u = 2 * draw(seed, 1, i) - 1;
    c[i] = u < 0 ? u - 0.5 : u + 0.5;
  }
  return cotangent;
}

std::string index_of(const Shape& shape, std::int64_t flat) {
  std::array<std::int64_t, max_rank> index{};
  for (int i = shape.rank() - 1; i >= 0; --i) {
    index[static_cast<std::size_t>(i)] = flat % shape[i];
    flat /= shape[i];
  }
  return fmt::format("[{}]", fmt::join(index.begin(), index.begin() + shape.rank(), ", "));
}

void check_f64(const Tensor& value, const std::string& name) {
  check<DTypeError>(value.defined() && value.dtype() == f64, "gradcheck", "{} is {}; gradients are checked in f64", name,
                    value);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * sizeof(double)) == 0;
}

bool close(const Tensor& a, const Tensor& b, const GradcheckOptions& options) {
  if (a.shape() != b.shape()) return false;
  const auto agree = [&](double x, double y) {
    return x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= options.atol + options.rtol * std::abs(y);
  };
  return std::equal(a.data<double>(), a.data<double>() + a.numel(), b.data<double>(), agree);
}

// One evaluation under a tape of its own with random operations as in every other one. The result is a dense copy:
// operations that give views of their input must not see the next perturbation.
class Evaluation {
 public:
  explicit Evaluation(std::uint64_t seed) : generator_(seed), tape_(generator_) {
    check<TapeError>(Tape::recording() == &tape_, "gradcheck", "a NoGrad guard is alive, so nothing can be recorded");
  }
  Tape& tape() { return tape_; }
  Tensor value(const Var& output) {
    check_f64(output.value(), "the output");
    return output.value().clone();
  }

 private:
  Generator generator_;
  Tape tape_;
};

const char* maker_of(const Var& output) {
  if (!output.requires_grad()) return "";
  const detail::Node* node = output.slot()->node;
  return node == nullptr ? "leaf" : node->op;
}

template <class Evaluate>
double numeric_gradient(double& element, const Evaluate& evaluate, const Tensor& cotangent, double step) {
  const double saved = element, above = saved + step, below = saved - step;
  element = above;
  const Tensor high = evaluate();
  element = below;
  const Tensor low = evaluate();
  element = saved;
  double sum = 0;
  for (std::int64_t i = 0; i < cotangent.numel(); ++i) {
    const double a = high.data<double>()[i], b = low.data<double>()[i];
    if (a != b) sum += cotangent.data<double>()[i] * (a - b);  // -inf stays -inf under a mask
  }
  return sum / (above - below);
}

// `evaluate()` gives the output for what the variables hold now.
template <class Evaluate>
void compare(std::span<Variable> variables, const Evaluate& evaluate, const Tensor& cotangent, const GradcheckOptions& options,
             GradcheckReport& report) {
  for (std::size_t v = 0; v < variables.size(); ++v) {
    Variable& variable = variables[v];
    if (variable.analytic.shape() != variable.value.shape() || variable.analytic.dtype() != f64) {
      report.problem = fmt::format("the gradient of {} {} is {}", variable.name, variable.value, variable.analytic);
      return;
    }
    const std::int64_t numel = variable.value.numel();
    const std::int64_t samples = options.elements > 0 ? std::min(options.elements, numel) : numel;
    for (std::int64_t k = 0; k < samples; ++k) {
      // One element out of each of `samples` equal parts.
      const std::int64_t first = k * numel / samples, last = (k + 1) * numel / samples;
      const double u = draw(options.seed, 2 + static_cast<std::uint32_t>(v), k);
      const std::int64_t i = first + static_cast<std::int64_t>(u * static_cast<double>(last - first));
      const double numeric = numeric_gradient(variable.value.mutable_data<double>()[i], evaluate, cotangent, options.step);
      const double analytic = variable.analytic.data<double>()[i];
      const double error = std::abs(analytic - numeric) / (options.atol + options.rtol * std::abs(numeric));
      ++report.elements;
      report.worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(report.worst, error);
      if (!(error <= 1)) report.failures.push_back({variable.name, index_of(variable.value.shape(), i), analytic, numeric});
    }
  }
}

constexpr const char* not_repeatable = "two evaluations for the same inputs give different values";

// A parameter's value and gradient are put aside while it lives; it works on a copy.
class Borrowed {
 public:
  explicit Borrowed(Parameter& parameter)
      : parameter_(parameter), value_(parameter.value()), gradient_(std::exchange(parameter.mutable_grad(), Tensor())) {
    parameter_.mutable_value() = value_.clone();
  }
  ~Borrowed() {
    parameter_.mutable_value() = value_;
    parameter_.mutable_grad() = gradient_;
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

 private:
  Parameter& parameter_;
  Tensor value_, gradient_;
};

}  // namespace

GradcheckReport gradcheck(const std::function<Var(const std::vector<Var>&)>& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  std::vector<Variable> variables;
  for (const Tensor& input : inputs) {
    variables.push_back({fmt::format("input {}", variables.size()), Tensor(), Tensor()});
    check_f64(input, variables.back().name);
    variables.back().value = input.clone();
  }
  GradcheckReport report;
  Tensor value, cotangent;
  {
    Evaluation recorded(options.seed);
    std::vector<Var> leaves;
    for (const Tensor& input : inputs) leaves.push_back(recorded.tape().leaf(input));
    const Var output = f(leaves);
    value = recorded.value(output);
    cotangent = random_cotangent(value.shape(), options.seed);
    report.operation = maker_of(output);
    if (output.requires_grad()) recorded.tape().backward(output, cotangent);
    for (std::size_t i = 0; i < leaves.size(); ++i) variables[i].analytic = recorded.tape().grad(leaves[i]).clone();
  }
  const auto evaluate_on = [&](const std::vector<Var>& constants) {
    Evaluation evaluation(options.seed);
    return evaluation.value(f(constants));
  };
  if (!same_bits(value, evaluate_on({inputs.begin(), inputs.end()}))) {
    report.problem = not_repeatable;
    return report;
  }
  std::vector<Var> copies;
  for (const Variable& variable : variables) copies.emplace_back(variable.value);
  if (!close(value, evaluate_on(copies), options)) {
    report.problem = "the inputs and dense copies of them give different values";
    return report;
  }
  compare(
      variables, [&] { return evaluate_on(copies); }, cotangent, options, report);
  return report;
}

GradcheckReport gradcheck_parameters(const std::function<Var()>& loss, std::span<Parameter* const> parameters,
                                     const GradcheckOptions& options) {
  for (const Parameter* parameter : parameters) check_f64(parameter->value(), parameter->name());
  std::vector<std::unique_ptr<Borrowed>> borrowed;
  for (Parameter* parameter : parameters) borrowed.push_back(std::make_unique<Borrowed>(*parameter));
  GradcheckReport report;
  std::vector<Variable> variables;
  Tensor value, cotangent;
  {
    Evaluation recorded(options.seed);
    const Var output = loss();
    value = recorded.value(output);
    cotangent = random_cotangent(value.shape(), options.seed);
    report.operation = maker_of(output);
    if (output.requires_grad()) recorded.tape().backward(output, cotangent);
    for (Parameter* parameter : parameters) {
      const Tensor gradient = parameter->grad().defined() ? parameter->grad() : Tensor::zeros(parameter->shape(), f64);
      variables.push_back({fmt::format("'{}'", parameter->name()), parameter->value(), gradient});
      parameter->clear_grad();
    }
  }
  const auto evaluate = [&] {
    Evaluation evaluation(options.seed);
    return evaluation.value(loss());
  };
  if (!same_bits(value, evaluate())) {
    report.problem = not_repeatable;
    return report;
  }
  compare(variables, evaluate, cotangent, options, report);
  return report;
}

std::string GradcheckReport::str() const {
  std::string text = fmt::format("gradcheck of '{}': ", operation);
  if (!problem.empty()) return text + problem;
  if (ok()) return text + fmt::format("{} elements agree (worst error {:.2g} of what is allowed)", elements, worst);
  text += fmt::format("{} of {} elements differ (worst error {:.2g} times what is allowed)", failures.size(), elements, worst);
  constexpr std::size_t shown = 10;
  for (std::size_t i = 0; i < std::min(shown, failures.size()); ++i) {
    const GradcheckFailure& failure = failures[i];
    text += fmt::format("\n  {} at {}: analytic {:.10g}, numeric {:.10g}", failure.input, failure.index, failure.analytic,
                        failure.numeric);
  }
  if (failures.size() > shown) text += fmt::format("\n  and {} more", failures.size() - shown);
  return text;
}

const GradcheckReport& GradcheckReport::require() const {
  check<Error>(ok(), "gradcheck", "{}", *this);
  return *this;
}

}  // namespace weft
