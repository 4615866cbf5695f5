#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace weft::test {

/// A WAV file whose header says what it is told to, right or wrong.
struct Wav {
  int kind = 1, channels = 1, rate = 8000, bits = 16;
  int align = -1;                ///< -1: what fits
  std::int64_t data_bytes = -1;  ///< as the header has it; -1: what fits
  std::string samples = {};      ///< as they stand in the file

  std::string bytes() const {
    const auto number = [](std::int64_t value, int width) {
      std::string text;
      for (int i = 0; i < width; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
      return text;
    };
    const int frame = align >= 0 ? align : channels * bits / 8;
    const std::string format =
        number(kind, 2) + number(channels, 2) + number(rate, 4) + number(rate * frame, 4) + number(frame, 2) + number(bits, 2);
    const std::int64_t said = data_bytes >= 0 ? data_bytes : static_cast<std::int64_t>(samples.size());
    return "RIFF" + number(28 + static_cast<std::int64_t>(samples.size()), 4) + "WAVEfmt " + number(16, 4) + format + "data" +
           number(said, 4) + samples;
  }
};

inline std::string pcm16(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += {static_cast<char>(value & 0xFF), static_cast<char>(value >> 8 & 0xFF)};
  return text;
}

inline std::filesystem::path write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace weft::test
