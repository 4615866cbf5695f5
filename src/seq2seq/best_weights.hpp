#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "base/fail.hpp"
#include "weft/tensor/safetensors.hpp"

namespace weft::seq2seq {

/// What a training run has left in its folder, best.safetensors. Throws IoError, FormatError.
inline SafetensorsFile load_best(const char* where, const std::filesystem::path& folder) {
  const auto path = folder / "best.safetensors";
  check<IoError>(!std::filesystem::is_regular_file(folder), where, "{} is a file; the folder of a training run is needed",
                 folder.string());
  check<IoError>(std::filesystem::exists(path), where, "there is no {}: {} is no folder of a training run that was validated",
                 path.string(), folder.string());
  return load_safetensors(path);
}

/// What its metadata say under `key`. Throws FormatError: it isn't what `kind` names.
inline const std::string& described(const char* where, const SafetensorsFile& file, const std::filesystem::path& folder,
                                    const std::string& key, const char* kind) {
  const auto found = file.metadata.find(key);
  check<FormatError>(found != file.metadata.end(), where, "{}: its metadata don't describe a {}: they have no '{}'",
                     (folder / "best.safetensors").string(), kind, key);
  return found->second;
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
