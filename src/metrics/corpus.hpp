#pragma once
#include <string>
#include <vector>

namespace weft::metrics {

/// ValueError unless there are hypotheses and references, as many of each; FormatError for a line that is not UTF-8.
void check_corpus(const char* op, const std::vector<std::string>& hypotheses,
                  const std::vector<std::vector<std::string>>& references);

/// A sentence's references as streams of one line.
std::vector<std::vector<std::string>> as_streams(const std::vector<std::string>& references);

}  // namespace weft::metrics
