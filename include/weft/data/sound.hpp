#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace weft::data {

/// One channel of sound.
struct Sound {
  std::vector<float> samples;  ///< between -1 and 1, but for files of floating-point samples that go beyond
  std::int64_t rate = 0;       ///< samples a second
  double seconds() const { return rate > 0 ? static_cast<double>(samples.size()) / static_cast<double>(rate) : 0; }
};

/// A WAV (RIFF) or FLAC file, told by its content; several channels become their mean.
/// `rate`: what the file must have, 0 for any. Built with libsndfile alone (Meson's option `sound`).
/// Throws, each naming file and reason: IoError where the system refuses and for what is no plain file; FormatError for an
/// empty file, one of another kind, without samples, cut off or damaged, with a header whose sizes go past the file's end or
/// that can't be (no channel, 7 bits a sample), with samples that aren't finite or beyond 1e10, or of another rate.
Sound read_sound(const std::filesystem::path& path, std::int64_t rate = 0);

}  // namespace weft::data
