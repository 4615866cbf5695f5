#pragma once
// What a language model's page shows of a text: how unexpected each word was, what the last one hangs on, and what a
// Transformer looked at.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "weft/autograd/tape.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/report/attention_summary.hpp"
#include "weft/report/report.hpp"
#include "weft/seq2seq/attributions.hpp"
#include "weft/seq2seq/language_model.hpp"
#include "weft/text/symbols.hpp"

namespace language_model_pictures {

using namespace weft;

// The line between two ends of lines: what comes before its first symbol is known, too.
inline std::vector<std::int32_t> ids_of(const text::Symbols& symbols, const std::string& line) {
  return symbols.encode("\n" + line + "\n");
}

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The beginning of a line that has so many symbols at most.
inline std::string beginning(const text::Symbols& symbols, const std::string& line, std::int64_t most) {
  const bool by_word = symbols.unit() == text::SymbolUnit::words;
  bool inside = false;  // of a word
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool space = is_space(line[i]);
    const bool begins = by_word ? !space && !inside : (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (begins && --most < 0) return line.substr(0, i);
    inside = !space;
  }
  return line;
}

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

/// A symbol as a reader sees it.
inline std::string name_of(const text::Symbols& symbols, std::int32_t id) {
  const std::string& name = symbols.name(id);
  return name == "\n" ? "\u23ce" : name == " " ? "\u2423" : name;
}

inline std::vector<std::string> names_of(const text::Symbols& symbols, const std::vector<std::int32_t>& ids) {
  std::vector<std::string> names;
  for (const std::int32_t id : ids) names.push_back(name_of(symbols, id));
  return names;
}

/// Every layer and head over the beginning of a line; no weights where there is no attention.
inline report::AttentionMap attention(seq2seq::LanguageModel& model, const text::Symbols& symbols, const std::string& line) {
  constexpr std::size_t most = 96;  // places that a reader can tell apart
  std::vector<std::int32_t> ids = ids_of(symbols, line);
  ids.resize(std::min(ids.size(), most));
  const NoGrad nothing_recorded;
  const nn::AttentionRecorder recorder;
  model(Tensor::from<std::int32_t>(ids, {1, static_cast<std::int64_t>(ids.size())}));
  const std::vector<std::string> names = names_of(symbols, ids);
  return {.title = line,
          .rows = names,
          .columns = names,
          .weights = recorder.layers(),
          .row_axis = "read last",
          .column_axis = "looked at"};
}

/// What a line's symbols, and the end of the line before, add to the log probability of its last one.
inline report::ShadedText context(seq2seq::LanguageModel& model, const text::Symbols& symbols, const std::string& line) {
  std::vector<std::int32_t> ids = ids_of(symbols, line.substr(0, line.find_last_not_of(" \t\r") + 1));
  ids.pop_back();  // the end of the line
  report::ShadedText text;
  if (symbols.unit() == text::SymbolUnit::characters) text.between.clear();
  if (ids.size() < 2) return text;  // a line without words
  text.title = fmt::format("Before “{}”, whose probability here is {:.3g}", name_of(symbols, ids.back()),
                           std::exp(-seq2seq::token_losses(model, ids).back()));
  text.lines = {{.words = {}, .weights = seq2seq::context_attributions(model, ids)}};
  ids.pop_back();
  text.lines[0].words = names_of(symbols, ids);
  return text;
}

inline void draw_attention(report::Report& page, seq2seq::LanguageModel& model, const text::Symbols& symbols,
                           const std::vector<std::string>& lines) {
  report::HeadEntropies entropies;
  for (const std::string& line : lines) {
    const report::AttentionMap map = attention(model, symbols, line);
    if (!map.weights.defined()) return;
    if (&line == &lines.front()) page.section("What the model looks at");
    page.attention(map);
    if (map.weights.size(0) > 1) page.attention(report::rollout(map, "What reaches each place through all layers (rollout)"));
    entropies.add("the text to itself", map.weights);
  }
  entropies.draw(page);
}

inline void draw(report::Report& page, seq2seq::LanguageModel& model, const text::Symbols& symbols,
                 const std::vector<std::string>& lines) {
  page.section("What was unexpected");
  const bool by_word = symbols.unit() == text::SymbolUnit::words;
  report::ShadedText text{.title = by_word ? "Loss of each word, in nats" : "Loss of each word's characters together, in nats",
                          .lines = {}};
  for (const std::string& line : lines) text.lines.push_back(surprise(model, symbols, line));
  page.shaded_text(text);
  page.section(fmt::format("What the last {} hangs on", by_word ? "word" : "character"));
  page.text(
      "What each one before it adds to the logarithm of its probability, to first order (gradient times input): above 0 it "
      "makes the last one likelier.");
  for (const std::string& line : lines) page.shaded_text(context(model, symbols, line));
  draw_attention(page, model, symbols, lines);
}

}  // namespace language_model_pictures
