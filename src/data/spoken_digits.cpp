#include "weft/data/spoken_digits.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>

#include "base/fail.hpp"
#include "base/files_in.hpp"
#include "weft/data/sound.hpp"

namespace weft::data {
namespace {

constexpr const char* where = "read_spoken_digits";

// "7_lucas_12": the word's label, speaker and take, without its samples.
std::optional<SpokenWord> word_of(const std::string& stem) {
  const std::size_t first = stem.find('_'), last = stem.rfind('_');
  if (first != 1 || last == first || stem[0] < '0' || stem[0] > '9') return {};
  SpokenWord word{{}, stem[0] - '0', stem.substr(2, last - 2), 0};
  const char* const end = stem.data() + stem.size();
  const auto read = std::from_chars(stem.data() + last + 1, end, word.take);
  if (word.speaker.empty() || read.ec != std::errc() || read.ptr != end || word.take < 0) return {};
  return word;
}

bool is_sound(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  return boost::iequals(extension, ".wav") || boost::iequals(extension, ".flac");
}

// Those that end as sounds do or are named as recordings are.
std::vector<std::filesystem::path> recordings_in(std::filesystem::path folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder / "recordings", error)) folder /= "recordings";
  auto paths = files_in(where, folder);
  std::erase_if(paths, [](const auto& path) { return !is_sound(path) && !word_of(path.stem().string()); });
  return paths;
}

}  // namespace

SpokenDigits read_spoken_digits(const std::filesystem::path& folder, std::int64_t rate, double shortest) {
  SpokenDigits result;
  std::map<std::tuple<std::int32_t, std::string, std::int64_t>, std::filesystem::path> paths;
  for (const auto& path : recordings_in(folder)) {
    auto word = word_of(path.stem().string());
    if (!is_sound(path)) {
      result.left_out.push_back(fmt::format("{} isn't .wav or .flac", path.string()));
      continue;
    }
    if (!word) {
      result.left_out.push_back(fmt::format("{} isn't named DIGIT_SPEAKER_TAKE", path.string()));
      continue;
    }
    const std::tuple key(word->label, word->speaker, word->take);
    if (const auto found = paths.find(key); found != paths.end()) {
      result.left_out.push_back(fmt::format("{} is the same take as {}", path.string(), found->second.filename().string()));
      continue;
    }
    try {
      Sound sound = read_sound(path, rate);
      check<FormatError>(sound.seconds() >= shortest, where, "{} has {} samples, less than {} s: no word is so short",
                         path.string(), sound.samples.size(), shortest);
      word->samples = std::move(sound.samples);
      result.words.push_back(std::move(*word));
      paths.emplace(key, path);
    } catch (const Error& error) {
      result.left_out.emplace_back(error.what());
    }
  }
  check<FormatError>(!result.words.empty() || !result.left_out.empty(), where, "{} has no file .wav or .flac", folder.string());
  if (result.words.empty())  // only then is there a first that was left out
    fail<FormatError>(where, "none of the {} files of {} can be used: {}", result.left_out.size(), folder.string(),
                      result.left_out.front());
  return result;
}

}  // namespace weft::data
