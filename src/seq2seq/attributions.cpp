#include "weft/seq2seq/attributions.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "weft/explain/gradient_times_input.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/shape.hpp"

namespace weft::seq2seq {
namespace {

void check_evaluating(const char* op, const nn::ModuleBase& model) {
  check<ValueError>(!model.training(), op,
                    "the model is in training mode, in which what it says isn't what it will decide; call eval()");
}

/// All of every word is there.
Tensor presence_of(nn::ModuleBase& model, const Tensor& words) {
  return Tensor::ones(words.shape(), model.parameters().front()->value().dtype());
}

std::vector<double> numbers(const Tensor& x) {
  const Tensor dense = x.to(f64).contiguous();
  return {dense.data<double>(), dense.data<double>() + dense.numel()};
}

/// [rows, words] without what stands behind each sentence's end.
std::vector<std::vector<double>> by_sentence(const Tensor& shares, const Sentences& text) {
  std::vector<std::vector<double>> result;
  for (std::size_t row = 0; row < text.size(); ++row)
    result.push_back(
        numbers(shares.select(0, static_cast<std::int64_t>(row)).slice(0, 0, static_cast<std::int64_t>(text[row].size()))));
  return result;
}

}  // namespace

WordAttributions word_attributions(DocumentClassifier& model, const Sentences& text, std::int64_t label,
                                   const explain::IntegratedGradientsOptions& options) {
  check_evaluating("word_attributions", model);
  const Sentences* one = &text;
  const DocumentBatch batch = make_batch(std::span(&one, 1));
  const Tensor presence = presence_of(model, batch.words);
  const auto logit = [&](const Var& present) { return select(select(model(batch, present).output, 1, label), 0, 0); };
  WordAttributions result;
  result.gradient_times_input = by_sentence(explain::gradient_times_input(logit, presence), text);
  const explain::IntegratedGradients found = explain::integrated_gradients(logit, presence, options);
  result.integrated_gradients = by_sentence(found.attributions, text);
  result.difference = found.difference;
  double sum = 0, magnitudes = 0;
  for (const auto& sentence : result.integrated_gradients)
    for (const double each : sentence) {
      sum += each;
      magnitudes += std::abs(each);
    }
  result.gap = magnitudes > 0 ? std::abs(sum - found.difference) / magnitudes : 0;
  return result;
}

std::vector<double> context_attributions(LanguageModel& model, std::span<const std::int32_t> ids) {
  check_evaluating("context_attributions", model);
  check<ValueError>(ids.size() >= 2, "context_attributions", "{} tokens; one and another behind it are needed", ids.size());
  const auto steps = static_cast<std::int64_t>(ids.size()) - 1;
  const Tensor context = Tensor::from<std::int32_t>(ids.first(ids.size() - 1), {1, steps});
  const Tensor last = Tensor::from<std::int32_t>(ids.last(1), {1});
  return numbers(explain::gradient_times_input(
      [&](const Var& present) { return -cross_entropy(select(model(context, present), 1, steps - 1), last); },
      presence_of(model, context)));
}

}  // namespace weft::seq2seq
