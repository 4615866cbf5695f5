#pragma once
#include <string>
#include <vector>

#include "weft/report/attention_map.hpp"
#include "weft/report/attention_summary.hpp"
#include "weft/seq2seq/translator.hpp"

namespace weft::seq2seq {

/// Everything that a model looks at while it translates a line, for a report's page: of an LSTM its attention to the source, by
/// head where it has several; of a Transformer, by layer and head, that and what each side looks at in itself, where its places
/// are mixed by attention, and of an encoder of several such layers the rollout. Empty for a blank line and for a model without
/// attention. `entropies` takes what layers and heads weigh. Throws as `Translator::translate`.
std::vector<report::AttentionMap> attention_maps(Translator& translator, const std::string& line, TranslateOptions options = {},
                                                 report::HeadEntropies* entropies = nullptr);

}  // namespace weft::seq2seq
