#include "weft/autograd/recompute.hpp"

#include <algorithm>
#include <optional>

#include "autograd/pass.hpp"
#include "autograd/profiler.hpp"
#include "base/fail.hpp"

namespace weft {
namespace {

using detail::Node;
using detail::Slot;
using detail::TapeState;
using Function = std::function<std::vector<Var>(const std::vector<Var>&)>;

thread_local int replays = 0;

// The function runs again while it lives: it records, although a backward pass is going on.
class Replay {
 public:
  Replay() { ++replays; }
  ~Replay() { --replays; }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

 private:
  detail::GradAgain again_;
  detail::ProfileInside inside_;
};

// A tape of recompute's own, with random numbers where the outer one has them, and of the same rows.
class InnerTape {
 public:
  InnerTape(Generator* generator, std::int64_t first_row) {
    generator != nullptr ? tape_.emplace(*generator, first_row) : tape_.emplace();
    state().recomputed = true;
  }
  TapeState& state() { return tape_->state(); }

  /// The inputs as the function sees them.
  std::vector<Var> leaves(const std::vector<Var>& inputs) {
    std::vector<Var> result;
    for (const Var& input : inputs) result.push_back(input.requires_grad() ? tape_->leaf(input) : input);
    return result;
  }
  /// Parameters that were used, in the order of their first use.
  std::vector<Parameter*> parameters() {
    std::vector<Parameter*> result;
    for (const Slot* leaf = state().leaves; leaf != nullptr; leaf = leaf->next_leaf)
      if (leaf->parameter != nullptr) result.push_back(leaf->parameter);
    std::reverse(result.begin(), result.end());
    return result;
  }

 private:
  std::optional<Tape> tape_;
};

// The tape draws from another generator while it lives.
class DrawFrom {
 public:
  DrawFrom(TapeState& tape, Generator* generator) : tape_(tape), previous_(std::exchange(tape.generator, generator)) {}
  ~DrawFrom() { tape_.generator = previous_; }
  DrawFrom(const DrawFrom&) = delete;
  DrawFrom& operator=(const DrawFrom&) = delete;

 private:
  TapeState& tape_;
  Generator* previous_;
};

void check_outputs(const std::vector<Var>& outputs, std::uint64_t tape) {
  for (const Var& output : outputs) {
    check<TapeError>(output.defined(), "recompute", "the function returned an undefined Var");
    check<TapeError>(!output.requires_grad() || output.tape() == tape, "recompute",
                     "the function returned {}, which was made outside of it and isn't among recompute's inputs; list it",
                     output);
  }
}

// A place of its own on the tape for a value: gradients that reach it go no further in a pass that ends there.
Var alias(const Var& x) {
  return record("recompute", x.value(), {&x}, [](Sink& s) { s.add(0, s.grad()); });
}

struct Form {
  Shape shape;
  DType dtype;
};

// What backward needs to run the function again.
class Recomputation {
 public:
  Recomputation(Function function, const std::vector<Var>& inputs, TapeState& tape)
      : function_(std::move(function)), tape_(tape) {
    for (const Var& input : inputs) inputs_.push_back(input.defined() ? Saved(input) : Saved());
    if (tape.generator != nullptr) start_ = *tape.generator;
  }

  // The first run, which records nothing. The outputs, as constants.
  std::vector<Var> forward(const std::vector<Var>& inputs) {
    InnerTape inner(tape_.generator, tape_.first_row);
    inner.state().dry = true;
    const std::vector<Var> outputs = function_(inner.leaves(inputs));
    check_outputs(outputs, inner.state().id);
    std::vector<Var> result;
    for (const Var& output : outputs) {
      result.push_back(output.detach());
      forms_.push_back({output.shape(), output.dtype()});
    }
    parameters_ = inner.parameters();
    return result;
  }

  /// Its parameters as leaves of the outer tape: the node's inputs behind the function's own.
  std::vector<Var> parameter_leaves() {
    std::vector<Var> result;
    for (Parameter* parameter : parameters_) {
      result.emplace_back(*parameter);
      parameter_values_.emplace_back(result.back());
    }
    return result;
  }

  void backward(Sink& s) {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      check<TapeError>(parameter_values_[i].get().slot()->parameter == parameters_[i], "recompute",
                       "a parameter that the function used is gone");
    const auto gradients = s.recording() ? recorded_gradients(s) : replayed_gradients(s);
    for (std::size_t i = 0; i < gradients.size(); ++i)
      if (gradients[i].defined()) s.add(static_cast<int>(i), gradients[i]);
  }

 private:
  std::size_t places() const { return inputs_.size() + parameters_.size(); }
  Generator* generator(std::optional<Generator>& copy) const {
    copy = start_;
    return copy ? &*copy : nullptr;
  }
  std::vector<Var> saved_inputs() const {
    std::vector<Var> result;
    for (const Saved& input : inputs_) result.push_back(input.defined() ? input.get() : Var());
    return result;
  }

  void check_same(const std::vector<Var>& outputs) const {
    check<TapeError>(outputs.size() == forms_.size(), "recompute", "the function returned {} values, {} when it ran again",
                     forms_.size(), outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i)
      check<TapeError>(outputs[i].defined() && outputs[i].shape() == forms_[i].shape && outputs[i].dtype() == forms_[i].dtype,
                       "recompute", "the function returned {}{}, and {} when it ran again", name_of(forms_[i].dtype),
                       forms_[i].shape, outputs[i].value());
  }
  void check_parameters(InnerTape& inner) const {
    for (const Parameter* parameter : inner.parameters())
      check<TapeError>(std::find(parameters_.begin(), parameters_.end(), parameter) != parameters_.end(), "recompute",
                       "the function used '{}' only when it ran again", parameter->name());
  }

  // Of the outputs that anything depended on, with their gradients.
  struct Reached {
    PoolVector<Var> outputs, cotangents;
  };
  Reached reached(const Sink& s, const std::vector<Var>& outputs) const {
    Reached result;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!s.has_grad(static_cast<int>(i)) || !outputs[i].requires_grad()) continue;
      result.outputs.push_back(outputs[i]);
      result.cotangents.push_back(s.grad(static_cast<int>(i)));
    }
    return result;
  }

  // The ordinary case: on a tape of its own, which goes when the gradients are there.
  std::vector<Var> replayed_gradients(const Sink& s) const {
    const Replay replay;
    std::optional<Generator> copy;
    InnerTape inner(generator(copy), tape_.first_row);
    const std::vector<Var> leaves = inner.leaves(saved_inputs());
    const std::vector<Var> outputs = function_(leaves);
    check_same(outputs);
    check_outputs(outputs, inner.state().id);
    check_parameters(inner);
    PoolVector<Var> wanted;
    PoolVector<std::size_t> where;
    for (std::size_t i = 0; i < places(); ++i) {
      if (!s.wants(static_cast<int>(i))) continue;
      wanted.push_back(i < leaves.size() ? leaves[i] : Var(*parameters_[i - leaves.size()]));
      where.push_back(i);
    }
    const Reached ends = reached(s, outputs);
    const auto found = detail::gradients(inner.state(), ends.outputs, ends.cotangents, wanted, {});
    std::vector<Var> result(places());
    for (std::size_t i = 0; i < where.size(); ++i) result[where[i]] = found[i];
    return result;
  }

  // Under create_graph: on the outer tape, so that what comes out can be differentiated again. The pass over what was just
  // recorded ends at aliases of the inputs; leaves get back what they had gathered before.
  std::vector<Var> recorded_gradients(const Sink& s) const {
    const Replay replay;
    std::optional<Generator> copy;
    const DrawFrom drawing(tape_, generator(copy));
    std::vector<Var> places_of = saved_inputs();
    for (Var& input : places_of)
      if (input.defined() && input.requires_grad()) input = alias(input);
    const Node* start = tape_.last;
    const std::vector<Var> outputs = function_(places_of);
    check_same(outputs);
    for (Parameter* parameter : parameters_) places_of.emplace_back(*parameter);
    const Reached ends = reached(s, outputs);
    const detail::PassAside aside(tape_);
    for (std::size_t i = 0; i < ends.outputs.size(); ++i) detail::accumulate(*ends.outputs[i].slot(), ends.cotangents[i], true);
    detail::run_rules(tape_, tape_.last, start, {.create_graph = true});
    std::vector<Var> result(places());
    for (std::size_t i = 0; i < result.size(); ++i)
      if (places_of[i].requires_grad()) result[i] = std::exchange(places_of[i].slot()->grad, Var());
    return result;
  }

  Function function_;
  TapeState& tape_;
  std::vector<Saved> inputs_, parameter_values_;
  std::vector<Parameter*> parameters_;
  std::vector<Form> forms_;
  std::optional<Generator> start_;
};

}  // namespace

bool recomputing() { return replays > 0; }

std::vector<Var> recompute(Function function, const std::vector<Var>& inputs) {
  check<ValueError>(static_cast<bool>(function), "recompute", "the function is empty");
  Tape* outer = Tape::recording();
  if (outer == nullptr) return function(inputs);
  TapeState& tape = outer->state();
  for (const Var& input : inputs)
    if (input.requires_grad() && input.tape() != tape.id) detail::foreign("recompute", input.tape());
  Recomputation recomputation(std::move(function), inputs, tape);
  std::vector<Var> outputs = recomputation.forward(inputs);
  const std::vector<Var> parameters = recomputation.parameter_leaves();
  PoolVector<const Var*> all;
  for (const Var& input : inputs) all.push_back(&input);
  for (const Var& parameter : parameters) all.push_back(&parameter);
  record("recompute", std::span<Var>(outputs), std::span<const Var* const>(all),
         [r = std::move(recomputation)](Sink& s) mutable { r.backward(s); });
  return outputs;
}

Var recompute(std::function<Var(const std::vector<Var>&)> function, const std::vector<Var>& inputs) {
  check<ValueError>(static_cast<bool>(function), "recompute", "the function is empty");
  Function several = [f = std::move(function)](const std::vector<Var>& in) { return std::vector<Var>{f(in)}; };
  return std::move(recompute(std::move(several), inputs)[0]);
}

}  // namespace weft
