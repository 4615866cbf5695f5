#pragma once
#include "base/fail.hpp"
#include "weft/nn/any_recurrent.hpp"
#include "weft/seq2seq/batch.hpp"

namespace weft::seq2seq {

/// Features of a source as an encoder takes them. Throws ValueError, ShapeError.
inline const Tensor& checked_features(const char* where, const Padded& source, std::int64_t size) {
  const Tensor& x = source.features;
  check<ValueError>(x.defined(), where, "the source has no features");
  check<ShapeError>(x.rank() == 3 && x.size(0) > 0 && x.size(1) > 0 && x.size(2) == size, where,
                    "source features {} are not [rows, columns, {}] with one of each at least", x, size);
  return x;
}

/// The encoder of a model whose options have source_size, hidden, layers and dropout: layers in both directions.
template <class Options>
nn::RecurrentOptions encoder_options(const Options& o) {
  return {.input_size = o.source_size,
          .hidden_size = o.hidden,
          .num_layers = o.layers,
          .bidirectional = true,
          .dropout = o.layers > 1 ? o.dropout : 0};
}

/// Throws ValueError unless source_size, labels, hidden and layers are positive.
template <class Options>
const Options& with_positive_sizes(const char* where, const Options& o) {
  check<ValueError>(o.source_size > 0 && o.labels > 0 && o.hidden > 0 && o.layers > 0, where,
                    "source_size {}, {} labels, hidden {}, {} layers; each must be positive", o.source_size, o.labels, o.hidden,
                    o.layers);
  return o;
}

}  // namespace weft::seq2seq
