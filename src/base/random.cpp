#include "weft/base/random.hpp"

#include "base/fail.hpp"

namespace weft {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
  constexpr std::uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = multiplier_0 * counter[0], p1 = multiplier_1 * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += weyl_0;
    key[1] += weyl_1;
  }
  return counter;
}

__extension__ using uint128 = unsigned __int128;

std::uint64_t Generator::bits() {
  const std::uint64_t position = next();
  const auto words = philox({0, 0, static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32)},
                            {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
  return std::uint64_t{words[0]} << 32 | words[1];
}

double Generator::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

std::uint64_t Generator::below(std::uint64_t bound) {
  check<ValueError>(bound > 0, "Generator::below", "the bound must be positive");
  // Lemire 2019: multiply and reject the few draws that would favour small results.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const auto product = static_cast<uint128>(bits()) * bound;
    if (static_cast<std::uint64_t>(product) >= threshold) return static_cast<std::uint64_t>(product >> 64);
  }
}

std::uint64_t hash_of(const char* text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (; *text != '\0'; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3;
  return hash;
}

}  // namespace weft
