#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "weft/data/spoken_strings.hpp"

namespace weft::data {

/// Recordings of digits, and of the files that can't be used the reason, each naming its file.
struct SpokenDigits {
  std::vector<SpokenWord> words;  ///< in the order of the files' names
  std::vector<std::string> left_out;
};

/// Reads a folder's files {digit}_{speaker}_{take}.wav or .flac, or those of its folder `recordings`; recordings of less
/// than `shortest` seconds are left out, as are files of these names with another ending; others are passed over. Built with
/// libsndfile alone (Meson's option `sound`). Throws IoError for a folder that can't be read, FormatError where no file can be
/// used, with the first one's reason.
SpokenDigits read_spoken_digits(const std::filesystem::path& folder, std::int64_t rate = 8000, double shortest = 0);

}  // namespace weft::data
