#include "weft/nn/attention_recorder.hpp"

#include <utility>

#include "weft/nn/module.hpp"

namespace weft::nn {
namespace {

thread_local AttentionRecorder* innermost = nullptr;

}  // namespace

AttentionRecorder::AttentionRecorder() : outer_(std::exchange(innermost, this)) {}
AttentionRecorder::~AttentionRecorder() { innermost = outer_; }

bool AttentionRecorder::alive() { return innermost != nullptr; }

void AttentionRecorder::record(const ModuleBase& module, const Tensor& weights) {
  for (AttentionRecorder* recorder = innermost; recorder != nullptr; recorder = recorder->outer_)
    recorder->calls_.push_back({module.path(), weights});
}

}  // namespace weft::nn
