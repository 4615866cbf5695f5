#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/tensor/safetensors.hpp"

namespace weft::safetensors {

inline constexpr std::uint64_t max_header_bytes = std::uint64_t{16} << 20;
inline constexpr std::size_t max_tensors = 100'000;
inline constexpr std::size_t max_name_bytes = 512;

/// Our own first metadata: the format's version, then the CRC-32 (8 hexadecimal digits) of the whole file, taken with
/// these digits as zeros. Both stand at the very start of the header, so that the digits are found without parsing.
inline constexpr std::string_view header_start = R"({"__metadata__":{"weft.version":"1","weft.crc32":")";
inline constexpr std::string_view zero_digits = "00000000";
inline constexpr std::string_view version_key = "weft.version";
inline constexpr std::string_view crc_key = "weft.crc32";

struct Entry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes, from the start of the data
};

struct Header {
  std::vector<Entry> entries;
  Metadata metadata;
};

/// Parses the JSON of a header whose file has `data_bytes` of data, and checks every rule of the format.
/// Throws FormatError naming `file`.
Header parse_header(std::string_view json, std::uint64_t data_bytes, const std::string& file);

/// The entries' places in the order of their data.
std::vector<std::size_t> data_order(const std::vector<Entry>& entries);

/// The JSON of a header, padded with spaces to 8 bytes, with zero digits as its checksum. Throws ValueError.
std::string make_header(const Header& header, const std::string& file);

}  // namespace weft::safetensors
