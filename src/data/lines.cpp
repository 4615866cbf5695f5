#include "weft/data/lines.hpp"

#include <cerrno>
#include <istream>

#include "base/fail.hpp"
#include "data/byte_source.hpp"
#include "weft/text/utf8.hpp"

namespace weft::data {
namespace {

constexpr const char* operation = "LineReader";
constexpr int end_of_text = ByteSource::end;

}  // namespace

struct LineReader::Source {
  ByteSource bytes;
  std::int64_t line_number = 0;
  bool ended = false;

  int take() {
    return bytes.take([this] { return fmt::format("line {}", line_number); });
  }
};

LineReader::LineReader(const std::filesystem::path& path) : source_(new Source{{operation, path}}) {}

LineReader::LineReader(std::istream& stream, std::string name) : source_(new Source{{operation, stream, std::move(name)}}) {}

LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) {
  std::optional<std::int64_t> invalid;
  if (!next(line, invalid)) return false;
  if (invalid)
    fail<FormatError>(operation, "{}, line {}, byte {}: not UTF-8 (0x{:02X}); convert the file to UTF-8", name(), line_number(),
                      *invalid + 1, static_cast<unsigned char>(line[static_cast<std::size_t>(*invalid)]));
  return true;
}

bool LineReader::next(std::string& line, std::optional<std::int64_t>& invalid) {
  line.clear();
  if (source_->ended) return false;
  errno = 0;
  int byte = source_->take();
  source_->ended = byte == end_of_text;
  if (source_->ended) return false;
  const std::int64_t number = source_->line_number + 1;
  for (; byte != end_of_text && byte != '\n'; byte = source_->take()) {
    check<FormatError>(static_cast<std::int64_t>(line.size()) < max_line_bytes, operation,
                       "{}, line {}: longer than {} bytes; is this a text with one sentence a line?", source_->bytes.name(),
                       number, max_line_bytes);
    check<FormatError>(byte != 0, operation, "{}, line {}, byte {}: a NUL byte; this is not text", source_->bytes.name(),
                       number, line.size() + 1);
    line.push_back(static_cast<char>(byte));
  }
  source_->line_number = number;
  // Validated with the mark in place, so that byte numbers are the file's.
  invalid = text::find_invalid_utf8(line);
  if (invalid) return true;
  if (byte == '\n' && line.ends_with('\r')) line.pop_back();
  if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  return true;
}

std::int64_t LineReader::line_number() const { return source_->line_number; }
const std::string& LineReader::name() const { return source_->bytes.name(); }

}  // namespace weft::data
