#include "weft/seq2seq/word_reader.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "seq2seq/best_weights.hpp"
#include "weft/nn/time_distributed.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/pooling.hpp"
#include "weft/ops/shape.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "WordReader";
constexpr std::int32_t first_letter = end_id + 1;

EncoderDecoderOptions decoder_options(const WordReaderOptions& o, const text::Symbols& letters) {
  check<ValueError>(o.height >= 4 && o.width >= 4 && o.channels > 0, where,
                    "images of {} by {} pixels, {} channels; 4 pixels a side and one channel are needed", o.height, o.width,
                    o.channels);
  check<ValueError>(letters.unit() == text::SymbolUnit::characters, where, "its symbols are words; it writes characters");
  EncoderDecoderOptions options;
  options.target_vocabulary = first_letter + letters.size() - 1;  // without the unknown one, which has its own id
  options.embedding = o.embedding;
  options.hidden = o.hidden;
  options.attention = o.attention;
  options.window = o.window;
  options.heads = o.heads;
  options.normaliser = o.normaliser;
  options.recurrent = o.recurrent;
  options.dropout = o.dropout;
  return options;
}

/// Elements of an image behind both poolings.
std::int64_t pooled_size(const WordReaderOptions& o) { return 2 * o.channels * (o.height / 4) * (o.width / 4); }

}  // namespace

std::string to_json(const WordReaderOptions& o) {
  nlohmann::ordered_json json = {{"height", o.height},       {"width", o.width},   {"channels", o.channels},
                                 {"embedding", o.embedding}, {"hidden", o.hidden}, {"attention", name_of(o.attention)},
                                 {"dropout", o.dropout}};
  // Only what isn't as it was before there was a choice: older runs go on.
  const WordReaderOptions plain;
  if (o.window != plain.window) json["window"] = o.window;
  if (o.heads != plain.heads) json["heads"] = o.heads;
  if (o.normaliser != plain.normaliser) json["normaliser"] = name_of(o.normaliser);
  if (o.recurrent != plain.recurrent) json["recurrent"] = name_of(o.recurrent);
  return json.dump();
}

WordReaderOptions word_reader_options_of(const std::string& json, const std::string& source) {
  try {
    const auto o = nlohmann::json::parse(json);
    const WordReaderOptions plain;
    return {.height = o.at("height"),
            .width = o.at("width"),
            .channels = o.at("channels"),
            .embedding = o.at("embedding"),
            .hidden = o.at("hidden"),
            .attention = attention_kind(o.at("attention")),
            .window = o.value("window", plain.window),
            .heads = o.value("heads", plain.heads),
            .normaliser = nn::normaliser_of(o.value("normaliser", "softmax")),
            .recurrent = nn::recurrent_kind(o.value("recurrent", "lstm")),
            .dropout = o.at("dropout")};
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a reader of words ({})", source, error.what());
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: {}", source, error.what());
  }
}

WordReader::WordReader(const WordReaderOptions& options, text::Symbols letters, const nn::Scope& scope)
    : EncoderDecoder(decoder_options(options, letters), Source::other, scope),
      reader_options_(options),
      letters_(std::move(letters)),
      first_({.in_channels = 1, .out_channels = options.channels, .kernel_size = 3, .padding = 1}, {this, "first"}),
      second_({.in_channels = options.channels, .out_channels = 2 * options.channels, .kernel_size = 3, .padding = 1},
              {this, "second"}),
      image_embedding_({.in_features = pooled_size(options), .out_features = options.embedding}, {this, "image_embedding"}) {}

std::unique_ptr<WordReader> WordReader::load(const std::filesystem::path& folder) {
  return load_described(where, folder, "reader of words", [](const auto& field, const std::string& path) {
    return std::make_unique<WordReader>(word_reader_options_of(field("word_reader"), path),
                                        text::Symbols::from_json(field("symbols"), path));
  });
}

Var WordReader::embed_source(const Padded& source) {
  const Tensor& images = source.features;
  check<ValueError>(images.defined(), where, "the source has no images");
  check<ShapeError>(images.rank() == 4 && images.size(0) > 0 && images.size(1) > 0 &&
                        images.size(2) == reader_options_.height && images.size(3) == reader_options_.width,
                    where, "images {} are not [rows, columns, {}, {}] with one row and column at least", images,
                    reader_options_.height, reader_options_.width);
  const auto embed = [this](const Var& letters) {
    const Var halved = max_pool2d(relu(first_(unsqueeze(letters, 1))), 2);
    const Var quartered = max_pool2d(relu(second_(halved)), 2);
    return image_embedding_(flatten(quartered, 1, 3));
  };
  return nn::every_step(where, embed, images.to(first_.weight->dtype()), source.lengths);
}

std::vector<WordReading> WordReader::transcribe(std::span<const Tensor> words, const BeamSearchOptions& search) {
  constexpr std::size_t rows_at_a_time = 64;
  std::vector<WordReading> readings;
  for (std::size_t first = 0; first < words.size(); first += rows_at_a_time) {
    const Padded images = pad_features(words.subspan(first, std::min(rows_at_a_time, words.size() - first)));
    for (auto& found : beam_search(*this, images, search))
      readings.push_back(
          {decode_text(found.at(0).ids), std::move(found[0].ids), found[0].log_probability, std::move(found[0].attention)});
  }
  return readings;
}

// The special ids come first; a symbol's number, from 1, follows them.
TokenIds WordReader::encode_text(std::string_view text) const {
  TokenIds ids = letters_.encode(text);
  for (std::int32_t& id : ids) id = id == 0 ? unknown_id : first_letter + id - 1;
  return ids;
}

std::string WordReader::decode_text(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) text += id < first_letter ? "\uFFFD" : letters_.name(id - first_letter + 1);
  return text;
}

}  // namespace weft::seq2seq
