#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>

#include "weft/base/random.hpp"

namespace weft::detail {

/// Two draws for the elements 2 place and 2 place + 1 of a stream (an operation's position, a name's hash).
struct Draws {
  double first, second;
};

/// Uniform in [0, 1), 53 bits each.
inline Draws uniform_draws(std::uint64_t seed, std::uint64_t stream, std::uint64_t place) {
  const auto low = [](std::uint64_t number) { return static_cast<std::uint32_t>(number); };
  const auto high = [](std::uint64_t number) { return static_cast<std::uint32_t>(number >> 32); };
  const auto words = philox({low(place), high(place), low(stream), high(stream)}, {low(seed), high(seed)});
  const auto unit = [](std::uint32_t upper, std::uint32_t lower) {
    return static_cast<double>((std::uint64_t{upper} << 32 | lower) >> 11) * 0x1p-53;
  };
  return {unit(words[0], words[1]), unit(words[2], words[3])};
}

/// Normal with mean 0, of two uniform ones (Box and Muller 1958).
inline Draws normal_draws(Draws uniform, double deviation = 1) {
  const double radius = deviation * std::sqrt(-2 * std::log1p(-uniform.first)), angle = 2 * std::numbers::pi * uniform.second;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace weft::detail
