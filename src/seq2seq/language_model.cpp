#include "weft/seq2seq/language_model.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/fail.hpp"
#include "base/named.hpp"
#include "seq2seq/best_weights.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/shape.hpp"
#include "weft/seq2seq/model_options.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "LanguageModel";

LanguageModelOptions checked(const LanguageModelOptions& o) {
  check<ValueError>(o.vocabulary > 0 && o.width > 0 && o.layers > 0, where,
                    "vocabulary {}, width {}, {} layers; each must be positive", o.vocabulary, o.width, o.layers);
  if (o.kind == LanguageModelKind::transformer)
    check<ValueError>(o.heads > 0 && o.feed_forward > 0 && o.width % 2 == 0 && o.width % o.heads == 0, where,
                      "width {}, {} heads, feed_forward {}: each must be positive, the width even (sines and cosines) and a "
                      "multiple of the heads",
                      o.width, o.heads, o.feed_forward);
  else
    check<ValueError>(o.mixing == nn::Mixing::attention && o.normaliser == nn::Normaliser::softmax, where,
                      "mixing {} and normaliser {} are of Transformers; {} has neither", nn::name_of(o.mixing),
                      nn::name_of(o.normaliser), name_of(o.kind));
  return o;
}

// Embeddings of length 1, so that the tied output starts with logits near 0.
nn::EmbeddingOptions embedding_options(const LanguageModelOptions& o) {
  return {.num_embeddings = o.vocabulary,
          .embedding_dim = o.width,
          .weight_init = nn::init::normal(0, 1 / std::sqrt(static_cast<double>(o.width)))};
}

}  // namespace

std::string name_of(LanguageModelKind kind) { return language_model_names[static_cast<std::size_t>(kind)]; }

LanguageModelKind language_model_kind(const std::string& name) {
  return named<LanguageModelKind>(language_model_names, where, "kind of model", name);
}

std::string to_json(const LanguageModelOptions& o) {
  nlohmann::ordered_json json = {{"model", name_of(o.kind)}, {"vocabulary", o.vocabulary}, {"width", o.width},
                                 {"layers", o.layers},       {"heads", o.heads},           {"feed_forward", o.feed_forward},
                                 {"dropout", o.dropout},     {"tie_output", o.tie_output}};
  // Only what isn't as it was before there was a choice: older runs go on.
  const LanguageModelOptions plain;
  if (o.mixing != plain.mixing) json["mixing"] = nn::name_of(o.mixing);
  if (o.kernel_size != plain.kernel_size) json["kernel_size"] = o.kernel_size;
  if (o.reach != plain.reach) json["reach"] = o.reach;
  if (o.normaliser != plain.normaliser) json["normaliser"] = nn::name_of(o.normaliser);
  return json.dump();
}

LanguageModelOptions language_model_options_of(const std::string& json, const std::string& source) {
  try {
    const auto o = nlohmann::json::parse(json);
    const LanguageModelOptions plain;
    const std::string kind = o.at("model");
    check<FormatError>(std::find(language_model_names.begin(), language_model_names.end(), kind) != language_model_names.end(),
                       where, "{}: its metadata describe a model '{}', which isn't known", source, kind);
    return {.kind = language_model_kind(kind),
            .vocabulary = o.at("vocabulary"),
            .width = o.at("width"),
            .layers = o.at("layers"),
            .heads = o.at("heads"),
            .feed_forward = o.at("feed_forward"),
            .dropout = o.at("dropout"),
            .tie_output = o.at("tie_output"),
            .mixing = parse_mixing(o.value("mixing", "attention")),
            .kernel_size = o.value("kernel_size", plain.kernel_size),
            .reach = o.value("reach", plain.reach),
            .normaliser = nn::normaliser_of(o.value("normaliser", "softmax"))};
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a language model ({})", source, error.what());
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: {}", source, error.what());
  }
}

LanguageModel::LanguageModel(const LanguageModelOptions& options, const nn::Scope& scope)
    : Module(scope),
      options_(checked(options)),
      embedding_(embedding_options(options), {this, "embedding"}),
      positions_({this, "positions"}),
      dropout_({.p = options.dropout}, {this, "dropout"}) {
  if (options_.kind != LanguageModelKind::transformer) {
    recurrent_.emplace(options_.kind == LanguageModelKind::lstm ? nn::RecurrentKind::lstm : nn::RecurrentKind::gru,
                       nn::RecurrentOptions{.input_size = options_.width,
                                            .hidden_size = options_.width,
                                            .num_layers = options_.layers,
                                            .dropout = options_.layers > 1 ? options_.dropout : 0},
                       nn::Scope{this, name_of(options_.kind)});
  } else {
    transformer_.emplace(nn::TransformerStackOptions{.layer = {.d_model = options_.width,
                                                               .nhead = options_.heads,
                                                               .dim_feedforward = options_.feed_forward,
                                                               .dropout = options_.dropout,
                                                               .activation = nn::TransformerActivation::gelu,
                                                               .norm_first = true,
                                                               .weight_init = nn::init::xavier_uniform(),
                                                               .mixing = options_.mixing,
                                                               .kernel_size = options_.kernel_size,
                                                               .reach = options_.reach,
                                                               .normaliser = options_.normaliser},
                                                     .num_layers = options_.layers,
                                                     .norm = true},
                         nn::Scope{this, "transformer"});
  }
  if (!options_.tie_output)
    output_.emplace(nn::LinearOptions{.in_features = options_.width, .out_features = options_.vocabulary},
                    nn::Scope{this, "output"});
}

Var LanguageModel::embedded(const Tensor& ids) {
  check<ShapeError>(ids.rank() == 2 && ids.size(0) > 0 && ids.size(1) > 0, where,
                    "ids {} are not [rows, steps] with one of each at least", ids);
  return embedding_(ids) * std::sqrt(static_cast<double>(options_.width));
}

Var LanguageModel::logits(const Var& output) { return output_ ? (*output_)(output) : embedding_.project(output); }

Var LanguageModel::read(const Var& x, LSTMState& state) {
  if (transformer_) return logits((*transformer_)(dropout_(positions_(x)), AttentionMask{.causal = true}));
  const nn::LSTMOutput all = (*recurrent_)(dropout_(x), Tensor(), state);
  // The next step's tape doesn't reach back into this one.
  state = {all.h.detach(), all.c.defined() ? all.c.detach() : Var()};
  return logits(dropout_(all.output));
}

Var LanguageModel::forward(const Tensor& ids, LSTMState& state) { return read(embedded(ids), state); }

Var LanguageModel::step(const Tensor& ids, LanguageModelState& state) {
  if (recurrent_) return (*this)(ids, state.recurrent);
  return run([&] {
    nn::TransformerStep next =
        transformer_->step(dropout_(positions_(embedded(ids), state.transformer.places())), state.transformer);
    state.transformer = std::move(next.state);
    return logits(next.output);
  });
}

Var LanguageModel::forward(const Tensor& ids) {
  LSTMState nowhere;
  return forward(ids, nowhere);
}

Var LanguageModel::forward(const Tensor& ids, const Var& presence) {
  const Var x = embedded(ids);
  check<ShapeError>(presence.shape() == ids.shape(), where, "presence {} is not one number for each of the ids {}",
                    presence.value(), ids);
  LSTMState nowhere;
  return read(x * unsqueeze(presence, 2), nowhere);
}

TrainedLanguageModel TrainedLanguageModel::load(const std::filesystem::path& folder) {
  std::optional<text::Symbols> symbols;
  auto model = load_described(where, folder, "language model", [&](const auto& field, const std::string& path) {
    const LanguageModelOptions options = language_model_options_of(field("language_model"), path);
    symbols = text::Symbols::from_json(field("symbols"), path);
    check<FormatError>(symbols->size() == options.vocabulary, where, "{}: {} symbols don't fit a model of {}", path,
                       symbols->size(), options.vocabulary);
    return std::make_unique<LanguageModel>(options);
  });
  return {std::move(*symbols), std::move(model)};
}

TextWindows::TextWindows(std::span<const std::int32_t> text, std::int64_t row_count, std::int64_t tokens, std::int64_t first)
    : ids(text), rows(row_count), window(tokens), offset(first) {
  check<ValueError>(rows > 0 && window > 0 && offset >= 0, where,
                    "{} rows, windows of {} from {}; the first two must be positive", rows, window, offset);
  const auto size = static_cast<std::int64_t>(ids.size());
  check<ValueError>(size - offset > rows, where, "a text of {} tokens is too short for {} rows from token {}: {} are needed",
                    size, rows, offset, offset + rows + 1);
  length = (size - offset - 1) / rows;
}

Tensor TextWindows::cut(std::int64_t i, std::int64_t shift) const {
  check<IndexError>(i >= 0 && i < count(), where, "window {} is outside 0..{}", i, count() - 1);
  const std::int64_t start = i * window, steps = std::min(window, length - start);
  Tensor result = Tensor::empty({rows, steps}, i32);
  auto* to = result.mutable_data<std::int32_t>();
  for (std::int64_t row = 0; row < rows; ++row)
    std::copy_n(ids.begin() + offset + row * length + start + shift, steps, to + row * steps);
  return result;
}

double language_model_loss(LanguageModel& model, std::span<const std::int32_t> ids, std::int64_t rows, std::int64_t window) {
  const TextWindows text(ids, rows, window);
  const NoGrad nothing_recorded;
  LSTMState state;
  double sum = 0;
  for (std::int64_t i = 0; i < text.count(); ++i) {
    const Tensor targets = text.targets(i);
    sum += cross_entropy(model(text.inputs(i), state), targets).item() * static_cast<double>(targets.numel());
  }
  return sum / static_cast<double>(text.rows * text.length);
}

std::vector<double> token_losses(LanguageModel& model, std::span<const std::int32_t> ids) {
  check<ValueError>(!ids.empty(), where, "the text is empty; one token is needed to score those behind it");
  if (ids.size() == 1) return {};
  const NoGrad nothing_recorded;
  const TextWindows text(ids, 1, static_cast<std::int64_t>(ids.size()));
  const Tensor losses =
      cross_entropy(model(text.inputs(0)), text.targets(0), {.reduction = LossReduction::none}).value().to(f64).contiguous();
  return {losses.data<double>(), losses.data<double>() + losses.numel()};
}

std::vector<std::int32_t> continuation(LanguageModel& model, std::span<const std::int32_t> prompt, Generator& generator,
                                       const ContinuationOptions& options) {
  check<ValueError>(!prompt.empty(), where, "the prompt is empty; one token is needed to go on from");
  check<ValueError>(options.length >= 0 && options.window > 0, where,
                    "length {} and window {}: the length can't be negative, the window must be positive", options.length,
                    options.window);
  const NoGrad nothing_recorded;
  std::vector<std::int32_t> text(prompt.begin(), prompt.end());
  LanguageModelState state;
  std::size_t read = 0;  // tokens that the state has seen
  while (text.size() < prompt.size() + static_cast<std::size_t>(options.length)) {
    const auto seen = state.transformer.places() + static_cast<std::int64_t>(text.size() - read);
    if (model.options().kind == LanguageModelKind::transformer && seen > options.window) {
      state = {};
      read = text.size() - static_cast<std::size_t>((options.window + 1) / 2);
    }
    const auto steps = static_cast<std::int64_t>(text.size() - read);
    const Tensor ids = Tensor::from<std::int32_t>(std::span<const std::int32_t>(text).subspan(read), {1, steps});
    const Tensor logits = model.step(ids, state).value().select(1, steps - 1).to(f32).contiguous();
    const std::span<const float> last(logits.data<float>(), static_cast<std::size_t>(logits.numel()));
    read = text.size();
    text.push_back(draw_token(filtered_softmax(last, options.filter), generator.uniform()));
  }
  return {text.begin() + static_cast<std::ptrdiff_t>(prompt.size()), text.end()};
}

}  // namespace weft::seq2seq
