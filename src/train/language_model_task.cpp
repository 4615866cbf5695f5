#include "weft/train/language_model_task.hpp"

#include <boost/crc.hpp>
#include <cmath>

#include "base/fail.hpp"
#include "kernels/finite.hpp"
#include "weft/ops/loss.hpp"

namespace weft {
namespace {

constexpr const char* where = "LanguageModelTask";

std::string checksum(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return fmt::format("{} bytes, crc32 {:08x}", text.size(), crc.checksum());
}

// A step that isn't finite may be skipped; the state that it leaves must not spoil those that follow.
bool is_spoilt(const LSTMState& state) {
  const auto spoilt = [](const Var& x) { return x.defined() && kernels::non_finite(x.value()).count > 0; };
  return spoilt(state.h) || spoilt(state.c);
}

}  // namespace

LanguageModelTask::LanguageModelTask(seq2seq::LanguageModel& model, const text::Symbols& symbols, std::string_view train,
                                     std::string_view validation, const LanguageModelTaskOptions& options)
    : model_(model),
      symbols_(symbols),
      options_(options),
      train_(symbols.encode(train)),
      validation_(symbols.encode(validation)),
      settings_({{"training_text", checksum(train)},
                 {"validation_text", checksum(validation)},
                 {"rows", fmt::to_string(options.rows)},
                 {"window", fmt::to_string(options.window)}}) {
  check<ValueError>(symbols.size() == model.options().vocabulary, where, "{} symbols don't fit a model of {}", symbols.size(),
                    model.options().vocabulary);
  const auto check_length = [&](std::span<const std::int32_t> ids, const char* name) {
    check<ValueError>(static_cast<std::int64_t>(ids.size()) > options.rows, where,
                      "the {} text has {} tokens, too few for {} rows: {} are needed, or fewer rows", name, ids.size(),
                      options.rows, options.rows + 1);
    seq2seq::TextWindows(ids, options.rows, options.window);  // the options are sound
  };
  check_length(train_, "training");
  check_length(validation_, "held-out");
}

std::int64_t LanguageModelTask::begin_epoch(std::int64_t epoch) {
  const auto spare = static_cast<std::int64_t>(train_.size()) - options_.rows - 1;
  // A golden section of the window further each time: early epochs lie far apart, and none falls on the one before.
  const double turns = static_cast<double>(epoch) * 0.6180339887498949;
  const auto shift = static_cast<std::int64_t>((turns - std::floor(turns)) * static_cast<double>(options_.window));
  windows_.emplace(train_, options_.rows, options_.window, std::min(shift, spare));
  return windows_->count();
}

StepLoss LanguageModelTask::step(std::int64_t index) {
  check<ValueError>(windows_.has_value(), where, "step {} comes before begin_epoch", index);
  if (index == 0 || is_spoilt(state_)) state_ = {};
  const Tensor targets = windows_->targets(index);
  const Var loss = cross_entropy(model_(windows_->inputs(index), state_), targets);
  return {loss, targets.numel(), targets.numel()};
}

ValidationResult LanguageModelTask::validate() {
  return {.loss = seq2seq::language_model_loss(model_, validation_, options_.rows, options_.window)};
}

Metadata LanguageModelTask::metadata() const {
  return {{"language_model", seq2seq::to_json(model_.options())}, {"symbols", symbols_.to_json()}};
}

StateDict LanguageModelTask::carried() const {
  StateDict result;
  if (state_.h.defined()) result.push_back({"h", state_.h.value()});
  if (state_.c.defined()) result.push_back({"c", state_.c.value()});  // a GRU has none
  return result;
}

void LanguageModelTask::carry(const StateDict& carried) {
  state_ = {};
  for (const auto& [name, tensor] : carried) (name == "h" ? state_.h : state_.c) = Var(tensor);
}

}  // namespace weft
