#include "weft/seq2seq/document_classifier.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/shape.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "DocumentClassifier";
constexpr const char* encoder_names[] = {"gru", "lstm", "conv", "none"};

template <class Kind, std::size_t count>
const char* name_of(const char* const (&names)[count], Kind kind) {
  return names[static_cast<std::size_t>(kind)];
}

template <class Kind, std::size_t count>
Kind parse(const char* const (&names)[count], const char* what, const std::string& name) {
  const auto* found = std::find(std::begin(names), std::end(names), name);
  check<ValueError>(found != std::end(names), where, "'{}' is no {}", name, what);
  return static_cast<Kind>(found - std::begin(names));
}

nlohmann::ordered_json json_of(const DocumentLevelOptions& o) {
  return {{"encoder", name_of(encoder_names, o.encoder)},
          {"hidden", o.hidden},
          {"kernel_size", o.kernel_size},
          {"join_input", o.join_input}};
}

DocumentLevelOptions level_of(const nlohmann::json& json) {
  return {.encoder = parse_encoder(json.at("encoder")),
          .hidden = json.at("hidden"),
          .kernel_size = json.at("kernel_size"),
          .join_input = json.at("join_input")};
}

DocumentClassifierOptions checked(const DocumentClassifierOptions& o) {
  check<ValueError>(o.vocabulary > 0 && o.classes >= 2 && o.embedding > 0 && o.embedding_deviation >= 0, where,
                    "vocabulary {}, {} classes, embedding {}, its deviation {}: one word, two classes and a positive size at "
                    "least, no negative deviation",
                    o.vocabulary, o.classes, o.embedding, o.embedding_deviation);
  return o;
}

nn::attention::EncodedPoolingOptions level_options(const DocumentClassifierOptions& o, const DocumentLevelOptions& level,
                                                   std::int64_t input_size) {
  return {.input_size = input_size,
          .hidden = level.hidden,
          .encoder = level.encoder,
          .kernel_size = level.kernel_size,
          .join_input = level.join_input,
          .normaliser = o.normaliser};
}

void check_batch(const DocumentBatch& batch) {
  check<ValueError>(batch.words.defined() && batch.lengths.defined() && batch.sentences.defined(), where,
                    "the batch's words, lengths and sentences are needed; one of them is undefined");
  check<ShapeError>(batch.words.rank() == 2 && batch.lengths.shape() == Shape{batch.words.size(0)}, where,
                    "words {} with lengths {} are not [rows, words] with [rows]", batch.words, batch.lengths);
  check<ShapeError>(batch.sentences.rank() == 1 && batch.sentences.numel() > 0, where, "sentences {} are not [documents]",
                    batch.sentences);
  check<DTypeError>(batch.sentences.dtype() == i64 && batch.sentences.is_contiguous(), where, "sentences {} are not dense i64",
                    batch.sentences);
  const std::int64_t* counts = batch.sentences.data<std::int64_t>();
  std::int64_t rows = 0;
  for (std::int64_t i = 0; i < batch.sentences.numel(); ++i) {
    check<ValueError>(counts[i] >= 1, where, "document {} has {} sentences; one at least is needed", i, counts[i]);
    rows += counts[i];
  }
  check<ShapeError>(rows == batch.words.size(0), where, "the documents have {} sentences in all, the words {} are of {}", rows,
                    batch.words, batch.words.size(0));
}

/// Rows of all documents [rows, size] as [documents, most, size], zeros behind each document's sentences.
Var by_document(const Var& rows, const Tensor& sentences) {
  const std::int64_t documents = sentences.numel(), size = rows.size(1), *count = sentences.data<std::int64_t>();
  const std::int64_t most = *std::max_element(count, count + documents);
  Tensor places = Tensor::empty({rows.size(0)}, i64);
  std::int64_t* place = places.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < documents; ++i)
    for (std::int64_t j = 0; j < count[i]; ++j) *place++ = i * most + j;
  const Tensor nothing = Tensor::zeros({documents * most, size}, rows.dtype());
  return reshape(index_add(nothing, 0, places, rows), {documents, most, size});
}

}  // namespace

nn::attention::SequenceEncoder parse_encoder(const std::string& name) {
  return parse<nn::attention::SequenceEncoder>(encoder_names, "encoder; gru, lstm, conv and none are", name);
}

std::string to_json(const DocumentClassifierOptions& o) {
  return nlohmann::ordered_json{{"vocabulary", o.vocabulary},        {"classes", o.classes},
                                {"embedding", o.embedding},          {"words", json_of(o.words)},
                                {"sentences", json_of(o.sentences)}, {"normaliser", nn::name_of(o.normaliser)},
                                {"word_dropout", o.word_dropout},    {"dropout", o.dropout}}
      .dump();
}

DocumentClassifierOptions document_classifier_options_of(const std::string& json, const std::string& source) {
  try {
    const auto o = nlohmann::json::parse(json);
    DocumentClassifierOptions result;
    result.vocabulary = o.at("vocabulary");
    result.classes = o.at("classes");
    result.embedding = o.at("embedding");
    result.words = level_of(o.at("words"));
    result.sentences = level_of(o.at("sentences"));
    result.normaliser = nn::normaliser_of(o.at("normaliser"));
    result.word_dropout = o.at("word_dropout");
    result.dropout = o.at("dropout");
    return result;
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a document classifier ({})", source, error.what());
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a document classifier ({})", source, error.what());
  }
}

DocumentBatch make_batch(std::span<const Sentences* const> documents) {
  check<ValueError>(!documents.empty(), "make_batch", "no documents to make a batch of");
  std::vector<const TokenIds*> rows;
  Tensor counts = Tensor::empty({static_cast<std::int64_t>(documents.size())}, i64);
  auto* count = counts.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < documents.size(); ++i) {
    check<ValueError>(!documents[i]->empty(), "make_batch", "document {} has no sentences", i);
    for (const TokenIds& sentence : *documents[i]) rows.push_back(&sentence);
    *count++ = static_cast<std::int64_t>(documents[i]->size());
  }
  Padded padded = pad(rows);
  return {std::move(padded.ids), std::move(padded.lengths), std::move(counts)};
}

DocumentClassifier::DocumentClassifier(const DocumentClassifierOptions& o, const nn::Scope& scope)
    : Module(scope),
      options_(checked(o)),
      embedding_({.num_embeddings = o.vocabulary,
                  .embedding_dim = o.embedding,
                  .weight_init = nn::init::normal(0, o.embedding_deviation)},
                 {this, "embedding"}),
      word_dropout_({.p = o.word_dropout}, {this, "word_dropout"}),
      dropout_({.p = o.dropout}, {this, "dropout"}),
      words_(level_options(o, o.words, o.embedding), {this, "words"}),
      sentences_(level_options(o, o.sentences, words_.output_size()), {this, "sentences"}),
      output_({.in_features = sentences_.output_size(), .out_features = o.classes}, {this, "output"}) {}

// Words are dropped as if the batch were one row, so that a word that goes is gone from all of it.
Var DocumentClassifier::embedded(const Tensor& words, const Var& presence) {
  const std::int64_t places = words.numel(), size = options_.embedding;
  Var vectors = embedding_(words);
  if (presence.defined()) {
    check<ShapeError>(presence.shape() == words.shape(), where, "presence {} is not one number for each of the words {}",
                      presence.value(), words);
    vectors = vectors * unsqueeze(presence, 2);
  }
  const Var all = reshape(vectors, {1, places, size});
  return dropout_(reshape(word_dropout_(all, words.reshape({1, places})), {words.size(0), words.size(1), size}));
}

DocumentOutput DocumentClassifier::forward(const DocumentBatch& batch, const Var& presence) {
  check_batch(batch);
  const nn::attention::PoolingOutput sentences = words_(embedded(batch.words, presence), batch.lengths);
  const nn::attention::PoolingOutput documents =
      sentences_(by_document(dropout_(sentences.context), batch.sentences), batch.sentences);
  return {output_(dropout_(documents.context)), documents.weights, sentences.weights};
}

}  // namespace weft::seq2seq
