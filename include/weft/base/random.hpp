#pragma once
#include <array>
#include <cstdint>

namespace weft {

/// Philox4x32-10 (Salmon et al. 2011): four random words, a pure function of counter and key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A stream of random positions. Each random operation takes one position; what it draws for an element is a function of
/// (seed, position, row, column) alone, so results don't depend on threads or on how a batch is split.
/// The state is the pair (seed, position): saving both is saving everything.
class Generator {
 public:
  explicit Generator(std::uint64_t seed, std::uint64_t position = 0) : seed_(seed), position_(position) {}

  std::uint64_t seed() const { return seed_; }
  std::uint64_t position() const { return position_; }
  /// The position for one operation; the next caller gets the next one.
  std::uint64_t next() { return position_++; }

  /// Scalar draws for programs; each takes one position. 64 uniform bits; uniform in [0, 1); an integer in [0, bound).
  std::uint64_t bits();
  double uniform();
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t seed_;
  std::uint64_t position_;
};

/// A stable 64-bit hash (FNV-1a) for deriving seeds from names.
std::uint64_t hash_of(const char* text);

}  // namespace weft
