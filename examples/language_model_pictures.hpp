#pragma once
// What a language model's page shows of a text: how unexpected each word was, and what a Transformer looked at.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "weft/autograd/tape.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/report/report.hpp"
#include "weft/seq2seq/language_model.hpp"
#include "weft/text/symbols.hpp"

namespace language_model_pictures {

using namespace weft;

// The line between two ends of lines: what comes before its first symbol is known, too.
inline std::vector<std::int32_t> ids_of(const text::Symbols& symbols, const std::string& line) {
  return symbols.encode("\n" + line + "\n");
}

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// A line's words with the loss of their symbols, added up; that of the white space between them belongs to none.
inline report::ShadedLine surprise(seq2seq::LanguageModel& model, const text::Symbols& symbols, const std::string& line) {
  const std::vector<double> losses = seq2seq::token_losses(model, ids_of(symbols, line));
  const bool by_word = symbols.unit() == text::SymbolUnit::words;
  report::ShadedLine shaded;
  std::size_t symbol = 0;
  bool inside = false;
  for (const char c : line) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;  // of a code point in UTF-8
    if (is_space(c)) {
      symbol += by_word ? 0 : 1;
      inside = false;
      continue;
    }
    if (!inside) {
      shaded.words.emplace_back();
      shaded.weights.push_back(0);
    }
    if (by_word ? !inside : !continues) shaded.weights.back() += losses.at(symbol++);
    shaded.words.back() += c;
    inside = true;
  }
  return shaded;
}

/// Every layer and head of a Transformer over the beginning of a line.
inline report::AttentionMap attention(seq2seq::LanguageModel& model, const text::Symbols& symbols, const std::string& line) {
  constexpr std::size_t most = 96;  // places that a reader can tell apart
  std::vector<std::int32_t> ids = ids_of(symbols, line);
  ids.resize(std::min(ids.size(), most));
  const NoGrad nothing_recorded;
  const nn::AttentionRecorder recorder;
  model(Tensor::from<std::int32_t>(ids, {1, static_cast<std::int64_t>(ids.size())}));
  std::vector<std::string> names;
  for (const std::int32_t id : ids) names.push_back(symbols.name(id) == "\n" ? "\u23ce" : symbols.name(id));
  return {.title = line,
          .rows = names,
          .columns = names,
          .weights = recorder.layers(),
          .row_axis = "read last",
          .column_axis = "looked at"};
}

inline void draw(report::Report& page, seq2seq::LanguageModel& model, const text::Symbols& symbols,
                 const std::vector<std::string>& lines) {
  page.section("What was unexpected");
  report::ShadedText text{.title = "Loss of each word, in nats", .lines = {}};
  for (const std::string& line : lines) text.lines.push_back(surprise(model, symbols, line));
  page.shaded_text(text);
  if (model.options().kind != seq2seq::LanguageModelKind::transformer) return;
  page.section("What the model looks at");
  for (const std::string& line : lines) page.attention(attention(model, symbols, line));
}

}  // namespace language_model_pictures
