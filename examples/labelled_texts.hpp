#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "left_out.hpp"
#include "made_reviews.hpp"
#include "run_notes.hpp"
#include "trainer_settings.hpp"
#include "weft/base/error.hpp"
#include "weft/data/documents.hpp"
#include "weft/seq2seq/text_classifier.hpp"

/// Texts of known classes, and those of them that a classifier's run hasn't seen.
namespace labelled_texts {

using namespace weft;

/// The classes that none of the texts is of, with a comma between; "" where there is none.
inline std::string classes_without(const std::vector<std::string>& classes, const std::vector<data::Document>& texts) {
  std::vector<std::string> missing;
  for (std::size_t label = 0; label < classes.size(); ++label)
    if (std::none_of(texts.begin(), texts.end(),
                     [&](const data::Document& text) { return static_cast<std::size_t>(text.label) == label; }))
      missing.push_back(classes[label]);
  return fmt::format("{}", fmt::join(missing, ", "));
}

inline data::LabelledDocuments read_data(const std::string& folder) {
  data::LabelledDocuments documents = data::read_documents(folder);
  // Lines that aren't blank may have no words all the same: "<skipped>".
  std::erase_if(documents.documents, [&](const data::Document& document) {
    if (!seq2seq::sentence_words(document.sentences, 1).empty()) return false;
    documents.left_out.push_back(fmt::format("{}/{}/{} has no words", folder,
                                             documents.classes[static_cast<std::size_t>(document.label)], document.name));
    return true;
  });
  if (const std::string missing = classes_without(documents.classes, documents.documents); !missing.empty())
    throw FormatError(fmt::format("{} has no texts with words of the class {}", folder, missing));
  say_left_out("sentiment", documents.left_out, documents.left_out.size() + documents.documents.size());
  return documents;
}

/// The folder's, or generated ones.
inline data::LabelledDocuments data_for(bool quick, const std::string& folder) {
  if (!quick) return read_data(trainer_settings::required(folder, "data"));
  trainer_settings::refuse_data(folder, "data");
  return made_reviews();
}

inline std::vector<data::Document> chosen(const data::LabelledDocuments& all, const std::vector<std::size_t>& places) {
  std::vector<data::Document> documents;
  for (const std::size_t place : places) documents.push_back(all.documents[place]);
  return documents;
}

inline std::vector<seq2seq::Sentences> encoded(const seq2seq::TextClassifier& classifier,
                                               const std::vector<data::Document>& texts) {
  std::vector<seq2seq::Sentences> result;
  for (const data::Document& text : texts) result.push_back(classifier.encode(classifier.words(text.sentences)));
  return result;
}

/// The texts that a run kept for evaluation, or all.
inline std::vector<data::Document> texts_for(const seq2seq::TextClassifier& classifier, const data::LabelledDocuments& data,
                                             bool all, const std::string& model) {
  if (classifier.vocabulary().classes != data.classes)
    throw FormatError(fmt::format("{} knows the classes {}, the data have {}", model,
                                  fmt::join(classifier.vocabulary().classes, ", "), fmt::join(data.classes, ", ")));
  if (all) return data.documents;
  data::DocumentSplitOptions split;
  run_notes::read_number(model, classifier.loaded(), "folds", split.folds);
  run_notes::read_number(model, classifier.loaded(), "fold", split.fold);
  if (split.fold == 0)
    throw ValueError(fmt::format("{} kept no texts for evaluation (train with --fold); --all scores all of the data", model));
  std::vector<data::Document> kept = chosen(data, data::split_documents(data, split).test);
  const auto sum = classifier.loaded().find("kept");  // older runs have none
  if (kept.empty() || (sum != classifier.loaded().end() && sum->second != data::checksum(kept)))
    throw FormatError(
        fmt::format("{} kept other texts for evaluation than fold {} of {} of these data: it learned from others, or they have "
                    "changed; --all scores all of them",
                    model, split.fold, split.folds));
  if (const std::string missing = classes_without(data.classes, kept); !missing.empty())
    fmt::print(stderr, "sentiment: {}: fold {} of {} has no text of the class {}\n", model, split.fold, split.folds, missing);
  return kept;
}

}  // namespace labelled_texts
