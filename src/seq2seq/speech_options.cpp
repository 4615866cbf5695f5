#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "base/named.hpp"
#include "weft/seq2seq/speech_recognizer.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "SpeechRecognizer";

}  // namespace

std::string name_of(SpeechModel model) { return speech_model_names[static_cast<std::size_t>(model)]; }

SpeechModel speech_model(const std::string& name) {
  return named<SpeechModel>(speech_model_names, where, "kind of model", name);
}

std::string to_json(const SpeechRecognizerOptions& o) {
  nlohmann::ordered_json json = {{"model", name_of(o.model)},
                                 {"labels", o.labels},
                                 {"rate", o.log_mel.rate},
                                 {"window", o.log_mel.window},
                                 {"hop", o.log_mel.hop},
                                 {"fft", o.log_mel.fft},
                                 {"bands", o.log_mel.bands},
                                 {"low", o.log_mel.low},
                                 {"high", o.log_mel.high},
                                 {"scale", o.log_mel.scale == data::MelScale::htk ? "htk" : "slaney"},
                                 {"preemphasis", o.log_mel.preemphasis},
                                 {"floor", o.log_mel.floor},
                                 {"delta_orders", o.delta_orders},
                                 {"delta_window", o.delta_window},
                                 {"stack", o.stack},
                                 {"hidden", o.hidden},
                                 {"layers", o.layers},
                                 {"embedding", o.embedding},
                                 {"dropout", o.dropout}};
  if (o.label_frames != 0) json["label_frames"] = o.label_frames;
  if (o.recurrent != nn::RecurrentKind::lstm) json["recurrent"] = name_of(o.recurrent);
  if (o.normaliser != nn::Normaliser::softmax) json["normaliser"] = name_of(o.normaliser);
  return json.dump();
}

SpeechRecognizerOptions speech_recognizer_options_of(const std::string& json, const std::string& source) {
  try {
    const auto o = nlohmann::json::parse(json);
    const std::string model = o.at("model"), scale = o.at("scale");
    check<FormatError>(scale == "htk" || scale == "slaney", where, "{}: its metadata describe a scale '{}', which isn't known",
                       source, scale);
    SpeechRecognizerOptions result;
    result.model = speech_model(model);
    result.labels = o.at("labels").get<std::vector<std::string>>();
    result.log_mel = {.rate = o.at("rate"),
                      .window = o.at("window"),
                      .hop = o.at("hop"),
                      .fft = o.at("fft"),
                      .bands = o.at("bands"),
                      .low = o.at("low"),
                      .high = o.at("high"),
                      .scale = scale == "htk" ? data::MelScale::htk : data::MelScale::slaney,
                      .preemphasis = o.at("preemphasis"),
                      .floor = o.at("floor")};
    result.delta_orders = o.at("delta_orders");
    result.delta_window = o.at("delta_window");
    result.stack = o.at("stack");
    result.label_frames = o.value("label_frames", std::int64_t{0});
    result.hidden = o.at("hidden");
    result.layers = o.at("layers");
    result.recurrent = nn::recurrent_kind(o.value("recurrent", "lstm"));
    result.normaliser = nn::normaliser_of(o.value("normaliser", "softmax"));
    result.embedding = o.at("embedding");
    result.dropout = o.at("dropout");
    return result;
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a speech recogniser ({})", source, error.what());
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: {}", source, error.what());
  }
}

}  // namespace weft::seq2seq
