#include "weft/data/headlines.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>

#include "base/fail.hpp"
#include "text/shortened.hpp"
#include "weft/data/lines.hpp"

namespace weft::data {
namespace {

constexpr const char* operation = "read_headlines";
constexpr std::int64_t most_told = 10;

ParallelText* split_of(Headlines& all, std::string_view name) {
  return name == "TRAIN" ? &all.train : name == "TEST" ? &all.test : name == "NOT-USED" ? &all.not_used : nullptr;
}

/// Puts a line's story where it belongs; what is wrong with the line, or "".
std::string add(Headlines& all, const std::string& line) {
  const auto fields = std::count(line.begin(), line.end(), '\t') + 1;
  if (fields != 3)
    return fmt::format("{} field{} where split, headline and paragraph are needed, with tabs between them", fields,
                       fields == 1 ? "" : "s");
  const std::size_t first = line.find('\t'), second = line.find('\t', first + 1);
  const std::string_view name = std::string_view(line).substr(0, first);
  ParallelText* split = split_of(all, name);
  if (split == nullptr) return fmt::format("the split is '{}', not TRAIN, TEST or NOT-USED", text::shortened(name, 20));
  std::string headline = line.substr(first + 1, second - first - 1), paragraph = line.substr(second + 1);
  if (is_blank(paragraph) || is_blank(headline)) {
    ++(is_blank(paragraph) ? all.blank_paragraphs : all.blank_headlines);
    return "";
  }
  split->source.push_back(std::move(paragraph));
  split->target.push_back(std::move(headline));
  return "";
}

}  // namespace

Headlines read_headlines(const std::filesystem::path& path) {
  LineReader reader(path);
  Headlines all;
  std::string line;
  std::optional<std::int64_t> invalid;
  while (reader.next(line, invalid)) {
    const std::string problem = invalid ? "" : add(all, line);
    if ((!invalid && problem.empty()) || ++all.malformed > most_told) continue;
    all.left_out.push_back(invalid ? reader.fault(line, *invalid)
                                   : fmt::format("{}, line {}: {}", reader.name(), reader.line_number(), problem));
  }
  all.lines = reader.line_number();
  check<FormatError>(all.lines > all.dropped(), operation, "{} has no story with headline and paragraph among its {} lines{}",
                     reader.name(), all.lines, all.left_out.empty() ? "" : "; " + all.left_out.front());
  return all;
}

ParallelText hold_out(ParallelText& text, std::int64_t count) {
  check<ValueError>(count >= 1 && count < static_cast<std::int64_t>(text.size()), "hold_out",
                    "{} pairs of {} can't be held out: some must be, and some must stay", count, text.size());
  ParallelText held;
  for (auto [from, to] : {std::pair(&text.source, &held.source), {&text.target, &held.target}}) {
    const auto start = from->end() - count;
    to->assign(std::make_move_iterator(start), std::make_move_iterator(from->end()));
    from->erase(start, from->end());
  }
  return held;
}

std::string first_words(const std::string& line, std::int64_t count) {
  std::istringstream words(line);
  std::string word, result;
  for (std::int64_t i = 0; i < count && words >> word; ++i) result += (result.empty() ? "" : " ") + word;
  return result;
}

}  // namespace weft::data
