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

Tensor AttentionRecorder::layers(std::string_view within, std::string_view name) const {
  PoolVector<Var> layers;
  for (const Call& call : calls_)
    if (call.module.find(within) != std::string::npos && call.module.ends_with(name)) layers.push_back(call.weights);
  return layers.empty() ? Tensor() : concat(layers, 0).value();
}

bool AttentionRecorder::alive() { return innermost != nullptr; }

void AttentionRecorder::record(const ModuleBase& module, const Tensor& weights) {
  for (AttentionRecorder* recorder = innermost; recorder != nullptr; recorder = recorder->outer_)
    recorder->calls_.push_back({module.path(), weights});
}

}  // namespace weft::nn
