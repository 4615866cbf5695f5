#include "weft/seq2seq/model_options.hpp"

#include <nlohmann/json.hpp>

#include "base/fail.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "Translator";

nlohmann::ordered_json json_of(const EncoderDecoderOptions& o) {
  nlohmann::ordered_json json = {{"source_vocabulary", o.source_vocabulary},
                                 {"target_vocabulary", o.target_vocabulary},
                                 {"embedding", o.embedding},
                                 {"hidden", o.hidden},
                                 {"encoder_layers", o.encoder_layers},
                                 {"decoder_layers", o.decoder_layers},
                                 {"attention", name_of(o.attention)},
                                 {"input_feeding", o.input_feeding},
                                 {"tie_output", o.tie_output},
                                 {"share_embeddings", o.share_embeddings},
                                 {"dropout", o.dropout}};
  if (o.attention == AttentionKind::local_m || o.attention == AttentionKind::local_p) json["window"] = o.window;
  return json;
}

nlohmann::ordered_json json_of(const TransformerOptions& o) {
  return {{"model", "transformer"},
          {"source_vocabulary", o.source_vocabulary},
          {"target_vocabulary", o.target_vocabulary},
          {"width", o.width},
          {"heads", o.heads},
          {"feed_forward", o.feed_forward},
          {"encoder_layers", o.encoder_layers},
          {"decoder_layers", o.decoder_layers},
          {"norm_first", o.norm_first},
          {"tie_output", o.tie_output},
          {"share_embeddings", o.share_embeddings},
          {"dropout", o.dropout}};
}

EncoderDecoderOptions lstm_of(const nlohmann::json& json) {
  return {.source_vocabulary = json.at("source_vocabulary"),
          .target_vocabulary = json.at("target_vocabulary"),
          .embedding = json.at("embedding"),
          .hidden = json.at("hidden"),
          .encoder_layers = json.at("encoder_layers"),
          .decoder_layers = json.at("decoder_layers"),
          .attention = attention_kind(json.at("attention")),
          .window = json.value("window", EncoderDecoderOptions{}.window),
          .input_feeding = json.at("input_feeding"),
          .tie_output = json.at("tie_output"),
          .share_embeddings = json.at("share_embeddings"),
          .dropout = json.at("dropout")};
}

TransformerOptions transformer_of(const nlohmann::json& json) {
  return {.source_vocabulary = json.at("source_vocabulary"),
          .target_vocabulary = json.at("target_vocabulary"),
          .width = json.at("width"),
          .heads = json.at("heads"),
          .feed_forward = json.at("feed_forward"),
          .encoder_layers = json.at("encoder_layers"),
          .decoder_layers = json.at("decoder_layers"),
          .norm_first = json.at("norm_first"),
          .tie_output = json.at("tie_output"),
          .share_embeddings = json.at("share_embeddings"),
          .dropout = json.at("dropout")};
}

}  // namespace

std::unique_ptr<Model> make_model(const ModelOptions& options, const nn::Scope& scope) {
  if (const auto* transformer = std::get_if<TransformerOptions>(&options))
    return std::make_unique<Transformer>(*transformer, scope);
  return std::make_unique<EncoderDecoder>(std::get<EncoderDecoderOptions>(options), scope);
}

std::string to_json(const ModelOptions& options) {
  return std::visit([](const auto& o) { return json_of(o).dump(); }, options);
}

// The LSTM's have no "model": it was the only one once.
ModelOptions model_options_of(const std::string& json, const std::string& path) {
  try {
    const auto parsed = nlohmann::json::parse(json);
    const std::string kind = parsed.value("model", "lstm");
    check<FormatError>(kind == "lstm" || kind == "transformer", where,
                       "{}: its metadata describe a model '{}', which isn't known", path, kind);
    if (kind == "transformer") return transformer_of(parsed);
    return lstm_of(parsed);
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a translator ({})", path, error.what());
  }
}

}  // namespace weft::seq2seq
