#include "weft/data/parallel_text.hpp"

#include "base/fail.hpp"
#include "weft/data/lines.hpp"

namespace weft::data {

ParallelFiles read_parallel_text(const std::filesystem::path& source, const std::filesystem::path& target) {
  constexpr const char* operation = "read_parallel_text";
  LineReader source_reader(source), target_reader(target);
  ParallelFiles result;
  std::string source_line, target_line;
  for (;;) {
    const bool has_source = source_reader.next(source_line), has_target = target_reader.next(target_line);
    if (!has_source || !has_target) break;
    const bool no_source = is_blank(source_line), no_target = is_blank(target_line);
    if (no_source || no_target) {
      ++(no_source && no_target ? result.blank_both : no_source ? result.blank_source : result.blank_target);
      continue;
    }
    result.text.source.push_back(std::move(source_line));
    result.text.target.push_back(std::move(target_line));
  }
  // One of them has ended; the rest of the other is read for its count.
  while (source_reader.next(source_line)) {
  }
  while (target_reader.next(target_line)) {
  }
  const std::int64_t source_lines = source_reader.line_number(), target_lines = target_reader.line_number();
  check<FormatError>(source_lines > 0, operation, "{} is empty", source_reader.name());
  check<FormatError>(target_lines > 0, operation, "{} is empty", target_reader.name());
  check<FormatError>(source_lines == target_lines, operation,
                     "{} has {} lines, {} has {}: line i of one must be the translation of line i of the other",
                     source_reader.name(), source_lines, target_reader.name(), target_lines);
  result.lines = source_lines;
  check<FormatError>(result.text.size() > 0, operation, "none of the {} lines of {} and {} has text on both sides",
                     source_lines, source_reader.name(), target_reader.name());
  return result;
}

}  // namespace weft::data
