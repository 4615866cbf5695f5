#pragma once
#include <fmt/format.h>

#include <string>

#include "weft/seq2seq/beam_search.hpp"

namespace weft {

/// What a search was told beyond beam and lengths; nothing where that is nothing, so that older runs go on.
inline std::string search_details(const seq2seq::BeamSearchOptions& search) {
  const seq2seq::BeamSearchOptions usual;
  std::string text;
  if (search.max_length_ratio != usual.max_length_ratio || search.max_length_offset != usual.max_length_offset)
    text += fmt::format(", lengths to {} and {} more", search.max_length_ratio, search.max_length_offset);
  if (search.length_normalisation != usual.length_normalisation) text += ", gnmt";
  if (search.coverage_penalty != usual.coverage_penalty) text += fmt::format(", coverage {}", search.coverage_penalty);
  if (search.no_repeat_ngram != usual.no_repeat_ngram) text += fmt::format(", no {}-gram twice", search.no_repeat_ngram);
  if (search.diverse_groups != usual.diverse_groups)
    text += fmt::format(", {} groups, diversity {}", search.diverse_groups, search.diversity_strength);
  return text;
}

}  // namespace weft
