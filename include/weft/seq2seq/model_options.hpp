#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "weft/seq2seq/encoder_decoder.hpp"
#include "weft/seq2seq/transformer.hpp"

namespace weft::seq2seq {

/// What kind of model, and its settings.
using ModelOptions = std::variant<EncoderDecoderOptions, TransformerOptions>;

std::unique_ptr<Model> make_model(const ModelOptions& options, const nn::Scope& scope = {});

/// Kinds by the names that checkpoints and command lines give them. Throw ValueError for a name that none has.
Positions parse_positions(const std::string& name);
nn::Mixing parse_mixing(const std::string& name);

/// As a checkpoint's metadata hold them.
std::string to_json(const ModelOptions& options);
/// Throws FormatError naming `path` for text that isn't of that form.
ModelOptions model_options_of(const std::string& json, const std::string& path);

}  // namespace weft::seq2seq
