#include "weft/seq2seq/model_options.hpp"

#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "base/named.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "Translator";
constexpr const char* own_attention = "own";  // by make_attention; no kind has that name
constexpr std::array positions_names = {"sinusoid", "learned", "rotary", "alibi", "shaw", "t5"};

nlohmann::ordered_json json_of(const EncoderDecoderOptions& o) {
  nlohmann::ordered_json json = {{"source_vocabulary", o.source_vocabulary},
                                 {"target_vocabulary", o.target_vocabulary},
                                 {"embedding", o.embedding},
                                 {"hidden", o.hidden},
                                 {"encoder_layers", o.encoder_layers},
                                 {"decoder_layers", o.decoder_layers},
                                 {"attention", o.make_attention ? own_attention : name_of(o.attention)},
                                 {"input_feeding", o.input_feeding},
                                 {"tie_output", o.tie_output},
                                 {"share_embeddings", o.share_embeddings},
                                 {"dropout", o.dropout}};
  if (o.attention == AttentionKind::local_m || o.attention == AttentionKind::local_p) json["window"] = o.window;
  if (o.attention == AttentionKind::multi_head) json["heads"] = o.heads;
  if (o.normaliser != nn::Normaliser::softmax) json["normaliser"] = name_of(o.normaliser);
  if (o.recurrent != nn::RecurrentKind::lstm) json["recurrent"] = name_of(o.recurrent);
  if (o.source_size > 0) json["source_size"] = o.source_size;
  if (o.copy) json["copy"] = o.copy;
  if (o.coverage_weight > 0) json["coverage_weight"] = o.coverage_weight;
  return json;
}

nlohmann::ordered_json json_of(const TransformerOptions& o) {
  nlohmann::ordered_json json = {{"model", "transformer"},
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
  // Only what isn't as it was before there was a choice: older runs go on.
  const TransformerOptions plain;
  if (o.positions != plain.positions) json["positions"] = positions_names[static_cast<std::size_t>(o.positions)];
  if (o.max_positions != plain.max_positions) json["max_positions"] = o.max_positions;
  if (o.mixing != plain.mixing) json["mixing"] = name_of(o.mixing);
  if (o.kernel_size != plain.kernel_size) json["kernel_size"] = o.kernel_size;
  if (o.reach != plain.reach) json["reach"] = o.reach;
  if (o.kv_heads != plain.kv_heads) json["kv_heads"] = o.kv_heads;
  if (o.normaliser != plain.normaliser) json["normaliser"] = name_of(o.normaliser);
  if (o.max_span != plain.max_span) {
    json["max_span"] = o.max_span;
    json["span_weight"] = o.span_weight;
  }
  return json;
}

EncoderDecoderOptions lstm_of(const nlohmann::json& json) {
  return {.source_vocabulary = json.at("source_vocabulary"),
          .target_vocabulary = json.at("target_vocabulary"),
          .source_size = json.value("source_size", EncoderDecoderOptions{}.source_size),
          .embedding = json.at("embedding"),
          .hidden = json.at("hidden"),
          .encoder_layers = json.at("encoder_layers"),
          .decoder_layers = json.at("decoder_layers"),
          .attention = attention_kind(json.at("attention")),
          .window = json.value("window", EncoderDecoderOptions{}.window),
          .heads = json.value("heads", EncoderDecoderOptions{}.heads),
          .normaliser = nn::normaliser_of(json.value("normaliser", "softmax")),
          .recurrent = nn::recurrent_kind(json.value("recurrent", "lstm")),
          .input_feeding = json.at("input_feeding"),
          .tie_output = json.at("tie_output"),
          .share_embeddings = json.at("share_embeddings"),
          .dropout = json.at("dropout"),
          .copy = json.value("copy", false),
          .coverage_weight = json.value("coverage_weight", 0.0)};
}

TransformerOptions transformer_of(const nlohmann::json& json) {
  const TransformerOptions defaults;
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
          .dropout = json.at("dropout"),
          .positions = parse_positions(json.value("positions", "sinusoid")),
          .max_positions = json.value("max_positions", defaults.max_positions),
          .mixing = parse_mixing(json.value("mixing", "attention")),
          .kernel_size = json.value("kernel_size", defaults.kernel_size),
          .reach = json.value("reach", defaults.reach),
          .kv_heads = json.value("kv_heads", defaults.kv_heads),
          .normaliser = nn::normaliser_of(json.value("normaliser", "softmax")),
          .max_span = json.value("max_span", defaults.max_span),
          .span_weight = json.value("span_weight", defaults.span_weight)};
}

}  // namespace

Positions parse_positions(const std::string& name) {
  return named<Positions>(positions_names, where, "kind of positions", name);
}

nn::Mixing parse_mixing(const std::string& name) { return named<nn::Mixing>(nn::mixing_names, where, "mixing", name); }

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
    check<FormatError>(parsed.value("attention", "") != own_attention, where,
                       "{}: its attention was made by a make_attention; make the model with that and load the weights into it",
                       path);
    return lstm_of(parsed);
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a translator ({})", path, error.what());
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a translator ({})", path, error.what());
  }
}

}  // namespace weft::seq2seq
