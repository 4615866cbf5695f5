#include "work/values.hpp"

#include <cmath>

namespace bench {
namespace {

std::uint64_t hash_of(std::string_view name) {  // FNV-1a
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

std::uint64_t mixed(std::uint64_t x) {  // SplitMix64
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace

double value_of(std::string_view name, std::int64_t place) {
  const std::uint64_t bits = mixed(hash_of(name) + static_cast<std::uint64_t>(place)) >> 40;  // 24 of them
  return static_cast<double>(bits) / 8388608 - 1;
}

double first_value(std::string_view name, std::span<const std::int64_t> sizes, std::int64_t place) {
  const double value = value_of(name, place);
  if (sizes.size() > 1) {
    double inputs = 1;
    for (const std::int64_t size : sizes.subspan(1)) inputs *= static_cast<double>(size);
    return value / std::sqrt(inputs);
  }
  return name.ends_with("weight") ? 1 + 0.1 * value : 0.1 * value;
}

Rows token_rows(std::int64_t rows, std::int64_t length, std::int64_t vocabulary, std::int64_t seed) {
  Rows result(static_cast<std::size_t>(rows));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t t = 0; t < length - r % 5; ++t) {
      const std::int64_t place = r * 7919 + t * 104729 + seed * 1299709;
      result[static_cast<std::size_t>(r)].push_back(static_cast<std::int32_t>(4 + place % (vocabulary - 4)));
    }
  return result;
}

std::int64_t token_of(std::int64_t place, std::int64_t vocabulary, std::int64_t seed) {
  return static_cast<std::int64_t>(mixed(static_cast<std::uint64_t>(place + seed * 1299709)) >> 33) % vocabulary;
}

std::vector<std::int64_t> even_lengths(std::int64_t rows, std::int64_t least, std::int64_t most) {
  std::vector<std::int64_t> result;
  for (std::int64_t r = 0; r < rows; ++r)
    result.push_back(rows == 1 ? most : least + (most - least) * (37 * r % rows) / (rows - 1));
  return result;
}

}  // namespace bench
