#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/nn/conv.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/encoder_decoder.hpp"
#include "weft/text/symbols.hpp"

namespace weft::seq2seq {

struct WordReaderOptions {
  std::int64_t height = 16, width = 8;  ///< of a letter's image, 4 at least
  std::int64_t channels = 16;           ///< of the first convolution; the second has twice as many
  std::int64_t embedding = 96;          ///< of what the convolutions make of an image, and of a letter that was written
  std::int64_t hidden = 192;            ///< of the decoder; each direction of the encoder has half
  AttentionKind attention = AttentionKind::additive;
  std::int64_t window = 10;                               ///< of local_m and local_p: letters seen on each side
  std::int64_t heads = 8;                                 ///< of multi_head, dividing hidden
  nn::Normaliser normaliser = nn::Normaliser::softmax;    ///< of the attention's weights
  nn::RecurrentKind recurrent = nn::RecurrentKind::lstm;  ///< of encoder and decoder
  double dropout = 0.3;                                   ///< on embeddings and on the attentional vector
};

std::string to_json(const WordReaderOptions& options);
/// Throws FormatError naming `source` for text that isn't of that form.
WordReaderOptions word_reader_options_of(const std::string& json, const std::string& source);

/// A word that was read.
struct WordReading {
  std::string text;
  TokenIds ids;                ///< its letters, without the end; unknown_id where it can't tell
  double log_probability = 0;  ///< of all its letters and of its end
  Tensor attention;            ///< f32 [letters, or one more for the end, images], where asked for
};

/// Reads words from the images of their letters. Each image goes through two convolutions of 3 by 3 with ReLU, each followed by
/// a max pooling of 2 by 2, and a linear layer; over what they make runs the encoder of an EncoderDecoder, whose decoder writes
/// the letters. The `features` of what it encodes are images f32 or f64 [rows, columns, height, width].
class WordReader : public EncoderDecoder {
 public:
  /// Throws ValueError for sizes that can't be and symbols that aren't characters.
  WordReader(const WordReaderOptions& options, text::Symbols letters, const nn::Scope& scope = {});
  /// With the best weights of a run of WordReadingTask in `folder`, in evaluation mode. Throws IoError, FormatError.
  static std::unique_ptr<WordReader> load(const std::filesystem::path& folder);

  /// The most probable word for each sequence of images [n, height, width]; as many at a time as memory allows in any case.
  /// Nothing is recorded. Throws what pad_features and beam_search throw.
  std::vector<WordReading> transcribe(std::span<const Tensor> words, const BeamSearchOptions& search = {.beam = 1});

  /// What the decoder writes for a word, and back; a letter that isn't known is unknown_id, and U+FFFD on the way back.
  TokenIds encode_text(std::string_view text) const;
  std::string decode_text(std::span<const std::int32_t> ids) const;

  const WordReaderOptions& reader_options() const { return reader_options_; }
  const text::Symbols& letters() const { return letters_; }

 private:
  Var embed_source(const Padded& source) override;

  WordReaderOptions reader_options_;
  text::Symbols letters_;
  nn::Conv2d first_, second_;
  nn::Linear image_embedding_;
};

}  // namespace weft::seq2seq
