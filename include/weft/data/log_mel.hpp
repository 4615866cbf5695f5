#pragma once
#include <cstdint>
#include <span>

#include "weft/data/sound.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::data {

/// How the bands lie over the frequencies.
enum class MelScale : std::uint8_t {
  htk,    ///< 2595 log10(1 + f / 700)
  slaney  ///< linear up to 1,000 Hz (15 mel), above it 27 mel for a factor of 6.4
};

double mel_of(double hertz, MelScale scale);
double hertz_of(double mel, MelScale scale);

struct LogMelOptions {
  std::int64_t rate = 8000;   ///< samples a second
  std::int64_t window = 200;  ///< samples of a frame, under Hann's window (periodic): 25 ms
  std::int64_t hop = 80;      ///< from a frame's first sample to the next one's: 10 ms
  std::int64_t fft = 256;     ///< points of the Fourier transform: the frame, filled up with zeros
  std::int64_t bands = 40;
  double low = 0, high = 0;  ///< Hz where the first band begins and the last ends; high 0: half the rate
  MelScale scale = MelScale::htk;
  double preemphasis = 0.97;  ///< y[t] = x[t] - preemphasis x[t - 1], with x[-1] = x[0]
  double floor = 1e-8;        ///< energies below it count as so much
};

/// Log-mel energies of a sound: log(max(floor, sum_k w[b, k] |X[k]|^2)), where X is the Fourier transform of a frame and w[b]
/// a triangle over the frequencies in Hz, which rises from the middle of the band before to 1 and falls to the middle of the
/// next. The middles are evenly spaced in mel.
class LogMel {
 public:
  /// Throws ValueError for options that can't be, and for a band so narrow that no point of the transform falls into it.
  explicit LogMel(const LogMelOptions& options = {});

  /// 1 + (samples - window) / hop, rounded down: what doesn't fill a frame at the end is left out. A sound shorter than the
  /// window is one frame, filled up with zeros.
  std::int64_t frames(std::int64_t samples) const;
  /// f32 [frames, bands]. Throws ValueError for no samples.
  Tensor operator()(std::span<const float> samples) const;
  /// The same of a sound, which says its rate. Throws ValueError also where that isn't the options'.
  Tensor operator()(const Sound& sound) const;

  const LogMelOptions& options() const { return options_; }

 private:
  LogMelOptions options_;
  Tensor window_;  // f64 [window]
  // Few points, so the transform is a product with cosines and sines: [window, fft / 2 + 1 of each].
  Tensor basis_;
  Tensor triangles_;  // [fft / 2 + 1, bands]
};

}  // namespace weft::data
