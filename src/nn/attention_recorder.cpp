#include "weft/nn/attention_recorder.hpp"

#include <utility>

#include "weft/nn/module.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn {
namespace {

thread_local AttentionRecorder* innermost = nullptr;

}  // namespace

AttentionRecorder::AttentionRecorder() : outer_(std::exchange(innermost, this)) {}
AttentionRecorder::~AttentionRecorder() { innermost = outer_; }

Tensor AttentionRecorder::layers(std::string_view within, std::string_view name) const { return joined(within, name, 0); }
Tensor AttentionRecorder::steps(std::string_view name) const { return joined("", name, 2); }

Tensor AttentionRecorder::joined(std::string_view within, std::string_view name, int axis) const {
  PoolVector<Var> weights;
  for (const Call& call : calls_)
    if (call.module.find(within) != std::string::npos && call.module.ends_with(name)) weights.push_back(call.weights);
  return weights.empty() ? Tensor() : concat(weights, axis).value();
}

bool AttentionRecorder::alive() { return innermost != nullptr; }

void AttentionRecorder::record(const ModuleBase& module, const Tensor& weights) {
  for (AttentionRecorder* recorder = innermost; recorder != nullptr; recorder = recorder->outer_)
    recorder->calls_.push_back({module.path(), weights});
}

}  // namespace weft::nn
