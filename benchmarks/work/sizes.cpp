#include "work/sizes.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "work/values.hpp"

namespace bench {
namespace {

// Forward and backward of so many multiply-adds forward.
double step_gflop(double multiply_adds) { return 3 * 2 * multiply_adds * 1e-9; }

double real(std::int64_t n) { return static_cast<double>(n); }

void need(bool fits, const char* what) {
  if (!fits) throw std::invalid_argument(std::string("this work needs ") + what);
}

constexpr const char* words = "a --vocabulary of at least 5: four ids are special";
constexpr const char* target = "a --length of at least 2: a word and the target's end";

}  // namespace

LstmSizes::LstmSizes(const Settings& s)
    : batch(s.batch.value_or(64)),
      length(s.length.value_or(20)),
      vocabulary(s.vocabulary.value_or(8000)),
      width(s.width.value_or(512)),
      embedding(width / 2),
      dropout(s.dropout.value_or(0)) {
  need(vocabulary >= 5, words);
  need(length >= 2, target);
  need(width % 2 == 0, "an even --width: the encoder's directions have half of it each");
}

double LstmSizes::gflop() const {
  const double h = real(width), e = real(embedding);
  const double encoder = 2 * 4 * (h / 2) * (e + h / 2), decoder = 4 * h * (e + 2 * h);
  const double attention = h * h + 2 * real(length) * h + 2 * h * h, output = h * real(vocabulary);
  return step_gflop(real(batch * length) * (encoder + decoder + attention + output));
}

TransformerSizes::TransformerSizes(const Settings& s)
    : batch(s.batch.value_or(64)),
      length(s.length.value_or(24)),
      layers(s.layers.value_or(3)),
      width(s.width.value_or(256)),
      heads(s.heads.value_or(4)),
      feed_forward(s.feed_forward.value_or(4 * width)),
      vocabulary(s.vocabulary.value_or(8000)),
      dropout(s.dropout.value_or(0.1)) {
  need(vocabulary >= 5, words);
  need(length >= 2, target);
  need(width % heads == 0, "--heads that divide the --width");
  need(width % 2 == 0, "an even --width: positions have a sine and a cosine");
}

double TransformerSizes::gflop() const {
  const double w = real(width), attention = 4 * w * w + 2 * real(length) * w, inner = 2 * w * real(feed_forward);
  return step_gflop(real(batch * length) * (real(layers) * (3 * attention + 2 * inner) + w * real(vocabulary)));
}

Gpt2Sizes::Gpt2Sizes(const Settings& s)
    : batch(s.batch.value_or(4)),
      length(s.length.value_or(64)),
      layers(s.layers.value_or(12)),
      width(s.width.value_or(768)),
      heads(s.heads.value_or(12)),
      vocabulary(s.vocabulary.value_or(50257)),
      dropout(s.dropout.value_or(0)) {
  need(width % heads == 0, "--heads that divide the --width");
  need(length <= 1024, "a --length of at most 1024: it has so many positions");
}

double Gpt2Sizes::gflop() const {
  const double w = real(width);
  return step_gflop(real(batch * length) * (real(layers) * (12 * w * w + 2 * real(length) * w) + w * real(vocabulary)));
}

AttentionSizes::AttentionSizes(const Settings& s)
    : batch(s.batch.value_or(1)), length(s.length.value_or(2048)), heads(s.heads.value_or(8)), width(s.width.value_or(64)) {}

double AttentionSizes::gflop() const { return step_gflop(2 * real(batch * heads * length) * real(length * width)); }

RaggedSizes::RaggedSizes(const Settings& s)
    : batch(s.batch.value_or(64)),
      length(s.length.value_or(100)),
      layers(s.layers.value_or(2)),
      width(s.width.value_or(256)),
      padded(s.padded.value_or(false)),
      lengths(padded ? std::vector<std::int64_t>(static_cast<std::size_t>(batch), length)
                     : even_lengths(batch, length / 10, length)),
      dropout(s.dropout.value_or(0)) {
  need(padded || length >= 10, "a --length of at least 10: the shortest row has a tenth of it");
}

double RaggedSizes::tokens() const {
  double sum = 0;
  for (const std::int64_t steps : lengths) sum += real(steps);
  return sum;
}

double RaggedSizes::gflop() const {
  const double w = real(width);
  return step_gflop(tokens() * 2 * 4 * w * (2 * w + real(layers - 1) * 3 * w));
}

ConvSizes::ConvSizes(const Settings& s)
    : batch(s.batch.value_or(16)), length(s.length.value_or(20)), width(s.width.value_or(32)) {}

double ConvSizes::gflop() const { return step_gflop(real(batch * length * side * side) * 9 * real(width + width * width)); }

CtcSizes::CtcSizes(const Settings& s)
    : batch(s.batch.value_or(32)),
      length(s.length.value_or(400)),
      vocabulary(s.vocabulary.value_or(64)),
      targets(std::max<std::int64_t>(length * 60 / 400, 1)) {
  need(vocabulary >= 2, "a --vocabulary of at least 2: the blank and a label");
}

MlpSizes::MlpSizes(const Settings& s) : batch(s.batch.value_or(8)), width(s.width.value_or(32)) {}

double MlpSizes::gflop() const { return step_gflop(2 * real(batch * width * width)); }

TapeSizes::TapeSizes(const Settings& s) : length(s.length.value_or(1000)), width(s.width.value_or(64)) {}

}  // namespace bench
