#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::metrics {

/// What became of a word of the reference, or that the hypothesis has one too many.
enum class Edit { hit, substitution, deletion, insertion };

struct EditCounts {
  std::int64_t hits = 0, substitutions = 0, deletions = 0, insertions = 0;

  std::int64_t errors() const { return substitutions + deletions + insertions; }
  std::int64_t reference_length() const { return hits + substitutions + deletions; }
  std::int64_t hypothesis_length() const { return hits + substitutions + insertions; }
  EditCounts& operator+=(const EditCounts& other);
  bool operator==(const EditCounts&) const = default;
};

/// Edits of the alignment with the fewest errors (Levenshtein 1966) and, of those, the most hits, which settles all four
/// counts: with hypothesis and reference exchanged, deletions and insertions are. This and those below throw FormatError,
/// with its number, for a word that isn't UTF-8.
EditCounts count_edits(std::span<const std::string> hypothesis, std::span<const std::string> reference);

/// The edits of such an alignment in order.
std::vector<Edit> align(std::span<const std::string> hypothesis, std::span<const std::string> reference);

/// The alignment as three lines: words of both in columns, stars where one has none, and a letter below each error.
///   REF: the *** cat sat
///   HYP: the dog big sat
///            I   S
std::string show_alignment(std::span<const std::string> hypothesis, std::span<const std::string> reference);

}  // namespace weft::metrics
