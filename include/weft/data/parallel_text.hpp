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

}  // namespace weft::data
