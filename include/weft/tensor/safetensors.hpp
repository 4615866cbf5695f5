#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "weft/tensor/state_dict.hpp"

namespace weft {

/// Text that goes along in a file's header. Keys starting with "weft." are weft's own.
using Metadata = std::map<std::string, std::string>;

struct SafetensorsFile {
  StateDict tensors;     ///< in the order of the file's header
  Metadata metadata;     ///< without weft's own keys
  bool checked = false;  ///< whether the file carried a checksum (it was right)
  std::string name;      ///< its path, for messages

  /// What the metadata say under `key`. Throws FormatError, with the keys that there are.
  const std::string& metadata_at(const std::string& key) const;
  /// The same as a number, such as a generator's position. Throws FormatError.
  std::uint64_t number_at(const std::string& key) const;
};

/// Writes the tensors to one file in the safetensors format, with a CRC-32 over all of it in its metadata.
/// Names: distinct UTF-8 of at most 512 bytes without control characters. The file is written by write_atomically.
/// Throws ValueError (names, metadata, an undefined tensor) and IoError.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors, const Metadata& metadata = {});

/// Reads a file in the safetensors format with tensors of F32, F64, I32, I64 and BOOL, trusting nothing in it: limits are
/// checked before memory is taken (header 16 MiB, 100,000 tensors, 8 dimensions), the data must be covered exactly, and
/// a checksum, where there is one, must be right. Throws FormatError for a file that is not so, IoError.
SafetensorsFile load_safetensors(const std::filesystem::path& path);

}  // namespace weft
