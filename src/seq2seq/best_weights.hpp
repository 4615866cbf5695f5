#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/fail.hpp"
#include "weft/tensor/safetensors.hpp"

namespace weft::seq2seq {

/// What a training run has left in its folder, best.safetensors. Throws IoError, FormatError.
inline SafetensorsFile load_best(const char* where, const std::filesystem::path& folder) {
  const auto path = folder / "best.safetensors";
  check<IoError>(!std::filesystem::is_regular_file(folder), where, "{} is a file; the folder of a training run is needed",
                 folder.string());
  if (!std::filesystem::exists(path)) {
    check<IoError>(!std::filesystem::exists(folder / "last.safetensors"), where,
                   "there is no {}: the run in {} has no validation yet; where it was stopped, the same train command goes on",
                   path.string(), folder.string());
    fail<IoError>(where, "there is no {}: {} is no folder of a training run that was validated", path.string(),
                  folder.string());
  }
  return load_safetensors(path);
}

/// What each program's runs say in their metadata, and what they are of.
inline constexpr std::pair<const char*, const char*> kinds_of_runs[] = {{"digit_senses", "namer of digits"},
                                                                        {"digit_tracker", "tracker of digits"},
                                                                        {"document_classifier", "classifier of texts"},
                                                                        {"language_model", "language model"},
                                                                        {"speech", "speech recogniser"},
                                                                        {"summarizer", "summarizer"},
                                                                        {"translator", "translator"},
                                                                        {"word_reader", "reader of words"}};

/// What its metadata say under `key`. Throws FormatError: it isn't what `kind` names.
inline const std::string& described(const char* where, const SafetensorsFile& file, const std::filesystem::path& folder,
                                    const std::string& key, const char* kind) {
  const auto found = file.metadata.find(key);
  if (found != file.metadata.end()) return found->second;
  const std::string path = (folder / "best.safetensors").string();
  for (const auto& [other, other_kind] : kinds_of_runs)
    check<FormatError>(!file.metadata.contains(other) || std::string_view(kind) == other_kind, where,
                       "{} is of another program's run: of a {}, not of a {}", path, other_kind, kind);
  fail<FormatError>(where, "{}: its metadata don't describe a {}: they have no '{}'", path, kind, key);
}

/// What make() makes of a file's values. Values of which nothing can be made are a FormatError that names the file.
template <class Make>
auto made_of(const char* where, const std::string& path, const Make& make) {
  try {
    return make();
  } catch (const ValueError& error) {
    fail<FormatError>(where, "{}: {}", path, error.what());
  }
}

/// The model that make(field, path) makes of metadata, of which field(key) gives one, with the weights, in evaluation mode.
template <class Make>
auto load_described(const char* where, const std::filesystem::path& folder, const char* kind, const Make& make) {
  const SafetensorsFile file = load_best(where, folder);
  const std::string path = (folder / "best.safetensors").string();
  const auto field = [&](const char* key) -> const std::string& { return described(where, file, folder, key, kind); };
  auto model = made_of(where, path, [&] { return make(field, path); });
  model->load_state_dict(file.tensors);
  model->eval();
  return model;
}

}  // namespace weft::seq2seq
