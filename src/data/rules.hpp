#pragma once
#include "data/choices.hpp"
#include "data/syntax.hpp"

namespace weft::data::grammar {

/// One sentence of the grammar; all choices are asked of `choices`.
Sentence draw_sentence(Choices& choices);

/// Sentence number `index` of a seed.
Sentence sentence_at(std::uint64_t seed, std::uint64_t index);

}  // namespace weft::data::grammar
