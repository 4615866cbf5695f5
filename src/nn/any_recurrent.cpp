#include "weft/nn/any_recurrent.hpp"

#include "base/fail.hpp"
#include "base/named.hpp"

namespace weft::nn {
namespace {

void check_no_c(const char* type, const LSTMState& state) {
  check<ValueError>(!state.c.defined(), type, "the state has a c {}, which is an LSTM's; a GRU has h alone", state.c.value());
}

}  // namespace

std::string name_of(RecurrentKind kind) { return recurrent_names[static_cast<std::size_t>(kind)]; }

RecurrentKind recurrent_kind(const std::string& name) {
  return named<RecurrentKind>(recurrent_names, "recurrent_kind", "recurrent network", name);
}

AnyRecurrent::AnyRecurrent(RecurrentKind kind, const RecurrentOptions& options, const Scope& scope) {
  if (kind == RecurrentKind::lstm)
    lstm_.emplace(options, scope);
  else
    gru_.emplace(options, scope);
}

LSTMOutput AnyRecurrent::operator()(const Var& x, const Tensor& lengths, const LSTMState& initial) {
  if (lstm_) return (*lstm_)(x, lengths, initial);
  check_no_c("GRU", initial);
  GRUOutput result = (*gru_)(x, lengths, initial.h);
  return {std::move(result.output), std::move(result.h), {}};
}

AnyRecurrentCell::AnyRecurrentCell(RecurrentKind kind, const RecurrentCellOptions& options, const Scope& scope) {
  if (kind == RecurrentKind::lstm)
    lstm_.emplace(options, scope);
  else
    gru_.emplace(options, scope);
}

LSTMState AnyRecurrentCell::operator()(const Var& x, const LSTMState& state) {
  if (lstm_) return (*lstm_)(x, state);
  check_no_c("GRUCell", state);
  return {(*gru_)(x, state.h), {}};
}

}  // namespace weft::nn
