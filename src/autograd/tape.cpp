#include "weft/autograd/tape.hpp"

#include <algorithm>
#include <atomic>

#include "autograd/profiler.hpp"
#include "autograd/tape_state.hpp"
#include "base/fail.hpp"
#include "tensor/copy.hpp"

namespace weft {

using detail::Node;
using detail::Slot;
using detail::TapeState;

namespace {

thread_local TapeState* innermost = nullptr;  // may have ended on another thread: see recording_state
thread_local int no_grad_depth = 0;
std::atomic<std::uint64_t> tapes_made{0};

void destroy(TapeState* state) {
  state->~TapeState();
  detail::pool_release(state, sizeof(TapeState));
}

// Notes one end of two; whoever notes the second frees the state.
void note_end(TapeState* state, TapeState::End end) {
  if (state->first_end.exchange(end, std::memory_order_acq_rel) != TapeState::End::none) destroy(state);
}

// Leaves the tapes that outlive this thread to whoever ends them.
struct ThreadEnd {
  ~ThreadEnd() {
    while (innermost != nullptr) note_end(std::exchange(innermost, innermost->outer), TapeState::End::of_thread);
  }
};

// The innermost tape of this thread that wasn't ended by another one; null where there is none.
TapeState* recording_state() {
  while (innermost != nullptr && innermost->first_end.load(std::memory_order_acquire) != TapeState::End::none)
    destroy(std::exchange(innermost, innermost->outer));
  return innermost;
}

void release(Node& node) {
  if (node.rule == nullptr) return;
  void* rule = std::exchange(node.rule, nullptr);
  node.type->destroy(rule);
}

void clear(Slot& slot) {
  slot.grad = Var();
  for (auto* pair = std::exchange(slot.pending, nullptr); pair != nullptr; pair = pair->next) {
    pair->grad = Tensor();
    pair->x = Tensor();
  }
  slot.pending_bytes = 0;
}

// Whether a pass towards chosen slots has a use for the node's rule.
bool leads_on(const TapeState& tape, const Node& node) {
  return tape.target == 0 ||
         std::any_of(node.inputs, node.inputs + node.input_count, [&](const Slot* slot) { return tape.reaches(slot); });
}

// A tape is used by the thread that made it.
void check_own_thread(const TapeState& tape, const char* op) {
  check<TapeError>(
      detail::find_tape(tape.id) != nullptr, op,
      "this tape was made by another thread; make one in each thread that computes (tensors and models can be shared)");
}

void check_defined(const Var& output) {
  check<TapeError>(output.defined(), "backward", "the output is undefined: it was made by default, or moved from");
}

}  // namespace

namespace detail {

TapeState* find_tape(std::uint64_t id) {
  for (TapeState* state = recording_state(); state != nullptr; state = state->outer)
    if (state->id == id) return state->first_end.load(std::memory_order_acquire) == TapeState::End::none ? state : nullptr;
  return nullptr;
}

void foreign(const char* op, std::uint64_t id) {
  if (find_tape(id) == nullptr)
    fail<TapeError>(
        op, "an input belongs to a tape that is gone (or lives on another thread); use var.detach() to carry its value");
  check<TapeError>(!innermost->recomputed, op,
                   "an input was made outside of the function that recompute runs and isn't among recompute's inputs; list it");
  fail<TapeError>(op, "an input belongs to an outer tape; hand it in with tape.leaf(var), or use it before the inner tape");
}

NoGradUnless::NoGradUnless(bool recording) : previous_(no_grad_depth) { no_grad_depth += recording ? 0 : 1; }
NoGradUnless::~NoGradUnless() { no_grad_depth = previous_; }
GradAgain::GradAgain() : previous_(std::exchange(no_grad_depth, 0)) {}
GradAgain::~GradAgain() { no_grad_depth = previous_; }

RunningPass::RunningPass(TapeState& tape, const char* op) : tape_(tape) {
  check<TapeError>(!tape.running, op, "a backward pass of this tape is running; a hook or rule can't start another");
  tape.running = true;
}

void run_rules(TapeState& tape, Node* last, const Node* stop, const BackwardOptions& options) {
  const NoGradUnless mode(options.create_graph);
  const ValuesUnchecked unchecked;
  for (Node* node = last; node != stop; node = node->previous) {
    bool reached = false;
    for (int i = 0; i < node->output_count; ++i) {
      Slot& slot = node->outputs[i];
      flush(slot);
      if (!slot.grad.defined()) continue;
      reached = true;
      if (slot.watched != 0) [[unlikely]]
        observe(tape, slot);
    }
    if (!reached) continue;
    if (!leads_on(tape, *node)) {
      for (int i = 0; i < node->output_count; ++i) clear(node->outputs[i]);
      continue;
    }
    check<TapeError>(
        node->rule != nullptr, "backward",
        "what '{}' saved was released by an earlier backward; make a new Tape for each step, or pass {{.retain = true}} to "
        "the earlier one",
        node->op);
    const ProfiledCall profiled(node->op, node->scope, Direction::backward);
    const ScopeGuard scope(node->scope);
    Sink sink(tape, *node, options.create_graph);
    try {
      node->type->run(node->rule, sink);
    } catch (const ChangedValue& changed) {
      throw_changed(node->op, changed.value());
    }
    if (anomaly_guards > 0) [[unlikely]]
      check_gradients(tape, *node);
    if (!options.retain && !options.create_graph) release(*node);
    for (int i = 0; i < node->output_count; ++i) clear(node->outputs[i]);
  }
}

void finish_leaves(TapeState& tape) {
  for (Slot* leaf = tape.leaves; leaf != nullptr; leaf = leaf->next_leaf) {
    flush(*leaf);
    if (leaf->watched != 0 && leaf->grad.defined()) [[unlikely]]
      observe(tape, *leaf);
  }
}

void clear_gradients(TapeState& tape, const Node* stop) {
  for (Node* node = tape.last; node != stop; node = node->previous)
    for (int i = 0; i < node->output_count; ++i) clear(node->outputs[i]);
}

void clear_leaves(TapeState& tape) {
  for (Slot* leaf = tape.leaves; leaf != nullptr; leaf = leaf->next_leaf) clear(*leaf);
}

}  // namespace detail

Tape::Tape()
    : state_(new (detail::pool_allocate(sizeof(TapeState))) TapeState{++tapes_made, nullptr, this, recording_state()}) {
  [[maybe_unused]] static thread_local const ThreadEnd thread_end;
  innermost = state_;
  detail::profile_between();
}

Tape::Tape(Generator& generator, std::int64_t first_row) : Tape() {
  check<ValueError>(first_row >= 0, "Tape", "the first row is {}; it must be at least 0", first_row);
  state_->generator = &generator;
  state_->first_row = first_row;
}

Tape::~Tape() {
  // Gradients of outputs are gone by now: every pass clears them, failed ones too.
  for (Node* node = state_->last; node != nullptr; node = node->previous) release(*node);
  detail::clear_leaves(*state_);
  // Tapes end in the reverse order of their making, except where one was moved to the heap: unlink it wherever it stands.
  TapeState** link = &innermost;
  while (*link != nullptr && *link != state_) link = &(*link)->outer;
  if (*link == nullptr) {
    note_end(state_, TapeState::End::of_tape);
    return;
  }
  *link = state_->outer;
  destroy(state_);
}

Tape* Tape::recording() {
  const TapeState* state = no_grad_depth == 0 ? recording_state() : nullptr;
  return state != nullptr ? state->tape : nullptr;
}
Generator* Tape::generator() const { return state_->generator; }
std::int64_t Tape::first_row() const { return state_->first_row; }
std::int64_t Tape::size() const { return state_->count; }

Var Tape::leaf(const Tensor& value) {
  check_own_thread(*state_, "Tape::leaf");
  check<DTypeError>(is_floating(value.dtype()), "Tape::leaf", "{} can't have a gradient; f32 and f64 can", value);
  auto* slot = new (state_->arena.allocate(sizeof(Slot), alignof(Slot))) Slot{};
  state_->initialise(*slot, value, nullptr);
  slot->next_leaf = state_->leaves;
  state_->leaves = slot;
  return Var(value, slot, state_->id);
}

void Tape::backward(const Var& output, BackwardOptions options) {
  check_defined(output);
  check<ShapeError>(
      output.numel() == 1, "backward",
      "the output has shape {}; only one element can be differentiated, so reduce it (sum, mean) or pass the gradient",
      output.shape());
  backward(output, Var(Tensor::ones(output.shape(), output.dtype())), options);
}

void Tape::backward(const Var& output, const Var& gradient, BackwardOptions options) {
  check_own_thread(*state_, "backward");
  check_defined(output);
  check<TapeError>(gradient.defined(), "backward", "the gradient is undefined: it was made by default, or moved from");
  check<TapeError>(output.requires_grad(), "backward",
                   "the output doesn't depend on any leaf or parameter of a tape: it was computed without one or under NoGrad "
                   "(make the Tape, "
                   "a named variable, before the forward pass)");
  if (output.tape() != state_->id) detail::foreign("backward", output.tape());
  check<ShapeError>(gradient.shape() == output.shape(), "backward", "the gradient has shape {}, the output {}",
                    gradient.shape(), output.shape());
  check<TapeError>(!options.create_graph || recording() == this, "backward",
                   "create_graph records on this tape, but it isn't the one recording (an inner tape or NoGrad is alive)");
  if (detail::anomaly_guards > 0) [[unlikely]]
    detail::check_given_gradient("backward", gradient);
  const detail::RunningPass running(*state_, "backward");
  detail::clear_leaves(*state_);
  try {
    detail::accumulate(*output.slot(), gradient, options.create_graph);
    detail::run_rules(*state_, output.slot()->node, nullptr, options);
    const detail::NoGradUnless mode(options.create_graph);
    detail::finish_leaves(*state_);
    // All before any is changed: a parameter may have become another since it was used.
    if (!options.create_graph)
      for (Slot* leaf = state_->leaves; leaf != nullptr; leaf = leaf->next_leaf)
        if (leaf->parameter != nullptr && leaf->grad.defined()) leaf->parameter->check_gradient(leaf->grad.value());
  } catch (...) {
    detail::clear_gradients(*state_, nullptr);
    detail::clear_leaves(*state_);
    throw;
  }
  if (options.create_graph) return;
  for (Slot* leaf = state_->leaves; leaf != nullptr; leaf = leaf->next_leaf) {
    if (leaf->parameter == nullptr || !leaf->grad.defined()) continue;
    leaf->parameter->add_grad(std::exchange(leaf->grad, Var()).value());
  }
  detail::profile_between();
}

Var Tape::grad_var(const Var& leaf) const {
  check<TapeError>(leaf.requires_grad() && leaf.tape() == state_->id && leaf.slot()->node == nullptr, "Tape::grad",
                   "only a leaf of this tape keeps its gradient; for any other variable use weft::grad(output, {{variable}})");
  if (leaf.slot()->grad.defined()) return leaf.slot()->grad;
  return Tensor::zeros(leaf.shape(), leaf.dtype());
}

NoGrad::NoGrad() { ++no_grad_depth; }
NoGrad::~NoGrad() { --no_grad_depth; }

namespace detail {

void TapeState::initialise(Slot& slot, const Tensor& value, Node* node) {
  const int rank = value.rank();
  auto* sizes = arena.allocate_array<std::int64_t>(static_cast<std::size_t>(rank));
  std::copy_n(value.shape().begin(), rank, sizes);
  slot.node = node;
  slot.sizes = sizes;
  slot.rank = static_cast<std::int8_t>(rank);
  slot.dtype = value.dtype();
}

Slot* TapeState::leaf_of(Parameter& parameter) {
  const auto place_of = [this](const Parameter* wanted) {
    std::size_t place = (reinterpret_cast<std::uintptr_t>(wanted) >> 4) * 0x9E3779B97F4A7C15u >> 32;
    for (place &= table_size - 1; table[place] != nullptr && table[place]->parameter != wanted;)
      place = (place + 1) & (table_size - 1);
    return place;
  };
  if (table_size != 0) {
    if (Slot* found = table[place_of(&parameter)]) return found;
  }
  if (2 * (table_used + 1) > table_size) {
    const std::span<Slot*> old(table, table_size);
    table_size = table_size == 0 ? 64 : 2 * table_size;
    table = arena.allocate_array<Slot*>(table_size);
    std::fill_n(table, table_size, nullptr);
    for (Slot* slot : old)
      if (slot != nullptr) table[place_of(slot->parameter)] = slot;
  }
  Slot* slot = tape->leaf(parameter.value()).slot();
  slot->parameter = &parameter;
  table[place_of(&parameter)] = slot;
  ++table_used;
  return slot;
}

// The slot keeps its place in the table, with no parameter to be found by.
void forget(const Parameter& parameter) {
  for (TapeState* tape = innermost; tape != nullptr; tape = tape->outer)
    for (std::size_t i = 0; i < tape->table_size; ++i)
      if (tape->table[i] != nullptr && tape->table[i]->parameter == &parameter) tape->table[i]->parameter = nullptr;
}

bool should_record(const char* op, std::span<const Var* const> inputs, std::span<const Var> outputs) {
  for (const Var* input : inputs)
    check<ValueError>(input != nullptr, op, "an input is a null pointer; give an undefined Var for one that isn't there");
  if (anomaly_values) [[unlikely]]
    check_values(op, inputs, outputs);
  profile_operation(op);
  if (no_grad_depth > 0 || recording_state() == nullptr) return false;
  bool wanted = false;
  for (const Var* input : inputs) {
    if (!input->requires_grad()) continue;
    if (input->tape() != innermost->id) foreign(op, input->tape());
    wanted = true;
  }
  return wanted && !innermost->dry;
}

void* append(const char* op, std::span<const Var* const> inputs, std::span<Var> outputs, const RuleType& type) {
  TapeState& tape = *innermost;
  auto* node = new (tape.arena.allocate(sizeof(Node), alignof(Node))) Node{};
  node->op = op;
  node->scope = current_scope();
  node->type = &type;
  node->input_count = static_cast<std::uint16_t>(inputs.size());
  node->output_count = static_cast<std::uint16_t>(outputs.size());
  node->inputs = tape.arena.allocate_array<Slot*>(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) node->inputs[i] = inputs[i]->slot();
  node->outputs = tape.arena.allocate_array<Slot>(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto* slot = new (node->outputs + i) Slot{};
    tape.initialise(*slot, outputs[i].value(), node);
    outputs[i] = Var(std::move(outputs[i]).value(), slot, tape.id);
  }
  node->rule = tape.arena.allocate(type.size, type.alignment);
  node->previous = tape.last;
  tape.last = node;
  ++tape.count;
  return node->rule;
}

}  // namespace detail

Var Var::scalar(double value, DType dtype) { return scalar_tensor(value, dtype); }

}  // namespace weft
