#pragma once
#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

#include "read_options.hpp"
#include "weft/base/error.hpp"
#include "weft/tensor/safetensors.hpp"
#include "weft/train/trainer.hpp"

/// What a run notes about its data in the metadata of its weights, for the commands that take it up later.
namespace run_notes {

/// Those of `notes` that the run can have: one that was begun before there were some goes on without them.
inline weft::Metadata for_run(weft::Metadata notes, const weft::TrainerOptions& options) {
  const std::filesystem::path last = options.folder / "last.safetensors";
  if (options.resume == weft::Resume::never || !std::filesystem::exists(last)) return notes;
  const weft::Metadata there = weft::load_safetensors(last).metadata;
  std::erase_if(notes, [&there](const auto& note) { return !there.contains(note.first); });
  return notes;
}

/// The folder of --model in a command's words or configuration, on which other options' defaults depend; "" where there is
/// none.
inline std::filesystem::path folder_in(const std::vector<std::string>& words) {
  boost::program_options::options_description options;
  options.add_options()("model", boost::program_options::value<std::string>(), "");
  const auto given = read_options::first_look(words, options);
  return given.count("model") == 0 ? "" : given["model"].as<std::string>();
}

/// The metadata of a run's best weights. None where there is no such file, which the model's load says.
inline weft::Metadata of_run(const std::filesystem::path& folder) {
  const std::filesystem::path best = folder / "best.safetensors";
  return !folder.empty() && std::filesystem::is_regular_file(best) ? weft::load_safetensors(best).metadata : weft::Metadata();
}

/// The text of a note; "" where a run has none.
inline std::string text(const weft::Metadata& notes, const std::string& name) {
  const auto found = notes.find(name);
  return found == notes.end() ? "" : found->second;
}

/// Puts the number of a note of the run in `folder` into `value`, which stays where it has none. Throws FormatError.
template <class T>
void read_number(const std::filesystem::path& folder, const weft::Metadata& notes, const std::string& name, T& value) {
  const std::string found = text(notes, name);
  if (found.empty()) return;
  const char* const end = found.data() + found.size();
  const auto [read, error] = std::from_chars(found.data(), end, value);
  if (error != std::errc() || read != end)
    throw weft::FormatError(fmt::format("{}: '{}' of its metadata is '{}', no number that fits",
                                        (folder / "best.safetensors").string(), name, found));
}

/// The notes of the run that a command's words name, for other options' defaults.
class OfWords {
 public:
  explicit OfWords(const std::vector<std::string>& words) : folder_(folder_in(words)), notes_(of_run(folder_)) {}

  template <class T>
  void read(const std::string& name, T& value) const {
    read_number(folder_, notes_, name, value);
  }

 private:
  std::filesystem::path folder_;
  weft::Metadata notes_;
};

}  // namespace run_notes
