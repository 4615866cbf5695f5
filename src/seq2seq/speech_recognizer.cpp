#include "weft/seq2seq/speech_recognizer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/fail.hpp"
#include "seq2seq/best_weights.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/data/deltas.hpp"
#include "weft/nn/ctc_decode.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "SpeechRecognizer";
constexpr std::int32_t first_label = end_id + 1;  // of the attention model's tokens

SpeechRecognizerOptions checked(const SpeechRecognizerOptions& o) {
  check<ValueError>(!o.labels.empty(), where, "there are no labels");
  std::set<std::string> seen;
  for (const std::string& label : o.labels) {
    check<ValueError>(!label.empty() && label.find_first_of(" \t\r\n") == std::string::npos, where,
                      "the label '{}' isn't a word: it is empty or has white space", label);
    check<ValueError>(seen.insert(label).second, where, "the label '{}' stands twice", label);
  }
  check<ValueError>(o.stack >= 1 && o.label_frames >= 0 && o.delta_orders >= 0 && o.delta_window >= 1, where,
                    "stack {}, label_frames {}, delta_orders {}, delta_window {}: label_frames and the orders can't be "
                    "negative, the others must be 1 or more",
                    o.stack, o.label_frames, o.delta_orders, o.delta_window);
  check<ValueError>(
      o.model == SpeechModel::attention || o.normaliser == nn::Normaliser::softmax, where,
      "normaliser {}: a model of kind {} has no attention to weigh by; leave it at softmax, or take an attention model",
      name_of(o.normaliser), name_of(o.model));
  return o;
}

std::int64_t size_of(const SpeechRecognizerOptions& o) { return o.log_mel.bands * (1 + o.delta_orders) * o.stack; }

std::vector<const TokenIds*> pointers(std::span<const TokenIds> rows) {
  std::vector<const TokenIds*> result;
  for (const TokenIds& row : rows) result.push_back(&row);
  return result;
}

// The attention model's tokens for labels, and back.
std::vector<TokenIds> tokens_of(std::span<const TokenIds> labels) {
  std::vector<TokenIds> result(labels.begin(), labels.end());
  for (TokenIds& row : result)
    for (std::int32_t& label : row) label += first_label;
  return result;
}

// Calls run(places, padded) with `batch` sounds at a time, those of like length together, so that little is padding.
template <class Run>
void by_length(std::span<const Tensor> features, std::int64_t batch, const Run& run) {
  std::vector<std::size_t> order(features.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return features[a].size(0) < features[b].size(0); });
  const auto most = static_cast<std::size_t>(batch);
  for (std::size_t begin = 0; begin < order.size(); begin += most) {
    const std::span<const std::size_t> places(order.data() + begin, std::min(most, order.size() - begin));
    std::vector<Tensor> rows;
    for (const std::size_t place : places) rows.push_back(features[place]);
    run(places, pad_features(rows));
  }
}

// For each label of a greedy reading its probability at the steps whose likeliest class it is: f32 [labels, steps].
Tensor runs_of(const Tensor& probabilities, std::size_t labels) {
  const std::int64_t steps = probabilities.size(0), classes = probabilities.size(1);
  Tensor result = Tensor::zeros({static_cast<std::int64_t>(labels), steps});
  auto* weights = result.mutable_data<float>();
  std::int64_t run = -1, before = 0;
  for (std::int64_t t = 0; t < steps; ++t) {
    const auto* row = probabilities.data<float>() + t * classes;
    const std::int64_t best = std::max_element(row, row + classes) - row;
    if (best != 0 && best != before) ++run;
    if (best != 0 && run < static_cast<std::int64_t>(labels)) weights[run * steps + t] = row[best];
    before = best;
  }
  return result;
}

}  // namespace

SpeechRecognizer::SpeechRecognizer(const SpeechRecognizerOptions& options, const nn::Scope& scope)
    : Module(scope),
      options_(checked(options)),
      log_mel_(options.log_mel),
      mean_(this, "mean", {options.log_mel.bands}, 0),
      deviation_(this, "deviation", {options.log_mel.bands}, 1) {
  const auto labels = static_cast<std::int64_t>(options.labels.size());
  switch (options.model) {
    case SpeechModel::ctc:
      ctc_.emplace(CTCModelOptions{.source_size = size_of(options),
                                   .labels = labels,
                                   .hidden = options.hidden,
                                   .layers = options.layers,
                                   .recurrent = options.recurrent,
                                   .dropout = options.dropout},
                   nn::Scope{this, "ctc"});
      break;
    case SpeechModel::attention:
      attention_.emplace(EncoderDecoderOptions{.target_vocabulary = first_label + labels,
                                               .source_size = size_of(options),
                                               .embedding = options.embedding,
                                               .hidden = 2 * options.hidden,
                                               .encoder_layers = options.layers,
                                               .attention = AttentionKind::location,
                                               .normaliser = options.normaliser,
                                               .recurrent = options.recurrent,
                                               .dropout = options.dropout},
                         nn::Scope{this, "attention"});
      break;
    case SpeechModel::transducer:
      transducer_.emplace(TransducerModelOptions{.source_size = size_of(options),
                                                 .labels = labels,
                                                 .hidden = options.hidden,
                                                 .layers = options.layers,
                                                 .embedding = options.embedding,
                                                 .prediction = options.hidden,
                                                 .joint = 2 * options.hidden,
                                                 .recurrent = options.recurrent,
                                                 .dropout = options.dropout},
                          nn::Scope{this, "transducer"});
      break;
  }
}

std::unique_ptr<SpeechRecognizer> SpeechRecognizer::load(const std::filesystem::path& folder) {
  return load_described(where, folder, "speech recogniser", [](const auto& field, const std::string& path) {
    return std::make_unique<SpeechRecognizer>(speech_recognizer_options_of(field("speech"), path));
  });
}

Metadata SpeechRecognizer::metadata() const { return {{"speech", to_json(options_)}}; }

void SpeechRecognizer::learn_normalisation(std::span<const Tensor> log_mels) {
  const auto bands = static_cast<std::size_t>(options_.log_mel.bands);
  std::vector<double> sum(bands), squares(bands);
  std::int64_t frames = 0;
  for (const Tensor& x : log_mels) {
    check<ShapeError>(x.rank() == 2 && x.size(1) == options_.log_mel.bands && x.dtype() == f32, where,
                      "log-mel energies {} are not f32 [frames, {}]", x, bands);
    const Tensor dense = x.contiguous();
    const auto* value = dense.data<float>();
    for (std::int64_t t = 0; t < dense.size(0); ++t)
      for (std::size_t b = 0; b < bands; ++b) {
        const auto v = static_cast<double>(*value++);
        sum[b] += v;
        squares[b] += v * v;
      }
    frames += dense.size(0);
  }
  check<ValueError>(frames > 0, where, "there are no sounds to learn the normalisation from");
  Tensor mean = Tensor::empty(mean_.value().shape(), f64), deviation = mean.empty_like();
  for (std::size_t b = 0; b < bands; ++b) {
    const double m = mean.mutable_data<double>()[b] = sum[b] / static_cast<double>(frames);
    // A band that never changes stays as it is.
    const double variance = squares[b] / static_cast<double>(frames) - m * m;
    deviation.mutable_data<double>()[b] = variance > 1e-6 ? std::sqrt(variance) : 1;
  }
  mean_.value().copy_from(mean.to(mean_.value().dtype()));
  deviation_.value().copy_from(deviation.to(deviation_.value().dtype()));
}

Tensor SpeechRecognizer::normalised(std::span<const float> samples) const {
  Tensor result = log_mel_(samples);
  const Tensor mean = mean_.value().to(f32), deviation = deviation_.value().to(f32);
  auto* x = result.mutable_data<float>();
  for (std::int64_t t = 0; t < result.size(0); ++t)
    for (std::int64_t b = 0; b < result.size(1); ++b, ++x) *x = (*x - mean.data<float>()[b]) / deviation.data<float>()[b];
  return result;
}

Tensor SpeechRecognizer::stacked(const Tensor& log_mel) const {
  return data::stack_frames(data::with_deltas(log_mel, options_.delta_orders, options_.delta_window), options_.stack);
}

Tensor SpeechRecognizer::features(std::span<const float> samples) const { return stacked(normalised(samples)); }

Tensor SpeechRecognizer::features(std::span<const float> samples, Generator& generator,
                                  const data::SpecAugmentOptions& masks) const {
  return stacked(data::spec_augment(normalised(samples), generator, masks));
}

Tensor SpeechRecognizer::features(std::span<const float> samples, std::span<const std::int64_t> hidden) const {
  Tensor frames = normalised(samples);
  const std::int64_t count = frames.size(0), steps = (count + options_.stack - 1) / options_.stack;
  for (const std::int64_t step : hidden) {
    check<IndexError>(step >= 0 && step < steps, where, "step {} to hide is outside the sound's 0..{}", step, steps - 1);
    frames.slice(0, step * options_.stack, std::min(count, (step + 1) * options_.stack)).fill(0);
  }
  return stacked(frames);
}

std::int64_t SpeechRecognizer::steps(std::int64_t samples) const {
  return (log_mel_.frames(samples) + options_.stack - 1) / options_.stack;
}

bool SpeechRecognizer::fits(std::int64_t samples, const TokenIds& labels) const {
  return steps(samples) >= (ctc_ ? std::max<std::int64_t>(CTCModel::steps_needed(labels), 1) : 1);
}

void SpeechRecognizer::check_labels(std::span<const Tensor> features, std::span<const TokenIds> labels) const {
  check<ValueError>(features.size() == labels.size(), where, "{} sounds, but labels of {}", features.size(), labels.size());
  for (std::size_t r = 0; r < labels.size(); ++r)
    for (const std::int32_t label : labels[r])
      check<IndexError>(label >= 0 && static_cast<std::size_t>(label) < options_.labels.size(), where,
                        "label {} of row {} is outside 0..{}", label, r, options_.labels.size() - 1);
}

Var SpeechRecognizer::loss(std::span<const Tensor> features, std::span<const TokenIds> labels, double label_smoothing) {
  check_labels(features, labels);
  if (ctc_) return ctc_->loss(pad_features(features), pointers(labels));
  if (transducer_) return transducer_->loss(pad_features(features), pointers(labels));
  const std::vector<TokenIds> tokens = tokens_of(labels);
  return attention_->loss(make_batch(pad_features(features), pointers(tokens)), label_smoothing);
}

std::int64_t SpeechRecognizer::tokens(std::span<const TokenIds> labels) const {
  std::size_t count = attention_ ? labels.size() : 0;
  for (const TokenIds& row : labels) count += row.size();
  return static_cast<std::int64_t>(count);
}

std::vector<Recognition> SpeechRecognizer::recognize(std::span<const Tensor> features, const RecognizeOptions& options) {
  check<ValueError>(options.beam >= 1 && options.batch >= 1, where, "a beam of {}, {} sounds at a time; 1 or more are possible",
                    options.beam, options.batch);
  check<ValueError>(!options.weights || !ctc_ || options.beam == 1, where,
                    "a beam of {} over CTC has no weights; take 1, or leave them out", options.beam);
  check<ValueError>(!options.weights || !transducer_, where, "a transducer has no weights; leave them out");
  std::vector<Recognition> result(features.size());
  by_length(features, options.batch, [&](std::span<const std::size_t> places, const Padded& source) {
    std::vector<Recognition> found = ctc_         ? recognize_ctc(source, options)
                                     : attention_ ? recognize_attention(source, options)
                                                  : recognize_transducer(source, options);
    for (std::size_t i = 0; i < found.size(); ++i) {
      found[i].text = text_of(found[i].labels);
      result[places[i]] = std::move(found[i]);
    }
  });
  return result;
}

std::vector<Recognition> SpeechRecognizer::recognize_ctc(const Padded& source, const RecognizeOptions& options) {
  const NoGrad nothing_recorded;
  const Tensor logits = (*ctc_)(source).value();
  std::vector<nn::DecodedLabels> decoded;
  if (options.beam == 1)
    decoded = nn::ctc_greedy(logits, source.lengths);
  else
    for (auto& best : nn::ctc_beam_search(logits, source.lengths, {.beam_width = options.beam})) decoded.push_back(best.at(0));
  const Tensor probabilities = options.weights ? softmax(logits, -1).value().to(f32).contiguous() : Tensor();
  std::vector<Recognition> result;
  for (const nn::DecodedLabels& row : decoded) {
    const auto at = static_cast<std::int64_t>(result.size());
    Recognition& heard = result.emplace_back();
    heard.log_probability = row.log_probability;
    for (const std::int64_t label : row.labels) heard.labels.push_back(static_cast<std::int32_t>(label - 1));
    if (options.weights && !heard.labels.empty())
      heard.weights =
          runs_of(probabilities.select(0, at).slice(0, 0, source.lengths.data<std::int64_t>()[at]), heard.labels.size());
  }
  return result;
}

std::vector<Recognition> SpeechRecognizer::recognize_attention(const Padded& source, const RecognizeOptions& options) {
  const NoGrad nothing_recorded;
  BeamSearchOptions search{.beam = options.beam, .attention = options.weights};
  if (options_.label_frames > 0) {
    search.max_length_ratio = static_cast<double>(options_.stack) / static_cast<double>(options_.label_frames);
    search.max_length_offset = 1;  // the end is a token, too
  }
  std::vector<Recognition> result;
  for (const auto& hypotheses : beam_search(*attention_, source, search)) {
    const Hypothesis& best = hypotheses.at(0);
    Recognition& heard = result.emplace_back();
    heard.log_probability = best.log_probability;
    // A model that is hardly trained may give the unknown token, which is no label.
    PoolVector<std::int64_t> rows;
    for (std::size_t i = 0; i < best.ids.size(); ++i)
      if (best.ids[i] >= first_label) {
        heard.labels.push_back(best.ids[i] - first_label);
        rows.push_back(static_cast<std::int64_t>(i));
      }
    if (!best.attention.defined()) continue;
    for (auto end = static_cast<std::int64_t>(best.ids.size()); end < best.attention.size(0); ++end) rows.push_back(end);
    heard.weights =
        index_select(best.attention, 0, Tensor::from<std::int64_t>(rows, {static_cast<std::int64_t>(rows.size())})).value();
  }
  return result;
}

std::vector<Recognition> SpeechRecognizer::recognize_transducer(const Padded& source, const RecognizeOptions& options) {
  std::vector<Recognition> result;
  for (const nn::DecodedLabels& row : transducer_->transcribe(source, options.beam)) {
    Recognition& heard = result.emplace_back();
    heard.log_probability = row.log_probability;
    for (const std::int64_t label : row.labels) heard.labels.push_back(static_cast<std::int32_t>(label));
  }
  return result;
}

std::vector<ForcedDecoding> SpeechRecognizer::read_labels(std::span<const Tensor> features, std::span<const TokenIds> labels,
                                                          std::int64_t batch) {
  check<ValueError>(attention_.has_value(), where,
                    "a model of kind {} weighs no steps for its labels; an attention model is needed", name_of(options_.model));
  check<ValueError>(batch >= 1, where, "{} sounds at a time; 1 or more are possible", batch);
  check_labels(features, labels);
  const std::vector<TokenIds> tokens = tokens_of(labels);
  std::vector<ForcedDecoding> result(features.size());
  by_length(features, batch, [&](std::span<const std::size_t> places, const Padded& source) {
    std::vector<const TokenIds*> targets;
    for (const std::size_t place : places) targets.push_back(&tokens[place]);
    std::vector<ForcedDecoding> read = forced_decoding(*attention_, make_batch(source, targets));
    for (std::size_t i = 0; i < read.size(); ++i) result[places[i]] = std::move(read[i]);
  });
  return result;
}

std::string SpeechRecognizer::text_of(const TokenIds& labels) const {
  std::string text;
  for (const std::int32_t label : labels) text += (text.empty() ? "" : " ") + options_.labels[static_cast<std::size_t>(label)];
  return text;
}

Tensor over_frames(const Tensor& weights, std::int64_t frames, std::int64_t stack) {
  check<ShapeError>(
      weights.rank() == 2 && weights.dtype() == f32 && stack >= 1 && (frames + stack - 1) / stack == weights.size(1),
      "over_frames", "weights {} are not f32 [outputs, steps] of {} frames, {} a step", weights, frames, stack);
  const Tensor dense = weights.contiguous();
  const std::int64_t outputs = dense.size(0), steps = dense.size(1);
  Tensor result = Tensor::empty({outputs, frames});
  auto* to = result.mutable_data<float>();
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t t = 0; t < frames; ++t) {
      const std::int64_t step = t / stack, shares = std::min(stack, frames - step * stack);
      *to++ = dense.data<float>()[o * steps + step] / static_cast<float>(shares);
    }
  return result;
}

}  // namespace weft::seq2seq
