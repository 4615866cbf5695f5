#include "weft/text/tokenizer.hpp"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <boost/algorithm/string/replace.hpp>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <unordered_map>

#include "base/fail.hpp"
#include "base/last_error.hpp"
#include "weft/base/random.hpp"
#include "weft/text/utf8.hpp"

namespace weft::text {
namespace {

constexpr std::int64_t special_pieces = 4;
constexpr std::int64_t largest_vocabulary = 1'000'000;
constexpr std::size_t longest_word = 8000;  // bytes; its BPE trainer aborts on words of 65,536 characters

/// Control characters that are white space become spaces: SentencePiece's identity rule folds spaces only.
std::string with_plain_spaces(std::string_view line) {
  std::string plain(line);
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return c >= '\t' && c <= '\r'; }, ' ');
  return plain;
}

/// What the library takes in whole: it skips lines that hold U+2585 and aborts on very long words, which are cut.
std::string training_line(const std::string& line) {
  std::string plain = with_plain_spaces(line);
  boost::replace_all(plain, "\u2581", " ");
  boost::replace_all(plain, "\u2585", " ");
  std::string cut;
  cut.reserve(plain.size());
  std::size_t word = 0;
  for (const char c : plain) {
    const bool starts_character = (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
    if (c == ' ') word = 0;
    if (word >= longest_word && starts_character) {
      cut.push_back(' ');
      word = 0;
    }
    cut.push_back(c);
    ++word;
  }
  return cut;
}

/// The library's message without the place in its source and the condition that failed there.
std::string_view reason(const sentencepiece::util::Status& status) {
  const std::string_view message = status.message();
  const auto end = message.find(") [");
  const auto close = end == std::string_view::npos ? end : message.find("] ", end);
  return close == std::string_view::npos || close + 2 == message.size() ? message : message.substr(close + 2);
}

void throw_unless_ok(const sentencepiece::util::Status& status, const char* op) {
  if (!status.ok()) throw LibraryError(fmt::format("[{}] {}", op, reason(status)), static_cast<int>(status.code()));
}

class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::vector<std::string>& lines) : lines_(lines) {}
  bool done() const override { return at_ == lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& lines_;
  std::size_t at_ = 0;
};

void check_options(const SentencePieceOptions& options) {
  constexpr auto op = "SentencePiece::train";
  check<ValueError>(options.vocab_size > special_pieces && options.vocab_size <= largest_vocabulary, op,
                    "vocab_size is {}; it must be between {} and {}", options.vocab_size, special_pieces + 1,
                    largest_vocabulary);
  check<ValueError>(options.character_coverage >= 0.98 && options.character_coverage <= 1.0, op,
                    "character_coverage is {}; it must be between 0.98 and 1", options.character_coverage);
  check<ValueError>(options.sample_lines >= 0, op, "sample_lines is {}; it must not be negative", options.sample_lines);
}

/// The lines to train on: drawn if asked for, valid, without blank ones.
std::vector<std::string> training_text(std::span<const std::string> lines, const SentencePieceOptions& options) {
  constexpr auto op = "SentencePiece::train";
  const std::size_t wanted =
      options.sample_lines == 0 ? lines.size() : std::min(lines.size(), static_cast<std::size_t>(options.sample_lines));
  Generator generator(options.seed);
  std::vector<std::string> text;
  text.reserve(wanted);
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < lines.size() && drawn < wanted; ++i) {
    // Selection sampling (Knuth, TAOCP 3.4.2 S): each line with the odds of those still wanted among those left.
    if (wanted < lines.size() && generator.below(lines.size() - i) >= wanted - drawn) continue;
    ++drawn;
    if (const auto invalid = find_invalid_utf8(lines[i]))
      fail<FormatError>(op, "line {} is not UTF-8 at byte {}", i + 1, *invalid);
    std::string line = training_line(lines[i]);
    if (line.find_first_not_of(' ') != std::string::npos) text.push_back(std::move(line));
  }
  check<ValueError>(!text.empty(), op, "there is no text to train on: {} lines, all blank", drawn);
  return text;
}

}  // namespace

struct SentencePiece::Model {
  sentencepiece::SentencePieceProcessor processor;
  std::string bytes;
  Vocabulary vocabulary;

  template <class Output>
  void encode(std::string_view line, Output* output) const {
    constexpr auto op = "SentencePiece::encode";
    if (const auto invalid = find_invalid_utf8(line)) fail<FormatError>(op, "the line is not UTF-8 at byte {}", *invalid);
    throw_unless_ok(processor.Encode(with_plain_spaces(line), output), op);
  }

  void check_id(std::int32_t id, const char* op) const {
    check<IndexError>(id >= 0 && id < vocabulary.size, op, "id {} is outside the vocabulary of {} pieces", id, vocabulary.size);
  }
};

SentencePiece::SentencePiece(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

SentencePiece SentencePiece::train(std::span<const std::string> lines, const SentencePieceOptions& options) {
  check_options(options);
  const auto text = training_text(lines, options);
  Lines iterator(text);
  std::string bytes;
  const auto status =
      sentencepiece::SentencePieceTrainer::Train({{"model_type", options.model_type == SubwordModel::bpe ? "bpe" : "unigram"},
                                                  {"vocab_size", fmt::to_string(options.vocab_size)},
                                                  {"hard_vocab_limit", "false"},
                                                  {"character_coverage", fmt::to_string(options.character_coverage)},
                                                  {"normalization_rule_name", "identity"},
                                                  {"max_sentence_length", "1073741824"},
                                                  {"num_threads", "1"},
                                                  {"pad_id", "0"},
                                                  {"unk_id", "1"},
                                                  {"bos_id", "2"},
                                                  {"eos_id", "3"},
                                                  {"minloglevel", "2"}},
                                                 &iterator, &bytes);
  const std::string_view message = reason(status);
  check<ValueError>(message.find("smaller than required_chars") == std::string_view::npos, "SentencePiece::train",
                    "vocab_size {} is too small for the characters of the text: {}", options.vocab_size, message);
  throw_unless_ok(status, "SentencePiece::train");
  return from_bytes(bytes, "the trained model");
}

SentencePiece SentencePiece::load(const std::filesystem::path& path) {
  const auto refuse = [&path](const std::error_code& error) {
    fail<IoError>("SentencePiece::load", "can't read {}: {}", path.string(), error.message());
  };
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) refuse(error);
  std::string bytes(size, '\0');
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) refuse({last_error(), std::generic_category()});
  return from_bytes(bytes, path.string());
}

SentencePiece SentencePiece::from_bytes(std::string_view bytes, std::string_view source) {
  auto model = std::make_shared<Model>();
  bool loaded = false;
  try {
    loaded = model->processor.LoadFromSerializedProto(bytes).ok();
  } catch (const std::exception&) {  // from its trie, if an altered model has an empty piece
    loaded = false;
  }
  check<FormatError>(loaded, "SentencePiece::load", "{} is not a SentencePiece model, or has been altered", source);
  model->bytes = bytes;
  const auto& processor = model->processor;
  model->vocabulary = {.size = processor.GetPieceSize(),
                       .pad = processor.pad_id(),
                       .unk = processor.unk_id(),
                       .bos = processor.bos_id(),
                       .eos = processor.eos_id()};
  return SentencePiece(std::move(model));
}

const std::string& SentencePiece::model_bytes() const { return model_->bytes; }

std::vector<std::int32_t> SentencePiece::encode(std::string_view line) const {
  std::vector<std::int32_t> ids;
  model_->encode(line, &ids);
  return ids;
}

std::vector<std::string> SentencePiece::encode_pieces(std::string_view line) const {
  std::vector<std::string> pieces;
  model_->encode(line, &pieces);
  return pieces;
}

std::string SentencePiece::decode(std::span<const std::int32_t> ids) const {
  for (const auto id : ids) model_->check_id(id, "SentencePiece::decode");
  std::string text;
  throw_unless_ok(model_->processor.Decode(std::vector<int>(ids.begin(), ids.end()), &text), "SentencePiece::decode");
  return text;
}

const std::string& SentencePiece::piece(std::int32_t id) const {
  model_->check_id(id, "SentencePiece::piece");
  return model_->processor.IdToPiece(id);
}

std::int64_t SentencePiece::size() const { return model_->vocabulary.size; }

const Vocabulary& SentencePiece::vocabulary() const { return model_->vocabulary; }

}  // namespace weft::text
