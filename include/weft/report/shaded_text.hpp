#pragma once
#include <string>
#include <vector>

namespace weft::report {

/// Words with a weight for each; what is below 0, as an attribution may be, has another colour.
struct ShadedLine {
  std::vector<std::string> words;
  std::vector<double> weights;  ///< as many
  double weight = 1;            ///< of the line among the lines: a sentence's
};

/// A text whose words are shaded by their weights, the strongest in the whole text fully.
struct ShadedText {
  std::string title;
  std::vector<ShadedLine> lines;
  std::string between = " ";  ///< what stands between words; nothing where they are single characters
};

}  // namespace weft::report
