// What recompute saves and costs: forward and backward of a chain of 24 blocks x + W2 gelu(W1 norm(x)), with and without.
#include "weft/autograd/recompute.hpp"

#include <fmt/format.h>

#include <chrono>
#include <vector>

#include "weft/autograd/tape.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "work/explain.hpp"
#include "work/median.hpp"

using namespace weft;

namespace {

constexpr std::int64_t rows = 1024, size = 256;
constexpr int blocks = 24, rounds = 5;

class Block : public nn::Module<Block> {
 public:
  explicit Block(const nn::Scope& scope = {})
      : Module(scope),
        norm({.normalized_shape = size}, {this, "norm"}),
        up({.in_features = size, .out_features = 4 * size}, {this, "up"}),
        down({.in_features = 4 * size, .out_features = size}, {this, "down"}) {}
  Var forward(const Var& x) { return x + down(gelu(up(norm(x)))); }

 private:
  nn::LayerNorm norm;
  nn::Linear up, down;
};

class Chain : public nn::Module<Chain> {
 public:
  Chain() : layers({this, "layers"}) {
    for (int i = 0; i < blocks; ++i) layers.emplace();
  }
  Var forward(const Var& x, bool again) {
    Var y = x;
    for (Block& layer : layers)
      y = again ? recompute([&layer](const std::vector<Var>& in) { return layer(in[0]); }, {y}) : layer(y);
    return y;
  }

 private:
  nn::List<Block> layers;
};

struct Measurement {
  double milliseconds;  // median of a round
  double mebibytes;     // of activations, at most
};

Measurement measure(Chain& chain, bool again) {
  const Tensor x = Tensor::full({rows, size}, 0.5);
  std::vector<double> times;
  reset_peak_memory();
  for (int round = 0; round < rounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    Tape tape;
    tape.backward(mean(square(chain(x, again))));
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    chain.zero_grad();
  }
  const MemoryStatistics memory = memory_statistics();
  const MemoryUse& activations = memory.by_category[static_cast<std::size_t>(MemoryCategory::activations)];
  return {bench::median(times), static_cast<double>(activations.peak) / (1 << 20)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1)
    return bench::explain(argc, argv, "recompute prints what recomputing a chain of layers costs. It has no options.");
  Chain chain;
  const Measurement plain = measure(chain, false), again = measure(chain, true);
  fmt::print("plain      {:7.1f} ms  {:7.1f} MiB\nrecompute  {:7.1f} ms  {:7.1f} MiB\n", plain.milliseconds, plain.mebibytes,
             again.milliseconds, again.mebibytes);
  fmt::print("{:.2f} times the time, {:.2f} times less memory\n", again.milliseconds / plain.milliseconds,
             plain.mebibytes / again.mebibytes);
}
