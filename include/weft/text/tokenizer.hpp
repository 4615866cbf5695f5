#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/text/vocabulary.hpp"

namespace weft::text {

/// Byte pair encoding (Sennrich et al. 2016) or the unigram language model (Kudo 2018).
enum class SubwordModel { bpe, unigram };

struct SentencePieceOptions {
  SubwordModel model_type = SubwordModel::bpe;
  std::int64_t vocab_size = 8000;   // special pieces included; a small text gets the most that it can carry
  double character_coverage = 1.0;  // share of the text's characters that get a piece; 0.98 to 1
  std::int64_t sample_lines = 0;    // train on that many lines, drawn without replacement; 0: on all
  std::uint64_t seed = 1;           // of the draw
};

/// Subword tokenization by SentencePiece. A value: cheap to copy, never changed, safe to share among threads.
class SentencePiece {
 public:
  /// Trains on UTF-8 lines as they are (no normalization), with pad 0, unk 1, bos 2, eos 3. The same lines and options give the
  /// same model, byte for byte. ValueError: options out of range, nothing to train on, a vocab_size below the number of
  /// characters; FormatError: a line that is not UTF-8; LibraryError: SentencePiece failed.
  static SentencePiece train(std::span<const std::string> lines, const SentencePieceOptions& options = {});

  /// Reads a `.model` file. IoError if it can't be read, FormatError if it is not a model.
  static SentencePiece load(const std::filesystem::path& path);

  /// Takes the bytes of a `.model` file; `source` names them in the FormatError that is thrown if they are not a model.
  static SentencePiece from_bytes(std::string_view bytes, std::string_view source = "bytes");

  /// The model as the bytes of a `.model` file.
  const std::string& model_bytes() const;

  /// Ids of a line's pieces, without bos and eos; nothing for a blank line. Runs of white space count as one space.
  /// FormatError if `line` is not UTF-8.
  std::vector<std::int32_t> encode(std::string_view line) const;
  std::vector<std::string> encode_pieces(std::string_view line) const;

  /// Text of the ids; pad, bos and eos give nothing, unk gives " ⁇ ". Without unknown characters
  /// decode(encode(x)) is x but for white space (and U+2581, which stands for a space in pieces).
  /// IndexError for an id outside the vocabulary.
  std::string decode(std::span<const std::int32_t> ids) const;

  /// The piece of an id, "▁" for a space. IndexError for an id outside the vocabulary.
  const std::string& piece(std::int32_t id) const;

  std::int64_t size() const;
  const Vocabulary& vocabulary() const;

 private:
  struct Model;
  explicit SentencePiece(std::shared_ptr<const Model> model);

  std::shared_ptr<const Model> model_;
};

}  // namespace weft::text
