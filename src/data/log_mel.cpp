#include "weft/data/log_mel.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::data {
namespace {

constexpr const char* where = "LogMel";
constexpr double linear_hertz = 1000, linear_mel = 15;  // Slaney's scale is linear up to here

LogMelOptions checked(LogMelOptions o) {
  if (o.high == 0) o.high = static_cast<double>(o.rate) / 2;
  check<ValueError>(o.rate > 0 && o.window > 0 && o.hop > 0 && o.bands > 0, where,
                    "rate {}, window {}, hop {}, {} bands; each must be positive", o.rate, o.window, o.hop, o.bands);
  check<ValueError>(o.fft >= o.window, where, "a transform of {} points doesn't hold a window of {} samples", o.fft, o.window);
  check<ValueError>(o.low >= 0 && o.low < o.high && o.high <= static_cast<double>(o.rate) / 2, where,
                    "bands from {} to {} Hz; they must lie between 0 and half the rate, {}", o.low, o.high,
                    static_cast<double>(o.rate) / 2);
  check<ValueError>(std::isfinite(o.preemphasis) && o.floor > 0 && std::isfinite(o.floor), where,
                    "preemphasis {} and floor {}: both must be finite, the floor positive", o.preemphasis, o.floor);
  return o;
}

Tensor hann(std::int64_t size) {
  Tensor result = Tensor::empty({size}, f64);
  auto* w = result.mutable_data<double>();
  for (std::int64_t t = 0; t < size; ++t)
    w[t] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(t) / static_cast<double>(size));
  return result;
}

Tensor cosines_and_sines(std::int64_t window, std::int64_t fft) {
  const std::int64_t points = fft / 2 + 1;
  Tensor result = Tensor::empty({window, 2 * points});
  auto* row = result.mutable_data<float>();
  for (std::int64_t t = 0; t < window; ++t, row += 2 * points)
    for (std::int64_t k = 0; k < points; ++k) {
      // The angle's whole turns taken out while it is an integer: sine and cosine are then exact to the last digit.
      const double angle = 2 * std::numbers::pi * static_cast<double>(t * k % fft) / static_cast<double>(fft);
      row[k] = static_cast<float>(std::cos(angle));
      row[points + k] = static_cast<float>(std::sin(angle));
    }
  return result;
}

Tensor triangles(const LogMelOptions& o) {
  const std::int64_t points = o.fft / 2 + 1;
  const double first = mel_of(o.low, o.scale), last = mel_of(o.high, o.scale);
  std::vector<double> corners;  // of band b: b, b + 1 and b + 2
  for (std::int64_t i = 0; i < o.bands + 2; ++i)
    corners.push_back(hertz_of(first + (last - first) * static_cast<double>(i) / static_cast<double>(o.bands + 1), o.scale));
  Tensor result = Tensor::zeros({points, o.bands});
  auto* w = result.mutable_data<float>();
  for (std::int64_t b = 0; b < o.bands; ++b) {
    const double* corner = &corners[static_cast<std::size_t>(b)];
    double sum = 0;
    for (std::int64_t k = 0; k < points; ++k) {
      const double hertz = static_cast<double>(k * o.rate) / static_cast<double>(o.fft);
      const double rising = (hertz - corner[0]) / (corner[1] - corner[0]),
                   falling = (corner[2] - hertz) / (corner[2] - corner[1]);
      const double weight = std::max(0.0, std::min(rising, falling));
      w[k * o.bands + b] = static_cast<float>(weight);
      sum += weight;
    }
    check<ValueError>(sum > 0, where,
                      "band {} of {}, {:.1f} to {:.1f} Hz, has no point of a transform of {}: take fewer bands or a larger fft",
                      b, o.bands, corner[0], corner[2], o.fft);
  }
  return result;
}

}  // namespace

double mel_of(double hertz, MelScale scale) {
  if (scale == MelScale::htk) return 2595 * std::log10(1 + hertz / 700);
  if (hertz < linear_hertz) return hertz * linear_mel / linear_hertz;
  return linear_mel + 27 * std::log(hertz / linear_hertz) / std::log(6.4);
}

double hertz_of(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700 * (std::pow(10, mel / 2595) - 1);
  if (mel < linear_mel) return mel * linear_hertz / linear_mel;
  return linear_hertz * std::pow(6.4, (mel - linear_mel) / 27);
}

LogMel::LogMel(const LogMelOptions& options)
    : options_(checked(options)),
      window_(hann(options_.window)),
      basis_(cosines_and_sines(options_.window, options_.fft)),
      triangles_(triangles(options_)) {}

std::int64_t LogMel::frames(std::int64_t samples) const {
  if (samples <= 0) return 0;
  return samples < options_.window ? 1 : 1 + (samples - options_.window) / options_.hop;
}

Tensor LogMel::operator()(const Sound& sound) const {
  check<ValueError>(
      sound.rate == options_.rate, where,
      "the sound has {} samples a second, the options a rate of {}; take LogMelOptions for its rate, or sounds of "
      "another one",
      sound.rate, options_.rate);
  return (*this)(sound.samples);
}

Tensor LogMel::operator()(std::span<const float> samples) const {
  check<ValueError>(!samples.empty(), where, "there are no samples");
  const auto size = static_cast<std::int64_t>(samples.size());
  Tensor framed = Tensor::zeros({frames(size), options_.window});
  auto* row = framed.mutable_data<float>();
  const auto* window = window_.data<double>();
  for (std::int64_t start = 0, f = 0; f < framed.size(0); ++f, start += options_.hop, row += options_.window)
    for (std::int64_t t = 0; t < std::min(options_.window, size - start); ++t) {
      const auto at = static_cast<std::size_t>(start + t);
      const double before = static_cast<double>(samples[at == 0 ? 0 : at - 1]);
      row[t] = static_cast<float>(window[t] * (static_cast<double>(samples[at]) - options_.preemphasis * before));
    }
  const NoGrad nothing_recorded;
  const std::int64_t points = options_.fft / 2 + 1;
  const Var both = square(matmul(framed, basis_));
  const Var power = slice(both, 1, 0, points) + slice(both, 1, points, 2 * points);
  return log(clamp(matmul(power, triangles_), options_.floor, {})).value();
}

}  // namespace weft::data
