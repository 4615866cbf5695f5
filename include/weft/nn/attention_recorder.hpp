#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::nn {

class ModuleBase;

/// Keeps the weights of every MultiheadAttention, SparseSelfAttention and GatedAttentionUnit (one head) that is called on this
/// thread while it lives, of any layer of any model, whether its caller asks for them or not:
///   const NoGrad nothing_recorded;
///   AttentionRecorder recorder;
///   model(batch);
///   recorder.calls().back().weights;  // of the last layer, each head
/// The weights are made as a whole then, which long sequences feel; outputs stay as they are, to the bit, and a tape keeps
/// nothing of them. Recorders end in the reverse order of their making.
class AttentionRecorder {
 public:
  struct Call {
    std::string module;  ///< path: "encoder.layers.0.self_attn"
    Tensor weights;      ///< [batch, heads, queries, keys], before dropout
  };

  AttentionRecorder();
  ~AttentionRecorder();
  AttentionRecorder(const AttentionRecorder&) = delete;
  AttentionRecorder& operator=(const AttentionRecorder&) = delete;

  /// In the order of the calls.
  const std::vector<Call>& calls() const { return calls_; }
  /// What was weighed for one row by the modules whose paths hold `within` and end in `name`, layer by layer: [layers, heads,
  /// queries, keys]; undefined where there are none. Throws ShapeError where heads, queries or keys differ.
  Tensor layers(std::string_view within = {}, std::string_view name = {}) const;
  /// The same of a module that is called step by step: [1, heads, queries of all steps, keys].
  Tensor steps(std::string_view name) const;

  // For these modules.
  static bool alive();
  static void record(const ModuleBase& module, const Tensor& weights);

 private:
  Tensor joined(std::string_view within, std::string_view name, int axis) const;

  AttentionRecorder* outer_;
  std::vector<Call> calls_;
};

}  // namespace weft::nn
