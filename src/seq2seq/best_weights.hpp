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

/// A model of the options that the metadata hold under `key`, with the weights, in evaluation mode.
template <class Model, class Options>
std::unique_ptr<Model> load_described(const char* where, const std::filesystem::path& folder, const std::string& key,
                                      const char* kind,
                                      Options (*options_of)(const std::string& json, const std::string& source)) {
  const SafetensorsFile file = load_best(where, folder);
  auto model =
      std::make_unique<Model>(options_of(described(where, file, folder, key, kind), (folder / "best.safetensors").string()));
  model->load_state_dict(file.tensors);
  model->eval();
  return model;
}

}  // namespace weft::seq2seq
