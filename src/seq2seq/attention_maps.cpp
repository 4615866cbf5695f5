#include "weft/seq2seq/attention_maps.hpp"

#include "weft/autograd/tape.hpp"
#include "weft/nn/attention_recorder.hpp"

namespace weft::seq2seq {

std::vector<report::AttentionMap> attention_maps(Translator& translator, const std::string& line, TranslateOptions options,
                                                 report::HeadEntropies* entropies) {
  Model& model = translator.model();
  options.search.attention = model.attends();
  const Translation translation = translator.translate(std::span(&line, 1), options).front();
  if (translation.source_words.empty() || !model.attends()) return {};

  // The same once more with all places at once, where layers and heads can be seen.
  const NoGrad nothing_recorded;
  const nn::AttentionRecorder recorder;
  const TokenIds *source = &translation.source_ids, *target = &translation.target_ids;
  model(make_batch(std::span(&source, 1), std::span(&target, 1)));

  std::vector<report::AttentionMap> maps;
  const auto add = [&](const char* kind, report::AttentionMap map) {
    if (!map.weights.defined()) return;  // mixing may be done without weights
    if (entropies != nullptr && map.weights.rank() == 4) entropies->add(kind, map.weights);
    maps.push_back(std::move(map));
  };
  std::vector<std::string> produced = translation.target_words, read = {"(begin)"};
  if (produced.size() == translation.target_ids.size()) produced.emplace_back("(end)");
  read.insert(read.end(), translation.target_words.begin(),
              translation.target_words.begin() + static_cast<std::ptrdiff_t>(translation.target_ids.size()));
  Tensor heads = recorder.layers("decoder.layers.", "multihead_attn");  // of a Transformer
  if (!heads.defined()) heads = recorder.steps("attention.attention");  // of an LSTM with attention::MultiHead
  add("the translation to the source", {.title = line + " → " + translation.text,
                                        .rows = heads.defined() ? produced : translation.target_words,
                                        .columns = translation.source_words,
                                        .weights = heads.defined() ? heads : translation.attention});
  const report::AttentionMap source_to_itself = {.title = "The source's attention to itself",
                                                 .rows = translation.source_words,
                                                 .columns = translation.source_words,
                                                 .weights = recorder.layers("encoder.layers.", "self_attn"),
                                                 .row_axis = "source"};
  add("the source to itself", source_to_itself);
  if (source_to_itself.weights.defined() && source_to_itself.weights.size(0) > 1)
    maps.push_back(report::rollout(source_to_itself, "What of the source reaches each place through all layers (rollout)"));
  add("the translation to itself", {.title = "The translation's attention to itself",
                                    .rows = produced,
                                    .columns = read,
                                    .weights = recorder.layers("decoder.layers.", "self_attn"),
                                    .column_axis = "so far"});
  return maps;
}

}  // namespace weft::seq2seq
