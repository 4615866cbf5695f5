#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tape_state.hpp"

namespace weft {
namespace {

using detail::Node;
using detail::Slot;
using detail::TapeState;

std::string describe(const Slot& slot) { return fmt::format("{}{}", name_of(slot.dtype), slot.shape().str()); }

// A module's box: the operations that ran in it, and boxes inside.
struct Box {
  std::string path;
  std::vector<std::string> nodes;  // lines of text
  std::vector<Box*> inside;
};

// How a form of text writes its parts.
struct Form {
  const char *begin, *end;
  const char* line_break;                                                // within a label
  std::string (*quote)(std::string text);                                // a label's text between quotation marks
  std::string (*leaf)(const std::string& id, const std::string& label);  // labels are quoted
  std::string (*node)(const std::string& id, const std::string& label);
  std::string (*edge)(const std::string& from, const std::string& to, const std::string& label);
  std::string (*box)(int number, const std::string& label);
  const char* box_end;
};

std::string replace_all(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

constexpr Form mermaid = {
    .begin = "flowchart TD\n",
    .end = "",
    .line_break = "<br>",
    .quote = [](std::string text) { return replace_all(std::move(text), "\"", "#quot;"); },
    .leaf = [](const std::string& id, const std::string& label) { return fmt::format("{}([\"{}\"])", id, label); },
    .node = [](const std::string& id, const std::string& label) { return fmt::format("{}[\"{}\"]", id, label); },
    .edge =
        [](const std::string& from, const std::string& to, const std::string& label) {
          return label.empty() ? fmt::format("{} --> {}", from, to) : fmt::format("{} -->|\"{}\"| {}", from, label, to);
        },
    .box = [](int number, const std::string& label) { return fmt::format("subgraph m{} [\"{}\"]", number, label); },
    .box_end = "end",
};

constexpr Form dot = {
    .begin = "digraph tape {\n  node [shape=box];\n",
    .end = "}\n",
    .line_break = "\\n",
    .quote = [](std::string text) { return replace_all(replace_all(std::move(text), "\\", "\\\\"), "\"", "\\\""); },
    .leaf = [](const std::string& id,
               const std::string& label) { return fmt::format("{} [label=\"{}\", shape=ellipse];", id, label); },
    .node = [](const std::string& id, const std::string& label) { return fmt::format("{} [label=\"{}\"];", id, label); },
    .edge =
        [](const std::string& from, const std::string& to, const std::string& label) {
          return label.empty() ? fmt::format("{} -> {};", from, to) : fmt::format("{} -> {} [label=\"{}\"];", from, to, label);
        },
    .box = [](int number,
              const std::string& label) { return fmt::format("subgraph cluster_{} {{ label=\"{}\";", number, label); },
    .box_end = "}",
};

class Writer {
 public:
  explicit Writer(const Form& form) : form_(form) {}

  std::string write(const TapeState& tape) {
    std::vector<const Slot*> leaves;
    for (const Slot* leaf = tape.leaves; leaf != nullptr; leaf = leaf->next_leaf) leaves.push_back(leaf);
    std::vector<const Node*> nodes;
    for (const Node* node = tape.last; node != nullptr; node = node->previous) nodes.push_back(node);
    std::reverse(leaves.begin(), leaves.end());
    std::reverse(nodes.begin(), nodes.end());
    for (const Slot* leaf : leaves) add_leaf(*leaf);
    for (const Node* node : nodes) add_node(*node);
    text_ = form_.begin;
    write(*box_of(""), 1);
    for (const std::string& edge : edges_) text_ += fmt::format("  {}\n", edge);
    return text_ + form_.end;
  }

 private:
  struct Place {
    std::string id, label;  // the label of edges that start there
  };

  void add_leaf(const Slot& leaf) {
    const std::string id = fmt::format("x{}", leaves_++);
    const std::string name = leaf.parameter != nullptr ? leaf.parameter->name() : "leaf";
    box_of("")->nodes.push_back(form_.leaf(id, form_.quote(name) + form_.line_break + describe(leaf)));
    places_[&leaf] = {id, ""};
  }

  void add_node(const Node& node) {
    const std::string id = fmt::format("n{}", nodes_++);
    std::string label = form_.quote(node.op);
    for (int i = 0; i < node.output_count; ++i) {
      label += form_.line_break + describe(node.outputs[i]);
      places_[&node.outputs[i]] = {id, node.output_count > 1 ? fmt::format("output {}", i) : ""};
    }
    box_of(node.scope)->nodes.push_back(form_.node(id, label));
    for (int i = 0; i < node.input_count; ++i) {
      const auto from = places_.find(node.inputs[i]);
      if (from != places_.end()) edges_.push_back(form_.edge(from->second.id, id, from->second.label));
    }
  }

  // "a.b" stands inside of "a".
  Box* box_of(const std::string& path) {
    const auto found = boxes_.find(path);
    if (found != boxes_.end()) return found->second;
    Box* box = &all_boxes_.emplace_back(Box{path, {}, {}});
    boxes_[path] = box;
    if (path.empty()) return box;
    const std::size_t dot_at = path.rfind('.');
    box_of(dot_at == std::string::npos ? "" : path.substr(0, dot_at))->inside.push_back(box);
    return box;
  }

  void write(const Box& box, int depth) {
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    for (const std::string& node : box.nodes) text_ += fmt::format("{}{}\n", indent, node);
    for (const Box* inner : box.inside) {
      // A module that ran nothing itself and holds one other is shown as part of that one's path.
      while (inner->nodes.empty() && inner->inside.size() == 1) inner = inner->inside[0];
      text_ += fmt::format("{}{}\n", indent, form_.box(written_++, form_.quote(inner->path)));
      write(*inner, depth + 1);
      text_ += fmt::format("{}{}\n", indent, form_.box_end);
    }
  }

  const Form& form_;
  std::string text_;
  std::map<const Slot*, Place> places_;
  std::map<std::string, Box*> boxes_;
  std::deque<Box> all_boxes_;
  std::vector<std::string> edges_;
  int leaves_ = 0, nodes_ = 0, written_ = 0;
};

}  // namespace

std::string Tape::to_mermaid() const { return Writer(mermaid).write(*state_); }
std::string Tape::to_dot() const { return Writer(dot).write(*state_); }

}  // namespace weft
