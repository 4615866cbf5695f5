#include "weft/autograd/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "autograd/finite_differences.hpp"
#include "autograd/tape_state.hpp"
#include "base/fail.hpp"
#include "kernels/elementwise.hpp"

namespace weft {
namespace {

using detail::Differentiable;
using detail::Tensors;
using detail::Variable;

void check_f64(const Tensor& value, const std::string& name) {
  check<DTypeError>(value.defined(), "gradcheck", "{} is undefined", name);
  check<DTypeError>(value.dtype() == f64, "gradcheck", "{} is {}; gradients are checked in f64 (convert it with to(f64))", name,
                    value);
}

bool close(const Tensor& a, const Tensor& b, const GradcheckOptions& options) {
  if (a.shape() != b.shape()) return false;
  const auto agree = [&](double x, double y) {
    return x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= options.atol + options.rtol * std::abs(y);
  };
  return std::equal(a.data<double>(), a.data<double>() + a.numel(), b.data<double>(), agree);
}

// One evaluation under a tape of its own with random operations as in every other one. Values that it gives are dense
// copies: operations that give views of their input must not see the next perturbation.
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

// A function and its variables: functions of inputs and models with parameters look alike from here on.
struct Model {
  std::vector<Variable> variables;
  std::function<std::vector<Var>(Tape&)> leaves;              // the variables on the tape that records, in order
  std::function<Var(const std::vector<Var>& leaves)> output;  // of the function, given those
};

Model model_of(const GradcheckFunction& f, const std::vector<Tensor>& inputs) {
  Model model;
  for (const Tensor& input : inputs) {
    const std::string name = fmt::format("input {}", model.variables.size());
    check_f64(input, name);
    model.variables.push_back({name, input.clone()});
  }
  model.leaves = [variables = model.variables](Tape& tape) {
    std::vector<Var> leaves;
    for (const Variable& variable : variables) leaves.push_back(tape.leaf(variable.value));
    return leaves;
  };
  model.output = f;
  return model;
}

// The parameters work on copies while it lives.
class BorrowedModel {
 public:
  BorrowedModel(const std::function<Var()>& loss, std::span<Parameter* const> parameters) {
    for (const Parameter* parameter : parameters) {
      check<ValueError>(parameter != nullptr, "gradcheck_parameters", "a parameter is a null pointer");
      check_f64(parameter->value(), parameter->name());
    }
    std::vector<Parameter*> distinct;  // a tied one may be in the lists of several models
    for (Parameter* parameter : parameters) {
      if (std::find(distinct.begin(), distinct.end(), parameter) != distinct.end()) continue;
      distinct.push_back(parameter);
      borrowed_.push_back(std::make_unique<Borrowed>(*parameter));
      model_.variables.push_back({fmt::format("'{}'", parameter->name()), parameter->value()});
    }
    model_.leaves = [distinct](Tape&) {
      std::vector<Var> leaves;
      for (Parameter* parameter : distinct) leaves.push_back(*parameter);
      return leaves;
    };
    model_.output = [&loss](const std::vector<Var>&) { return loss(); };
  }
  const Model& get() const { return model_; }

 private:
  std::vector<std::unique_ptr<Borrowed>> borrowed_;
  Model model_;
};

// Whether an output was made of one of the leaves, by operations that were recorded.
bool depends_on_any(const Var& output, const std::vector<Var>& leaves) {
  if (!output.requires_grad()) return false;
  std::set<const detail::Slot*> wanted;
  for (const Var& leaf : leaves) wanted.insert(leaf.slot());
  std::set<const detail::Node*> seen;
  std::vector<const detail::Slot*> open = {output.slot()};
  while (!open.empty()) {
    const detail::Slot* slot = open.back();
    open.pop_back();
    if (slot == nullptr) continue;
    if (wanted.contains(slot)) return true;
    if (slot->node == nullptr || !seen.insert(slot->node).second) continue;
    open.insert(open.end(), slot->node->inputs, slot->node->inputs + slot->node->input_count);
  }
  return false;
}

// Gradients by an ordinary backward pass. Parameters give up what it added to theirs. `reached`: a leaf is part of the output.
Tensors gradients_of(Tape& tape, const Var& output, const Tensor& cotangent, const std::vector<Var>& leaves,
                     bool* reached = nullptr) {
  Tensors gradients;
  if (reached != nullptr && !*reached && depends_on_any(output, leaves)) *reached = true;
  if (output.requires_grad()) tape.backward(output, cotangent);
  for (const Var& leaf : leaves) {
    Parameter* parameter = leaf.slot()->parameter;
    if (parameter == nullptr) {
      gradients.push_back(tape.grad(leaf).clone());
      continue;
    }
    gradients.push_back(parameter->grad().defined() ? parameter->grad().clone() : Tensor::zeros(leaf.shape(), f64));
    parameter->clear_grad();
  }
  return gradients;
}

// A comparison of zeros with zeros says nothing.
void check_reached(bool reached, GradcheckReport& report) {
  if (reached || report.elements == 0 || !report.problem.empty()) return;
  report.problem = report.failures.empty()
                       ? "the output depends on none of the inputs or parameters, so nothing was checked"
                       : "the output changes with the inputs or parameters, but no recorded operation leads to it from them: "
                         "was something detached, or made under another tape or NoGrad?";
}

Differentiable first_order(const Model& model, const GradcheckOptions& options, GradcheckReport& report, bool& reached) {
  return {model.variables,
          {},
          [&] {
            Evaluation evaluation(options.seed);
            return Tensors{evaluation.value(model.output(model.leaves(evaluation.tape())))};
          },
          [&](const Tensors& cotangents) {
            Evaluation evaluation(options.seed);
            const std::vector<Var> leaves = model.leaves(evaluation.tape());
            const Var output = model.output(leaves);
            report.operation = maker_of(output);
            return gradients_of(evaluation.tape(), output, cotangents[0], leaves, &reached);
          }};
}

// The derivatives of sum(cotangents[i] gradient of variable i) by backward through a recorded backward pass.
Tensors second_derivatives(Tape& tape, const Var& output, const std::vector<Var>& variables, const Tensors& cotangents) {
  Tensors sums;
  for (const Var& variable : variables) sums.push_back(Tensor::zeros(variable.shape(), f64));
  if (!output.requires_grad()) return sums;
  tape.backward(output, variables.back(), {.create_graph = true});
  std::vector<Var> gradients;
  for (std::size_t i = 0; i < cotangents.size(); ++i) gradients.push_back(tape.grad_var(variables[i]));
  for (std::size_t i = 0; i < cotangents.size(); ++i) {
    if (!gradients[i].requires_grad() || detail::is_zero(cotangents[i])) continue;  // a constant, or not asked for
    // Recorded once more, for create_graph leaves the gradients of parameters on the tape too.
    tape.backward(gradients[i], cotangents[i], {.create_graph = true});
    for (std::size_t v = 0; v < variables.size(); ++v) sums[v] = kernels::add(sums[v], tape.grad(variables[v]));
  }
  return sums;
}

// The gradients as a function of the variables and of the output's cotangent, which is the last variable.
Differentiable second_order(const Model& model, const Tensor& cotangent, const GradcheckOptions& options,
                            GradcheckReport& report, bool& reached) {
  std::vector<Variable> variables = model.variables;
  variables.push_back({detail::cotangent, cotangent});
  std::vector<std::string> gradients;
  for (const Variable& variable : model.variables) gradients.push_back("the gradient of " + variable.name);
  return {std::move(variables), std::move(gradients),
          [&, cotangent]() -> Tensors {
            Evaluation evaluation(options.seed);
            const std::vector<Var> leaves = model.leaves(evaluation.tape());
            const Var output = model.output(leaves);
            if (output.shape() != cotangent.shape()) return {};  // which the comparison reports
            return gradients_of(evaluation.tape(), output, cotangent, leaves, &reached);
          },
          [&, cotangent](const Tensors& cotangents) {
            Evaluation evaluation(options.seed);
            std::vector<Var> leaves = model.leaves(evaluation.tape());
            const Var output = model.output(leaves);
            report.operation = maker_of(output);
            leaves.push_back(evaluation.tape().leaf(cotangent));
            return second_derivatives(evaluation.tape(), output, leaves, cotangents);
          }};
}

GradcheckReport check_second_order(const Model& model, const GradcheckOptions& options) {
  GradcheckReport report;
  report.order = 2;
  if (model.variables.empty()) {
    report.problem = detail::no_variables;
    return report;
  }
  Shape shape;
  {
    Evaluation evaluation(options.seed);
    shape = evaluation.value(model.output(model.leaves(evaluation.tape()))).shape();
  }
  const Tensor cotangent = detail::random_signs(shape, options.seed + 1, 0);
  bool reached = false;
  detail::compare_with_differences(second_order(model, cotangent, options, report, reached), options, report);
  check_reached(reached, report);
  return report;
}

}  // namespace

GradcheckReport gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  GradcheckReport report;
  if (inputs.empty()) {  // before f looks for the first
    report.problem = detail::no_variables;
    return report;
  }
  const Model model = model_of(f, inputs);
  const std::vector<Var> originals(inputs.begin(), inputs.end());
  std::vector<Var> copies;
  for (const Variable& variable : model.variables) copies.emplace_back(variable.value);
  const auto evaluate_on = [&](const std::vector<Var>& constants) {
    Evaluation evaluation(options.seed);
    return evaluation.value(f(constants));
  };
  const auto leaves_of_originals = [&](Tape& tape) {
    std::vector<Var> leaves;
    for (const Tensor& input : inputs) leaves.push_back(tape.leaf(input));
    return leaves;
  };
  Tensor recorded;
  {
    Evaluation evaluation(options.seed);
    const Var output = f(leaves_of_originals(evaluation.tape()));
    recorded = evaluation.value(output);
    report.operation = maker_of(output);
  }
  if (!detail::same_bits(recorded, evaluate_on(originals))) {
    report.problem = detail::not_repeatable;
    return report;
  }
  if (!close(recorded, evaluate_on(copies), options)) {
    report.problem = "the inputs and dense copies of them give different values";
    return report;
  }
  // Gradients at the inputs as they are, views included; differences on the dense copies.
  bool reached = false;
  detail::compare_with_differences({model.variables,
                                    {},
                                    [&] { return Tensors{evaluate_on(copies)}; },
                                    [&](const Tensors& cotangents) {
                                      Evaluation evaluation(options.seed);
                                      const std::vector<Var> leaves = leaves_of_originals(evaluation.tape());
                                      return gradients_of(evaluation.tape(), f(leaves), cotangents[0], leaves, &reached);
                                    }},
                                   options, report);
  check_reached(reached, report);
  return report;
}

GradcheckReport gradcheck_parameters(const std::function<Var()>& loss, std::span<Parameter* const> parameters,
                                     const GradcheckOptions& options) {
  const BorrowedModel borrowed(loss, parameters);
  GradcheckReport report;
  bool reached = false;
  detail::compare_with_differences(first_order(borrowed.get(), options, report, reached), options, report);
  check_reached(reached, report);
  return report;
}

GradcheckReport gradgradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  return check_second_order(model_of(f, inputs), options);
}

GradcheckReport gradgradcheck_parameters(const std::function<Var()>& loss, std::span<Parameter* const> parameters,
                                         const GradcheckOptions& options) {
  const BorrowedModel borrowed(loss, parameters);
  return check_second_order(borrowed.get(), options);
}

std::string GradcheckReport::str() const {
  std::string text = order == 1 ? "gradcheck" : "gradgradcheck";
  text += operation.empty() ? ": " : fmt::format(" of '{}': ", operation);
  if (!problem.empty()) return text + problem;
  if (ok()) return text + fmt::format("{} elements agree (worst error {:.2g} of what is allowed)", elements, worst);
  text += fmt::format("{} of {} elements differ (worst error {:.2g} times what is allowed)", failures.size(), elements, worst);
  constexpr std::size_t shown = 10;
  for (std::size_t i = 0; i < std::min(shown, failures.size()); ++i) {
    const GradcheckFailure& failure = failures[i];
    text += fmt::format("\n  {} at {}{}: analytic {:.10g}, numeric {:.10g}", failure.input, failure.index,
                        failure.output.empty() ? "" : fmt::format(" for {}{}", order == 1 ? "output " : "", failure.output),
                        failure.analytic, failure.numeric);
  }
  if (failures.size() > shown) text += fmt::format("\n  and {} more", failures.size() - shown);
  if (!hint.empty()) text += "\n  " + hint;
  return text;
}

const GradcheckReport& GradcheckReport::require() const {
  check<Error>(ok(), "gradcheck", "{}", *this);
  return *this;
}

}  // namespace weft
