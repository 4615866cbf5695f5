#include "weft/train/language_model_task.hpp"

#include <boost/crc.hpp>

#include "base/fail.hpp"
#include "weft/ops/loss.hpp"

namespace weft {
namespace {

constexpr const char* where = "LanguageModelTask";

std::string checksum(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return fmt::format("{} bytes, crc32 {:08x}", text.size(), crc.checksum());
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
  for (const auto* ids : {&train_, &validation_}) seq2seq::TextWindows(*ids, options.rows, options.window);  // long enough?
}

std::int64_t LanguageModelTask::begin_epoch(std::int64_t epoch) {
  const auto spare = static_cast<std::int64_t>(train_.size()) - options_.rows - 1;
  const std::int64_t shift = epoch * (options_.window / 2 + 1) % options_.window;
  windows_.emplace(train_, options_.rows, options_.window, std::min(shift, spare));
  return windows_->count();
}

StepLoss LanguageModelTask::step(std::int64_t index) {
  if (index == 0) state_ = {};
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

std::vector<NamedTensor> LanguageModelTask::carried() const {
  if (!state_.h.defined()) return {};
  return {{"h", state_.h.value()}, {"c", state_.c.value()}};
}

void LanguageModelTask::carry(std::span<const NamedTensor> carried) {
  state_ = {};
  for (const auto& [name, tensor] : carried) (name == "h" ? state_.h : state_.c) = Var(tensor);
}

}  // namespace weft
