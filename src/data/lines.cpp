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

  /// As `next`; `to_its_end`: also past max_line_bytes, of which no more is kept.
  bool read(std::string& line, std::optional<std::int64_t>& invalid, bool to_its_end) {
    line.clear();
    invalid.reset();
    if (ended) return false;
    errno = 0;
    int byte = take();
    ended = byte == end_of_text;
    if (ended) return false;
    bool too_long = false;
    for (; byte != end_of_text && byte != '\n'; byte = take()) {
      too_long = static_cast<std::int64_t>(line.size()) == max_line_bytes;
      if (!too_long)
        line.push_back(static_cast<char>(byte));
      else if (!to_its_end)
        break;
    }
    ++line_number;
    // Validated with the mark in place, so that byte numbers are the file's. A line that is cut may end within a character.
    if (const std::size_t nul = line.find('\0'); nul != std::string::npos)
      invalid = static_cast<std::int64_t>(nul);
    else
      invalid = too_long ? max_line_bytes : text::find_invalid_utf8(line);
    if (invalid) return true;
    if (byte == '\n' && line.ends_with('\r')) line.pop_back();
    if (line_number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    return true;
  }
};

LineReader::LineReader(const std::filesystem::path& path) : source_(new Source{{operation, path}}) {}

LineReader::LineReader(std::istream& stream, std::string name) : source_(new Source{{operation, stream, std::move(name)}}) {}

LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) {
  std::optional<std::int64_t> invalid;
  if (!source_->read(line, invalid, false)) return false;
  if (invalid)
    fail<FormatError>(operation, "{}; {}", fault(line, *invalid),
                      *invalid == max_line_bytes                         ? "is this a text with one sentence a line?"
                      : line[static_cast<std::size_t>(*invalid)] == '\0' ? "this is not text"
                                                                         : "convert the file to UTF-8");
  return true;
}

bool LineReader::next(std::string& line, std::optional<std::int64_t>& invalid) { return source_->read(line, invalid, true); }

std::string LineReader::fault(const std::string& line, std::int64_t invalid) const {
  const std::string where = fmt::format("{}, line {}", name(), line_number());
  if (invalid >= max_line_bytes) return fmt::format("{}: longer than {} bytes", where, max_line_bytes);
  const auto byte = static_cast<unsigned char>(line.at(static_cast<std::size_t>(invalid)));
  return byte == 0 ? fmt::format("{}, byte {}: a NUL byte", where, invalid + 1)
                   : fmt::format("{}, byte {}: not UTF-8 (0x{:02X})", where, invalid + 1, byte);
}

std::int64_t LineReader::line_number() const { return source_->line_number; }
const std::string& LineReader::name() const { return source_->bytes.name(); }

}  // namespace weft::data
