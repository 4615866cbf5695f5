#include "autograd/pass.hpp"

#include <algorithm>

namespace weft::detail {
namespace {

// The last node of the tape that made one of the outputs; null where leaves alone did.
Node* last_maker(const TapeState& tape, std::span<const Var> outputs) {
  const auto made = [&](const Node* node) {
    return std::any_of(outputs.begin(), outputs.end(),
                       [&](const Var& output) { return output.requires_grad() && output.slot()->node == node; });
  };
  Node* node = tape.last;
  while (node != nullptr && !made(node)) node = node->previous;
  return node;
}

// Restricts the pass to what depends on `inputs`, up to `last`.
void mark_paths(TapeState& tape, std::span<const Var> inputs, Node* last) {
  tape.target = ++tape.marks;
  for (const Var& input : inputs) input.slot()->mark = tape.target;
  PoolVector<Node*> nodes;
  for (Node* node = last; node != nullptr; node = node->previous) nodes.push_back(node);
  for (auto place = nodes.rbegin(); place != nodes.rend(); ++place) {
    const Node& node = **place;
    if (std::none_of(node.inputs, node.inputs + node.input_count, [&](const Slot* slot) { return tape.reaches(slot); }))
      continue;
    for (int i = 0; i < node.output_count; ++i) node.outputs[i].mark = tape.target;
  }
}

}  // namespace

PoolVector<Var> gradients(TapeState& tape, std::span<const Var> outputs, std::span<const Var> cotangents,
                          std::span<const Var> inputs, const BackwardOptions& options) {
  Node* last = last_maker(tape, outputs);
  PoolVector<Capture> captures;
  for (const Var& input : inputs) captures.push_back({input.slot(), Var()});
  {
    const PassAside aside(tape);
    mark_paths(tape, inputs, last);
    tape.captures = captures;
    for (const Var& input : inputs) input.slot()->watched |= by_pass;
    const auto unwatch = [&] {
      for (const Var& input : inputs) input.slot()->watched &= static_cast<std::uint8_t>(~by_pass);
    };
    try {
      for (std::size_t i = 0; i < outputs.size(); ++i)
        if (tape.reaches(outputs[i].slot())) accumulate(*outputs[i].slot(), cotangents[i], options.create_graph);
      run_rules(tape, last, nullptr, options);
      const NoGradUnless mode(options.create_graph);
      finish_leaves(tape);
    } catch (...) {
      unwatch();
      clear_gradients(tape, nullptr);
      throw;
    }
    unwatch();
  }
  PoolVector<Var> result;
  for (Capture& capture : captures) result.push_back(std::move(capture.gradient));
  return result;
}

}  // namespace weft::detail
