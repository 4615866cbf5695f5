#include "weft/autograd/grad.hpp"

#include <optional>

#include "autograd/pass.hpp"
#include "base/fail.hpp"

namespace weft {
namespace {

using detail::TapeState;

// A tape for one evaluation, with the random numbers of the one that records outside.
class OwnTape {
 public:
  explicit OwnTape(const char* op) {
    Tape* outer = Tape::recording();
    Generator* generator = outer != nullptr ? outer->generator() : nullptr;
    generator != nullptr ? tape_.emplace(*generator, outer->first_row()) : tape_.emplace();
    check<TapeError>(Tape::recording() == &*tape_, op, "a NoGrad guard is alive, so nothing can be recorded");
  }
  std::vector<Var> leaves(const std::vector<Tensor>& values) {
    std::vector<Var> result;
    for (const Tensor& value : values) result.push_back(tape_->leaf(value));
    return result;
  }

 private:
  std::optional<Tape> tape_;
};

TapeState& tape_of(const std::vector<Var>& outputs, const std::vector<Var>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check<TapeError>(inputs[i].requires_grad(), "grad",
                     "input {} isn't on a tape; leaves, parameters and what operations make of them while a tape records are",
                     i);
  const std::uint64_t id = inputs[0].tape();
  TapeState* tape = detail::find_tape(id);
  if (tape == nullptr) detail::foreign("grad", id);
  // The first run of recompute's function records nothing: its gradients would be zeros.
  check<TapeError>(!tape->dry, "grad", "gradients inside of a function that recompute runs need a tape of their own in it");
  for (std::size_t i = 1; i < inputs.size(); ++i)
    check<TapeError>(inputs[i].tape() == id, "grad", "inputs 0 and {} are on different tapes", i);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    check<TapeError>(!outputs[i].requires_grad() || outputs[i].tape() == id, "grad",
                     "output {} is on another tape than the inputs", i);
  return *tape;
}

std::vector<Var> cotangents_for(const std::vector<Var>& outputs, const std::vector<Var>& given) {
  std::vector<Var> result;
  check<ValueError>(given.empty() || given.size() == outputs.size(), "grad", "there are {} outputs and {} grad_outputs",
                    outputs.size(), given.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Var& output = outputs[i];
    check<TapeError>(output.defined(), "grad", "output {} is undefined", i);
    if (given.empty() || !given[i].defined()) {
      check<ShapeError>(output.numel() == 1, "grad",
                        "output {} has shape {}; only one element can be differentiated, so reduce it (sum, mean) or pass "
                        "grad_outputs",
                        i, output.shape());
      result.emplace_back(Tensor::ones(output.shape(), output.dtype()));
      continue;
    }
    check<ShapeError>(given[i].shape() == output.shape(), "grad", "grad_outputs {} has shape {}, the output {}", i,
                      given[i].shape(), output.shape());
    if (detail::anomaly_guards > 0) [[unlikely]]
      detail::check_given_gradient("grad", given[i]);
    result.push_back(given[i]);
  }
  return result;
}

// [output's shape..., input's shape...]
Shape joined(const Shape& output, const Shape& input, const char* op) {
  check<ShapeError>(output.rank() + input.rank() <= max_rank, op, "an output {} and an input {} have more than {} dimensions",
                    output, input, max_rank);
  std::vector<std::int64_t> sizes(output.begin(), output.end());
  sizes.insert(sizes.end(), input.begin(), input.end());
  return Shape(std::span<const std::int64_t>(sizes));
}

// The Jacobian of what a tape recorded, a row for each element of the output.
std::vector<Tensor> rows_of(const Var& output, const std::vector<Var>& inputs, const char* op) {
  std::vector<Tensor> result;
  const std::int64_t rows = output.numel();
  for (const Var& input : inputs) {
    joined(output.shape(), input.shape(), op);
    result.push_back(Tensor::zeros({rows, input.numel()}, input.dtype()));
  }
  for (std::int64_t row = 0; row < rows && output.requires_grad(); ++row) {
    Tensor cotangent = Tensor::zeros({rows}, output.dtype());
    cotangent.slice(0, row, row + 1).fill(1);
    const auto gradients = grad(output, inputs, {.retain = true, .grad_outputs = {cotangent.reshape(output.shape())}});
    for (std::size_t i = 0; i < inputs.size(); ++i)
      result[i].select(0, row).copy_from(gradients[i].value().reshape({inputs[i].numel()}));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) result[i] = result[i].reshape(joined(output.shape(), inputs[i].shape(), op));
  return result;
}

void check_one_element(const Var& output, const char* op) {
  check<ShapeError>(output.defined() && output.numel() == 1, op, "the function's value is {}; one element is needed",
                    output.value());
}

// Calls gradients_of(sample) for each sample of the batch, and puts what comes under each other.
template <class Gradients>
std::vector<Tensor> for_each_sample(const std::vector<Tensor>& batch, const std::vector<Tensor>& values,
                                    const Gradients& gradients_of) {
  constexpr const char* op = "per_sample_gradients";
  check<ValueError>(!batch.empty(), op, "the batch has no tensors");
  for (const Tensor& tensor : batch)
    check<ShapeError>(tensor.defined() && tensor.rank() > 0 && tensor.size(0) == batch[0].size(0), op,
                      "the batch has tensors {} and {}; all need the same number of samples along their first dimension",
                      batch[0], tensor);
  const std::int64_t samples = batch[0].size(0);
  std::vector<Tensor> result;
  for (const Tensor& value : values) result.push_back(Tensor::zeros(joined(Shape{samples}, value.shape(), op), value.dtype()));
  for (std::int64_t k = 0; k < samples; ++k) {
    std::vector<Tensor> sample;
    for (const Tensor& tensor : batch) sample.push_back(tensor.slice(0, k, k + 1));
    const std::vector<Var> gradients = gradients_of(sample);
    for (std::size_t i = 0; i < gradients.size(); ++i) result[i].select(0, k).copy_from(gradients[i].value());
  }
  return result;
}

}  // namespace

std::vector<Var> grad(const std::vector<Var>& outputs, const std::vector<Var>& inputs, const GradOptions& options) {
  if (inputs.empty()) return {};
  TapeState& tape = tape_of(outputs, inputs);
  check<TapeError>(!options.create_graph || Tape::recording() == tape.tape, "grad",
                   "create_graph records on this tape, but it isn't the one recording (an inner tape or NoGrad is alive)");
  const std::vector<Var> cotangents = cotangents_for(outputs, options.grad_outputs);
  const detail::RunningPass running(tape, "grad");
  const auto found =
      detail::gradients(tape, outputs, cotangents, inputs, {.retain = options.retain, .create_graph = options.create_graph});
  std::vector<Var> result;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    result.push_back(found[i].defined() ? found[i] : Var(Tensor::zeros(inputs[i].shape(), inputs[i].dtype())));
  return result;
}

std::vector<Var> grad(const Var& output, const std::vector<Var>& inputs, const GradOptions& options) {
  return grad(std::vector<Var>{output}, inputs, options);
}

std::vector<Tensor> hvp(const std::function<Var(const std::vector<Var>&)>& f, const std::vector<Tensor>& inputs,
                        const std::vector<Tensor>& vectors) {
  check<ValueError>(inputs.size() == vectors.size(), "hvp", "there are {} inputs and {} vectors", inputs.size(),
                    vectors.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check<ShapeError>(vectors[i].defined() && vectors[i].shape() == inputs[i].shape(), "hvp",
                      "vector {} is {}, the input {}; both need one shape", i, vectors[i], inputs[i]);
  OwnTape tape("hvp");
  const std::vector<Var> leaves = tape.leaves(inputs);
  const Var output = f(leaves);
  check_one_element(output, "hvp");
  // The Hessian is symmetric: the derivative of (gradient . v) is its product with v.
  const auto slopes = grad(output, leaves, {.create_graph = true});
  const auto products = grad(slopes, leaves, {.grad_outputs = {vectors.begin(), vectors.end()}});
  std::vector<Tensor> result;
  for (const Var& product : products) result.push_back(product.value());
  return result;
}

std::vector<Tensor> jacobian(const std::function<Var(const std::vector<Var>&)>& f, const std::vector<Tensor>& inputs) {
  OwnTape tape("jacobian");
  const std::vector<Var> leaves = tape.leaves(inputs);
  const Var output = f(leaves);
  check<ValueError>(output.defined(), "jacobian", "the function's value is undefined");
  return rows_of(output, leaves, "jacobian");
}

Tensor hessian(const std::function<Var(const Var&)>& f, const Tensor& input) {
  OwnTape tape("hessian");
  const std::vector<Var> leaves = tape.leaves({input});
  const Var output = f(leaves[0]);
  check_one_element(output, "hessian");
  const auto slopes = grad(output, leaves, {.create_graph = true});
  return rows_of(slopes[0], leaves, "hessian")[0];
}

std::vector<Tensor> per_sample_gradients(const std::function<Var(const std::vector<Tensor>&)>& loss,
                                         std::span<Parameter* const> parameters, const std::vector<Tensor>& batch) {
  std::vector<Tensor> values;
  for (const Parameter* parameter : parameters) {
    check<ValueError>(parameter != nullptr, "per_sample_gradients", "a parameter is a null pointer");
    values.push_back(parameter->value());
  }
  return for_each_sample(batch, values, [&](const std::vector<Tensor>& sample) {
    OwnTape tape("per_sample_gradients");
    const Var output = loss(sample);
    check_one_element(output, "per_sample_gradients");
    std::vector<Var> inputs;
    for (Parameter* parameter : parameters) inputs.push_back(*parameter);
    return grad(output, inputs);
  });
}

std::vector<Tensor> per_sample_gradients(const std::function<Var(const std::vector<Var>&, const std::vector<Tensor>&)>& loss,
                                         const std::vector<Tensor>& leaves, const std::vector<Tensor>& batch) {
  return for_each_sample(batch, leaves, [&](const std::vector<Tensor>& sample) {
    OwnTape tape("per_sample_gradients");
    const std::vector<Var> inputs = tape.leaves(leaves);
    const Var output = loss(inputs, sample);
    check_one_element(output, "per_sample_gradients");
    return grad(output, inputs);
  });
}

}  // namespace weft
