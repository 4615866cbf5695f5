#pragma once
#include "weft/seq2seq/model_options.hpp"

namespace weft::test {

inline seq2seq::EncoderDecoderOptions small_options() {
  return {.source_vocabulary = 9, .target_vocabulary = 7, .embedding = 4, .hidden = 6};
}

inline seq2seq::TransformerOptions small_transformer_options() {
  return {.source_vocabulary = 9,
          .target_vocabulary = 7,
          .width = 6,
          .heads = 2,
          .feed_forward = 8,
          .encoder_layers = 2,
          .decoder_layers = 2,
          .dropout = 0};
}

/// The LSTM with each attention.
inline std::vector<seq2seq::EncoderDecoderOptions> each_attention() {
  std::vector<seq2seq::EncoderDecoderOptions> all;
  for (const char* name : seq2seq::attention_names) {
    all.push_back(small_options());
    all.back().attention = seq2seq::attention_kind(name);
    all.back().window = 1;
    all.back().heads = 2;
  }
  return all;
}

/// One of each kind.
inline std::vector<seq2seq::ModelOptions> small_kinds() {
  seq2seq::EncoderDecoderOptions gru = small_options();
  gru.recurrent = nn::RecurrentKind::gru;
  return {small_options(), gru, small_transformer_options()};
}

/// Three sentences of different lengths.
inline const std::vector<seq2seq::TokenIds>& small_source() {
  static const std::vector<seq2seq::TokenIds> rows = {{4, 5, 6, 7}, {8, 4}, {5, 5, 3}};
  return rows;
}

inline std::vector<const seq2seq::TokenIds*> pointers(const std::vector<seq2seq::TokenIds>& rows) {
  std::vector<const seq2seq::TokenIds*> result;
  for (const auto& row : rows) result.push_back(&row);
  return result;
}

/// And three of their translations.
inline const std::vector<seq2seq::TokenIds>& small_target() {
  static const std::vector<seq2seq::TokenIds> rows = {{4, 5, 6}, {4}, {6, 5}};
  return rows;
}

inline seq2seq::Batch small_batch(const std::vector<seq2seq::TokenIds>& source = small_source(),
                                  const std::vector<seq2seq::TokenIds>& target = small_target()) {
  return seq2seq::make_batch(pointers(source), pointers(target));
}

}  // namespace weft::test
