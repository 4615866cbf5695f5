#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weft::data {

/// Sentence i of `source` says what sentence i of `target` says.
struct ParallelText {
  std::vector<std::string> source;
  std::vector<std::string> target;
  std::size_t size() const { return source.size(); }
};

/// What two files held. Pairs of which a side is blank (nothing, or ASCII white space alone) are dropped.
struct ParallelFiles {
  ParallelText text;
  std::int64_t lines = 0;         // of each file
  std::int64_t blank_source = 0;  // dropped: the source is blank, the target is not
  std::int64_t blank_target = 0;  // dropped: the target is blank, the source is not
  std::int64_t blank_both = 0;    // dropped: both are
  std::int64_t dropped() const { return blank_source + blank_target + blank_both; }
};

/// Reads two aligned files, plain or gzip, line i of the one with line i of the other, validated while it is read (see
/// LineReader). FormatError also if a file is empty, the numbers of lines differ, or no pair is left; IoError for a file that
/// can't be read.
ParallelFiles read_parallel_text(const std::filesystem::path& source, const std::filesystem::path& target);

}  // namespace weft::data
