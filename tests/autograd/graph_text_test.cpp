#include <doctest/doctest.h>

#include <array>

#include "autograd/local_ops.hpp"
#include "weft/base/scope.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// Two operations in modules below one another, one outside, one with two outputs.
void record_graph(Parameter& w) {
  const Var x = Tape::recording()->leaf(Tensor::ones({2, 3}));
  Var y;
  {
    const ScopeGuard encoder(intern("model.encoder"));
    y = times(x, w);
    const ScopeGuard layer(intern("model.encoder.layers.1"));
    y = exponential(y);
  }
  std::array<Var, 2> halves = {y.value().slice(1, 0, 1), y.value().slice(1, 1, 3)};
  const std::array<const Var*, 1> from = {&y};
  record("say \"halves\"", halves, from, [](Sink&) {});
  sum_to(halves[1], {});
}

}  // namespace

TEST_CASE("a graph for Mermaid") {
  Parameter w("encoder.w", Tensor::ones({3}));
  Tape tape;
  record_graph(w);
  CHECK(tape.to_mermaid() == R"(flowchart TD
  x0(["leaf<br>f32[2, 3]"])
  x1(["encoder.w<br>f32[3]"])
  n2["say #quot;halves#quot;<br>f32[2, 1]<br>f32[2, 2]"]
  n3["sum_to<br>f32[]"]
  subgraph m0 ["model.encoder"]
    n0["times<br>f32[2, 3]"]
    subgraph m1 ["model.encoder.layers.1"]
      n1["exponential<br>f32[2, 3]"]
    end
  end
  x0 --> n0
  x1 --> n0
  n0 --> n1
  n1 --> n2
  n2 -->|"output 1"| n3
)");
}

TEST_CASE("a graph for Graphviz") {
  Parameter w("encoder.w", Tensor::ones({3}));
  Tape tape;
  record_graph(w);
  CHECK(tape.to_dot() == R"(digraph tape {
  node [shape=box];
  x0 [label="leaf\nf32[2, 3]", shape=ellipse];
  x1 [label="encoder.w\nf32[3]", shape=ellipse];
  n2 [label="say \"halves\"\nf32[2, 1]\nf32[2, 2]"];
  n3 [label="sum_to\nf32[]"];
  subgraph cluster_0 { label="model.encoder";
    n0 [label="times\nf32[2, 3]"];
    subgraph cluster_1 { label="model.encoder.layers.1";
      n1 [label="exponential\nf32[2, 3]"];
    }
  }
  x0 -> n0;
  x1 -> n0;
  n0 -> n1;
  n1 -> n2;
  n2 -> n3 [label="output 1"];
}
)");
}

TEST_CASE("the graph of nothing, and of a leaf that nothing uses") {
  Tape tape;
  CHECK(tape.to_mermaid() == "flowchart TD\n");
  CHECK(tape.to_dot() == "digraph tape {\n  node [shape=box];\n}\n");
  tape.leaf(vector({1}));
  CHECK(tape.to_mermaid() == "flowchart TD\n  x0([\"leaf<br>f64[1]\"])\n");
}
