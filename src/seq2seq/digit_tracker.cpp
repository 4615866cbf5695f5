#include "weft/seq2seq/digit_tracker.hpp"

#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "seq2seq/best_weights.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/distance_loss.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "DigitTracker";
constexpr std::int64_t digits = 2, coordinates = 2, cell_pixels = 4;

DigitTrackerOptions checked(const DigitTrackerOptions& o) {
  check<ValueError>(o.size > 0 && o.size % cell_pixels == 0, where, "size is {}; a multiple of {} is needed", o.size,
                    cell_pixels);
  check<ValueError>(o.channels > 0 && o.hidden > 0 && o.classes > 0, where,
                    "{} channels, hidden {}, {} classes; each must be positive", o.channels, o.hidden, o.classes);
  check<ValueError>(o.conv_lstm >= 0, where, "conv_lstm is {}; a number of channels is needed, 0 for none", o.conv_lstm);
  return o;
}

/// Channels of a cell.
std::int64_t cell_size(const DigitTrackerOptions& o) { return 4 * o.channels + o.conv_lstm; }

nn::Conv2dOptions convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, bool bias) {
  return {.in_channels = in, .out_channels = out, .kernel_size = kernel, .stride = stride, .padding = kernel / 2, .bias = bias};
}

/// Row and column of the middle of each cell, as shares of the frame: [cells, 2].
Tensor middles(std::int64_t side, DType dtype) {
  Tensor result = Tensor::empty({side * side, coordinates}, f64);
  double* place = result.mutable_data<double>();
  for (std::int64_t row = 0; row < side; ++row)
    for (std::int64_t column = 0; column < side; ++column) {
      *place++ = (static_cast<double>(row) + 0.5) / static_cast<double>(side);
      *place++ = (static_cast<double>(column) + 0.5) / static_cast<double>(side);
    }
  return result.to(dtype);
}

}  // namespace

std::string to_json(const DigitTrackerOptions& o) {
  nlohmann::ordered_json json = {{"size", o.size}, {"channels", o.channels}, {"hidden", o.hidden}, {"classes", o.classes}};
  if (o.recurrent != nn::RecurrentKind::lstm) json["recurrent"] = name_of(o.recurrent);
  if (o.conv_lstm > 0) json["conv_lstm"] = o.conv_lstm;
  return json.dump();
}

DigitTrackerOptions digit_tracker_options_of(const std::string& json, const std::string& source) {
  try {
    const auto o = nlohmann::json::parse(json);
    return {.size = o.at("size"),
            .channels = o.at("channels"),
            .hidden = o.at("hidden"),
            .classes = o.at("classes"),
            .recurrent = nn::recurrent_kind(o.value("recurrent", "lstm")),
            .conv_lstm = o.value("conv_lstm", std::int64_t{0})};
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata don't describe a tracker of digits ({})", source, error.what());
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: {}", source, error.what());
  }
}

DigitTracker::DigitTracker(const DigitTrackerOptions& options, const nn::Scope& scope)
    : Module(scope),
      options_(checked(options)),
      first_(convolution(1, options.channels, 5, 2, true), {this, "first"}),
      second_(convolution(options.channels, 2 * options.channels, 3, 2, false), {this, "second"}),
      third_(convolution(2 * options.channels, 4 * options.channels, 3, 1, false), {this, "third"}),
      second_norm_({.num_features = 2 * options.channels}, {this, "second_norm"}),
      third_norm_({.num_features = 4 * options.channels}, {this, "third_norm"}),
      place_(this, "place", Shape{4 * options.channels, options.size / cell_pixels, options.size / cell_pixels},
             nn::init::normal()),
      attention_({}, {this, "attention"}),
      cell_(options.recurrent, {.input_size = digits * (cell_size(options) + coordinates), .hidden_size = options.hidden},
            {this, "cell"}),
      query_({.in_features = options.hidden, .out_features = digits * cell_size(options)}, {this, "query"}),
      correction_({.in_features = options.hidden, .out_features = digits * coordinates}, {this, "correction"}),
      refinement_({.in_features = cell_size(options), .out_features = coordinates}, {this, "refinement"}),
      front_({.in_features = options.hidden, .out_features = 1}, {this, "front"}),
      description_({.in_features = cell_size(options), .out_features = cell_size(options)}, {this, "description"}),
      pooling_({.size = cell_size(options), .hidden = cell_size(options)}, {this, "pooling"}),
      name_({.in_features = cell_size(options), .out_features = options.classes}, {this, "name"}) {
  if (options.conv_lstm > 0)
    conv_lstm_.emplace(nn::ConvLSTMOptions{.input_channels = 4 * options.channels, .hidden_channels = options.conv_lstm},
                       nn::Scope{this, "conv_lstm"});
}

std::unique_ptr<DigitTracker> DigitTracker::load(const std::filesystem::path& folder) {
  return load_described(where, folder, "tracker of digits", [](const auto& field, const std::string& path) {
    return std::make_unique<DigitTracker>(digit_tracker_options_of(field("digit_tracker"), path));
  });
}

// The frames as a batch, time first: [frames * batch, cells, channels].
Var DigitTracker::features(const Tensor& frames) {
  const std::int64_t batch = frames.size(0), steps = frames.size(1), all = batch * steps;
  const std::int64_t size = options_.size, side = size / cell_pixels;
  const Var images = frames.transpose(0, 1).reshape({all, 1, size, size});
  Var x = relu(first_(images));
  x = relu(second_norm_(second_(x)));
  x = relu(third_norm_(third_(x))) + place_;
  if (conv_lstm_) {
    const Var films = transpose(reshape(x, {steps, batch, x.size(1), side, side}), 0, 1);
    x = concat({x, flatten(transpose((*conv_lstm_)(films).output, 0, 1), 0, 1)}, 1);
  }
  return transpose(reshape(x, {all, x.size(1), side * side}), 1, 2);
}

Tracks DigitTracker::forward(const Tensor& frames) {
  check<ShapeError>(frames.rank() == 4 && frames.size(0) > 0 && frames.size(1) > 0 && frames.size(2) == options_.size &&
                        frames.size(3) == options_.size,
                    where, "frames {} are not [batch, frames, {}, {}] with one of each at least", frames, options_.size,
                    options_.size);
  const std::int64_t batch = frames.size(0), steps = frames.size(1), side = options_.size / cell_pixels;
  const Var cells = features(frames);
  const Var middle = middles(side, frames.dtype());
  const nn::AttentionMemory memory = attention_.remember(cells, cells);
  LSTMState state{Tensor::zeros({batch, options_.hidden}, frames.dtype()), {}};
  PoolVector<Var> found, centres, weights;
  for (std::int64_t t = 0; t < steps; ++t) {
    const auto of_frame = [&](const Var& x) { return slice(x, 0, t * batch, (t + 1) * batch); };
    const Var query = reshape(query_(state.h), {batch, digits, cells.size(2)});
    const nn::AttentionOutput seen = attention_(query, nn::AttentionMemory{of_frame(memory.keys), of_frame(memory.values), {}});
    const Var place = matmul(seen.weights, middle);  // [batch, digits, coordinates]
    state = cell_(concat({flatten(seen.context, 1, 2), flatten(place, 1, 2)}, 1), state);
    centres.push_back(place + refinement_(seen.context) + reshape(correction_(state.h), {batch, digits, coordinates}));
    found.push_back(seen.context);
    weights.push_back(seen.weights);
  }
  const Var described = relu(description_(stack(found, 2)));  // [batch, digits, frames, any]
  const nn::attention::PoolingOutput pooled = pooling_(flatten(described, 0, 1));
  return {.names = reshape(name_(pooled.context), {batch, digits, options_.classes}),
          .centres = stack(centres, 1) * static_cast<double>(options_.size),
          .front = squeeze(front_(state.h), 1),
          .frame_weights = reshape(pooled.weights, {batch, digits, steps}),
          .cell_weights = reshape(stack(weights, 2), {batch, digits, steps, side, side})};
}

Var tracking_loss(const Tracks& tracks, const TrackTargets& targets) {
  constexpr const char* op = "tracking_loss";
  const std::int64_t batch = tracks.names.size(0);
  check<ShapeError>(targets.names.shape() == Shape{batch, digits} && targets.centres.shape() == tracks.centres.shape(), op,
                    "names {} and centres {} don't fit tracks of names {} and centres {}", targets.names, targets.centres,
                    tracks.names.value(), tracks.centres.value());
  const Var log_probability = log_softmax(tracks.names, -1);
  const Var centres = tracks.centres / static_cast<double>(cell_pixels);
  const Tensor there = (Var(targets.centres) / static_cast<double>(cell_pixels)).value();
  // What it costs that a track is a digit: [batch].
  const auto cost = [&](std::int64_t track, std::int64_t digit) {
    const Var name = gather(select(log_probability, 1, track), 1, targets.names.slice(1, digit, digit + 1));
    const Var distance = huber_loss(select(centres, 2, track), there.select(2, digit), LossReduction::none);
    return sum(distance, {1, 2}) / static_cast<double>(distance.size(1)) - squeeze(name, 1);
  };
  const Var straight = cost(0, 0) + cost(1, 1) + softplus(-tracks.front);
  const Var crossed = cost(0, 1) + cost(1, 0) + softplus(tracks.front);
  return mean(minimum(straight, crossed));
}

}  // namespace weft::seq2seq
