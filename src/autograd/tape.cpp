#include "weft/autograd/tape.hpp"

#include <algorithm>
#include <atomic>

#include "autograd/tape_state.hpp"
#include "base/fail.hpp"
#include "tensor/copy.hpp"

namespace weft {

using detail::Node;
using detail::Slot;
using detail::TapeState;

namespace {

thread_local TapeState* innermost = nullptr;
thread_local int no_grad_depth = 0;
std::atomic<std::uint64_t> tapes_made{0};

bool alive(std::uint64_t id) {
  for (const TapeState* state = innermost; state != nullptr; state = state->outer)
    if (state->id == id) return true;
  return false;
}

[[noreturn]] void foreign(const char* op, std::uint64_t id) {
  if (alive(id))
    fail<TapeError>(op, "an input belongs to an outer tape; hand it in with tape.leaf(var), or use it before the inner tape");
  fail<TapeError>(op,
                  "an input belongs to a tape that is gone (or lives on another thread); use var.detach() to carry its value");
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

// Records nothing while it lives, unless the backward pass itself is wanted on the tape.
class BackwardMode {
 public:
  explicit BackwardMode(bool recording) : off_(recording ? 0 : 1) { no_grad_depth += off_; }
  ~BackwardMode() { no_grad_depth -= off_; }
  BackwardMode(const BackwardMode&) = delete;
  BackwardMode& operator=(const BackwardMode&) = delete;

 private:
  int off_;
};

void run_rules(TapeState& tape, Node* last, const BackwardOptions& options) {
  const BackwardMode mode(options.create_graph);
  for (Node* node = last; node != nullptr; node = node->previous) {
    bool reached = false;
    for (int i = 0; i < node->output_count; ++i) {
      detail::flush(node->outputs[i]);
      reached = reached || node->outputs[i].has_grad();
    }
    if (!reached) continue;
    check<TapeError>(node->rule != nullptr, "backward",
                     "what '{}' saved was released by an earlier backward; pass {{.retain = true}} to that one", node->op);
    const ScopeGuard scope(node->scope);
    Sink sink(tape, *node, options.create_graph);
    node->type->run(node->rule, sink);
    if (!options.retain && !options.create_graph) release(*node);
    for (int i = 0; i < node->output_count; ++i) clear(node->outputs[i]);
  }
}

}  // namespace

Tape::Tape() : state_(new (detail::pool_allocate(sizeof(TapeState))) TapeState{++tapes_made, nullptr, this, innermost}) {
  innermost = state_;
}

Tape::Tape(Generator& generator) : Tape() { state_->generator = &generator; }

Tape::~Tape() {
  for (Node* node = state_->last; node != nullptr; node = node->previous) {
    release(*node);
    for (int i = 0; i < node->output_count; ++i) clear(node->outputs[i]);
  }
  for (Slot* leaf = state_->leaves; leaf != nullptr; leaf = leaf->next_leaf) clear(*leaf);
  // Tapes end in the reverse order of their making, except where one was moved to the heap: unlink it wherever it stands.
  TapeState** link = &innermost;
  while (*link != nullptr && *link != state_) link = &(*link)->outer;
  if (*link != nullptr) *link = state_->outer;
  state_->~TapeState();
  detail::pool_release(state_, sizeof(TapeState));
}

Tape* Tape::recording() { return innermost != nullptr && no_grad_depth == 0 ? innermost->tape : nullptr; }
Generator* Tape::generator() const { return state_->generator; }
std::int64_t Tape::size() const { return state_->count; }

Var Tape::leaf(const Tensor& value) {
  check<DTypeError>(is_floating(value.dtype()), "Tape::leaf", "{} can't have a gradient; f32 and f64 can", value);
  auto* slot = new (state_->arena.allocate(sizeof(Slot), alignof(Slot))) Slot{};
  state_->initialise(*slot, value, nullptr);
  slot->next_leaf = state_->leaves;
  state_->leaves = slot;
  return Var(value, slot, state_->id);
}

void Tape::backward(const Var& output, BackwardOptions options) {
  check<ShapeError>(
      output.numel() == 1, "backward",
      "the output has shape {}; only one element can be differentiated, so reduce it (sum, mean) or pass the gradient",
      output.shape());
  backward(output, Var(Tensor::ones(output.shape(), output.dtype())), options);
}

void Tape::backward(const Var& output, const Var& gradient, BackwardOptions options) {
  check<TapeError>(
      output.requires_grad(), "backward",
      "the output doesn't depend on any leaf or parameter of a tape (it was computed without one, or under NoGrad)");
  if (output.tape() != state_->id) foreign("backward", output.tape());
  check<ShapeError>(gradient.shape() == output.shape(), "backward", "the gradient has shape {}, the output {}",
                    gradient.shape(), output.shape());
  check<TapeError>(!options.create_graph || recording() == this, "backward",
                   "create_graph records on this tape, but it isn't the one recording (an inner tape or NoGrad is alive)");
  for (Slot* leaf = state_->leaves; leaf != nullptr; leaf = leaf->next_leaf) clear(*leaf);
  try {
    detail::accumulate(*output.slot(), gradient, options.create_graph);
    run_rules(*state_, output.slot()->node, options);
    for (Slot* leaf = state_->leaves; leaf != nullptr; leaf = leaf->next_leaf) detail::flush(*leaf);
  } catch (...) {
    for (Node* node = state_->last; node != nullptr; node = node->previous)
      for (int i = 0; i < node->output_count; ++i) clear(node->outputs[i]);
    for (Slot* leaf = state_->leaves; leaf != nullptr; leaf = leaf->next_leaf) clear(*leaf);
    throw;
  }
  if (options.create_graph) return;
  for (Slot* leaf = state_->leaves; leaf != nullptr; leaf = leaf->next_leaf) {
    if (leaf->parameter == nullptr || !leaf->grad.defined()) continue;
    leaf->parameter->add_grad(std::exchange(leaf->grad, Var()).value());
  }
}

Var Tape::grad_var(const Var& leaf) const {
  check<TapeError>(leaf.requires_grad() && leaf.tape() == state_->id && leaf.slot()->node == nullptr, "Tape::grad",
                   "only a leaf of this tape keeps its gradient");
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
  slot.rank = rank;
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

bool should_record(const char* op, std::span<const Var* const> inputs) {
  if (innermost == nullptr || no_grad_depth > 0) return false;
  bool wanted = false;
  for (const Var* input : inputs) {
    if (!input->requires_grad()) continue;
    if (input->tape() != innermost->id) foreign(op, input->tape());
    wanted = true;
  }
  return wanted;
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
