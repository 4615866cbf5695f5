#include "weft/data/headlines.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>

#include "base/fail.hpp"
#include "text/shortened.hpp"
#include "weft/data/lines.hpp"

namespace weft::data {
namespace {

constexpr const char* operation = "read_headlines";

ParallelText& split_of(Headlines& all, std::string_view name, const LineReader& reader) {
  if (name == "TRAIN") return all.train;
  if (name == "TEST") return all.test;
  check<FormatError>(name == "NOT-USED", operation, "{}, line {}: the split is '{}', not TRAIN, TEST or NOT-USED",
                     reader.name(), reader.line_number(), text::shortened(name, 20));
  return all.not_used;
}

}  // namespace

Headlines read_headlines(const std::filesystem::path& path) {
  LineReader reader(path);
  Headlines all;
  std::string line;
  while (reader.next(line)) {
    const auto fields = std::count(line.begin(), line.end(), '\t') + 1;
    check<FormatError>(fields == 3, operation,
                       "{}, line {}: {} fields where split, headline and paragraph are needed, with tabs "
                       "between them",
                       reader.name(), reader.line_number(), fields);
    const std::size_t first = line.find('\t'), second = line.find('\t', first + 1);
    ParallelText& split = split_of(all, std::string_view(line).substr(0, first), reader);
    std::string headline = line.substr(first + 1, second - first - 1), paragraph = line.substr(second + 1);
    if (is_blank(paragraph) || is_blank(headline)) {
      ++(is_blank(paragraph) ? all.blank_paragraphs : all.blank_headlines);
      continue;
    }
    split.source.push_back(std::move(paragraph));
    split.target.push_back(std::move(headline));
  }
  all.lines = reader.line_number();
  check<FormatError>(all.lines > all.dropped(), operation, "{} has no story with headline and paragraph among its {} lines",
                     reader.name(), all.lines);
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
