#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "weft/nn/gru.hpp"
#include "weft/nn/lstm.hpp"

namespace weft::nn {

enum class RecurrentKind : std::uint8_t { lstm, gru };

/// As checkpoints and command lines have them, in the order of the kinds.
inline constexpr std::array recurrent_names = {"lstm", "gru"};
std::string name_of(RecurrentKind kind);
/// Throws ValueError that lists the names for another one.
RecurrentKind recurrent_kind(const std::string& name);

/// Layers of LSTM or GRU, as an option says. It is no module itself: the LSTM or GRU is, and has the scope's name. States are
/// an LSTM's; a GRU's have no c.
class AnyRecurrent {
 public:
  AnyRecurrent(RecurrentKind kind, const RecurrentOptions& options, const Scope& scope);

  /// As LSTM::forward and GRU::forward. Throws ValueError where a GRU is given a c.
  LSTMOutput operator()(const Var& x, const Tensor& lengths = {}, const LSTMState& initial = {});

 private:
  std::optional<LSTM> lstm_;
  std::optional<GRU> gru_;
};

/// One step of either.
class AnyRecurrentCell {
 public:
  AnyRecurrentCell(RecurrentKind kind, const RecurrentCellOptions& options, const Scope& scope);

  /// As LSTMCell::forward and GRUCell::forward. Throws ValueError where a GRU is given a c.
  LSTMState operator()(const Var& x, const LSTMState& state = {});

 private:
  std::optional<LSTMCell> lstm_;
  std::optional<GRUCell> gru_;
};

}  // namespace weft::nn
