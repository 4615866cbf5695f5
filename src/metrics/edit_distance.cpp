#include "weft/metrics/edit_distance.hpp"

#include "base/fail.hpp"
#include "metrics/edit_costs.hpp"
#include "metrics/ngrams.hpp"
#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

using Words = std::span<const std::string>;

void check_words(const char* op, const char* what, Words words) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (const auto invalid = text::find_invalid_utf8(words[i]))
      fail<FormatError>(op, "{}, word {}: not UTF-8 at byte {}", what, i + 1, *invalid);
}

void check_both(const char* op, Words hypothesis, Words reference) {
  check_words(op, "hypothesis", hypothesis);
  check_words(op, "reference", reference);
}

void pad(std::string& line, std::int64_t shown, std::int64_t width) {
  line.append(static_cast<std::size_t>(width - shown + 1), ' ');
}

}  // namespace

EditCounts& EditCounts::operator+=(const EditCounts& other) {
  hits += other.hits;
  substitutions += other.substitutions;
  deletions += other.deletions;
  insertions += other.insertions;
  return *this;
}

EditCounts count_edits(std::span<const std::string> hypothesis, std::span<const std::string> reference) {
  check_both("count_edits", hypothesis, reference);
  return count_unit_edits(hypothesis, reference);
}

std::vector<Edit> align(std::span<const std::string> hypothesis, std::span<const std::string> reference) {
  check_both("align", hypothesis, reference);
  std::vector<std::vector<std::int64_t>> costs{first_row(hypothesis.size())};
  for (const auto& word : reference) {
    costs.push_back(costs.back());
    next_row(hypothesis, word, costs.back());
  }
  std::vector<Edit> edits;
  for (std::size_t i = reference.size(), j = hypothesis.size(); i > 0 || j > 0;) {
    const bool both = i > 0 && j > 0;
    const bool same = both && reference[i - 1] == hypothesis[j - 1];
    if (both && costs[i][j] == costs[i - 1][j - 1] + (same ? -1 : error_cost)) {
      edits.push_back(same ? Edit::hit : Edit::substitution);
      --i, --j;
    } else if (i > 0 && costs[i][j] == costs[i - 1][j] + error_cost) {
      edits.push_back(Edit::deletion);
      --i;
    } else {
      edits.push_back(Edit::insertion);
      --j;
    }
  }
  std::reverse(edits.begin(), edits.end());
  return edits;
}

std::string show_alignment(std::span<const std::string> hypothesis, std::span<const std::string> reference) {
  check_both("show_alignment", hypothesis, reference);
  std::string first = "REF: ", second = "HYP: ", third = "     ";
  std::size_t i = 0, j = 0;
  for (const Edit edit : align(hypothesis, reference)) {
    const std::string ours = edit == Edit::deletion ? "" : hypothesis[j++];
    const std::string theirs = edit == Edit::insertion ? "" : reference[i++];
    const std::int64_t our_width = Sequence::of_characters(ours).size(), their_width = Sequence::of_characters(theirs).size();
    const std::int64_t width = std::max(our_width, their_width);
    const std::string stars(static_cast<std::size_t>(width), '*');
    first += edit == Edit::insertion ? stars : theirs;
    pad(first, edit == Edit::insertion ? width : their_width, width);
    second += edit == Edit::deletion ? stars : ours;
    pad(second, edit == Edit::deletion ? width : our_width, width);
    third += " SDI"[static_cast<std::size_t>(edit)];
    pad(third, 1, std::max<std::int64_t>(width, 1));
  }
  std::string result;
  for (std::string* line : {&first, &second, &third}) {
    line->erase(line->find_last_not_of(' ') + 1);
    result += *line + '\n';
  }
  return result;
}

}  // namespace weft::metrics
