#include "weft/seq2seq/digit_senses.hpp"

#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "base/named.hpp"
#include "ops/lengths.hpp"
#include "seq2seq/best_weights.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/normalization.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "DigitSenses";
constexpr std::int64_t cell_pixels = 4;

DigitSensesOptions checked(const DigitSensesOptions& o) {
  check<ValueError>(o.bands > 0 && o.classes > 0 && o.channels > 0, where,
                    "{} bands, {} classes, {} channels; each must be positive", o.bands, o.classes, o.channels);
  check<ValueError>(o.height > 0 && o.width > 0 && o.height % cell_pixels == 0 && o.width % cell_pixels == 0, where,
                    "images of {} by {} pixels; multiples of {} are needed", o.height, o.width, cell_pixels);
  check<ValueError>(o.hidden > 0 && o.hidden % 2 == 0, where, "hidden is {}; it must be positive and even", o.hidden);
  return o;
}

bool hears(Senses senses) { return senses != Senses::image; }
bool sees(Senses senses) { return senses != Senses::sound; }

nn::Conv2dOptions halving(std::int64_t in, std::int64_t out) {
  return {.in_channels = in, .out_channels = out, .kernel_size = 3, .stride = 2, .padding = 1};
}

}  // namespace

std::string name_of(Senses senses) { return senses_names[static_cast<std::size_t>(senses)]; }

Senses senses_of(const std::string& name) { return named<Senses>(senses_names, where, "kind of senses", name); }

std::string to_json(const DigitSensesOptions& o) {
  nlohmann::ordered_json json = {
      {"senses", name_of(o.senses)}, {"bands", o.bands},   {"height", o.height},     {"width", o.width},
      {"classes", o.classes},        {"hidden", o.hidden}, {"channels", o.channels}, {"dropout", o.dropout}};
  if (o.recurrent != nn::RecurrentKind::gru) json["recurrent"] = name_of(o.recurrent);  // older runs go on
  return json.dump();
}

DigitSensesOptions digit_senses_options_of(const std::string& json, const std::string& source) {
  try {
    const auto o = nlohmann::json::parse(json);
    return {.senses = senses_of(o.at("senses")),
            .bands = o.at("bands"),
            .height = o.at("height"),
            .width = o.at("width"),
            .classes = o.at("classes"),
            .hidden = o.at("hidden"),
            .channels = o.at("channels"),
            .recurrent = nn::recurrent_kind(o.value("recurrent", "gru")),
            .dropout = o.at("dropout")};
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a namer of digits ({})", source, error.what());
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: {}", source, error.what());
  }
}

DigitSenses::Hearing::Hearing(const DigitSensesOptions& options, const nn::Scope& scope)
    : Module(scope),
      norm({.num_features = options.bands}, {this, "norm"}),
      encoder(options.recurrent, {.input_size = options.bands, .hidden_size = options.hidden / 2, .bidirectional = true},
              {this, "encoder"}) {}

Var DigitSenses::Hearing::forward(const Tensor& sound, const Tensor& lengths) {
  return encoder(transpose(norm(transpose(sound, 1, 2), lengths), 1, 2), lengths).output;
}

DigitSenses::Sight::Sight(const DigitSensesOptions& options, const nn::Scope& scope)
    : Module(scope),
      first(halving(1, options.channels), {this, "first"}),
      second(halving(options.channels, 2 * options.channels), {this, "second"}),
      norm({.num_features = 2 * options.channels}, {this, "norm"}),
      cell({.in_features = 2 * options.channels, .out_features = options.hidden}, {this, "cell"}),
      place(this, "place", Shape{options.height / cell_pixels * (options.width / cell_pixels), options.hidden},
            nn::init::normal(0, 0.1)) {}

Var DigitSenses::Sight::forward(const Tensor& image) {
  // Each image to the same contrast: noise of several times the ink's strength would drown all others in the batch's
  // statistics.
  const Var even = group_norm(image.unsqueeze(1), 1);
  const Var features = relu(norm(second(relu(first(even)))));  // [batch, channels, rows, columns]
  return relu(cell(transpose(flatten(features, 2, 3), 1, 2)) + place);
}

DigitSenses::DigitSenses(const DigitSensesOptions& options, const nn::Scope& scope)
    : Module(scope),
      options_(checked(options)),
      dropout_({.p = options.dropout}, {this, "dropout"}),
      name_({.in_features = (options.senses == Senses::co_attention ? 2 : 1) * options.hidden, .out_features = options.classes},
            {this, "name"}) {
  const Senses senses = options_.senses;
  const std::int64_t hidden = options_.hidden;
  if (hears(senses)) hearing_.emplace(options_, nn::Scope{this, "hearing"});
  if (sees(senses)) sight_.emplace(options_, nn::Scope{this, "sight"});
  if (senses == Senses::co_attention) {
    co_attention_.emplace(nn::CoAttentionOptions{.first_dim = hidden, .second_dim = hidden, .hidden = hidden},
                          nn::Scope{this, "co_attention"});
    return;
  }
  const nn::attention::PoolingOptions pooling{.size = hidden, .hidden = hidden};
  if (hears(senses)) sound_pooling_.emplace(pooling, nn::Scope{this, "sound_pooling"});
  if (sees(senses)) image_pooling_.emplace(pooling, nn::Scope{this, "image_pooling"});
  if (senses == Senses::gated)
    gated_.emplace(nn::GatedFusionOptions{.in_features = {hidden, hidden}, .out_features = hidden}, nn::Scope{this, "gated"});
}

std::unique_ptr<DigitSenses> DigitSenses::load(const std::filesystem::path& folder) {
  return load_described(where, folder, "namer of digits", [](const auto& field, const std::string& path) {
    return std::make_unique<DigitSenses>(digit_senses_options_of(field("digit_senses"), path));
  });
}

Var DigitSenses::in_grid(const Var& weights) const {
  return reshape(weights, {weights.size(0), options_.height / cell_pixels, options_.width / cell_pixels});
}

SensesOutput DigitSenses::fused(const Var& steps, const Tensor& lengths, const Var& cells) {
  if (co_attention_) {
    const nn::CoAttentionOutput both = (*co_attention_)(steps, cells, lengths);
    return {name_(dropout_(concat({both.first, both.second}, 1))), {}, both.first_weights, in_grid(both.second_weights)};
  }
  nn::attention::PoolingOutput heard, seen;
  if (sound_pooling_) heard = (*sound_pooling_)(steps, lengths.defined() ? sequence_mask(lengths, steps.size(1)) : Tensor());
  if (image_pooling_) seen = (*image_pooling_)(cells);
  SensesOutput result{{}, {}, heard.weights, seen.weights.defined() ? in_grid(seen.weights) : Var()};
  Var told = heard.context.defined() ? heard.context : seen.context;
  if (gated_) {
    told = (*gated_)(heard.context, seen.context);
    result.gate = mean(sigmoid(gated_->gates[0](concat({heard.context, seen.context}, 1))), {1});
  }
  result.logits = name_(dropout_(told));
  return result;
}

SensesOutput DigitSenses::forward(const Tensor& sound, const Tensor& lengths, const Tensor& image) {
  Var steps, cells;
  Tensor checked;
  if (hearing_) {
    check<ValueError>(sound.defined(), where, "the sound isn't given, which this model hears");
    check<ShapeError>(sound.rank() == 3 && sound.size(2) == options_.bands, where, "sound {} is not [batch, frames, {}]", sound,
                      options_.bands);
    checked = checked_lengths(where, lengths, "sound", sound, 1);
    steps = (*hearing_)(sound, checked);
  }
  if (sight_) {
    check<ValueError>(image.defined(), where, "the image isn't given, which this model sees");
    check<ShapeError>(image.rank() == 3 && image.size(1) == options_.height && image.size(2) == options_.width, where,
                      "image {} is not [batch, {}, {}]", image, options_.height, options_.width);
    cells = (*sight_)(image);
  }
  check<ShapeError>(!hearing_ || !sight_ || sound.size(0) == image.size(0), where,
                    "sound {} and image {} differ in their batch", sound, image);
  return fused(steps, checked, cells);
}

}  // namespace weft::seq2seq
