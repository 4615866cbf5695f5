#pragma once
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weft::data {

/// The longest line that is read, in bytes.
inline constexpr std::int64_t max_line_bytes = std::int64_t{1} << 20;

/// Nothing, or ASCII white space alone.
inline bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos; }

/// Reads UTF-8 text line by line; lines end with LF or CR LF, the last one may lack it; a byte order mark at the start is
/// skipped. `next` throws FormatError naming source, line and byte (both from 1) for what is not UTF-8, a NUL byte, a line over
/// max_line_bytes, a damaged gzip file; IoError if the system refuses.
class LineReader {
 public:
  /// A file, plain or gzip (told by its first bytes). IoError if it can't be opened.
  explicit LineReader(const std::filesystem::path& path);
  /// A stream that outlives the reader, such as std::cin; `name` stands for it in errors.
  LineReader(std::istream& stream, std::string name);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  /// Puts the next line, without its end, into `line`; false at the end of the text.
  bool next(std::string& line);
  /// The same for readers that can go on without a line: `invalid` is the byte (from 0) at which it is no text, if any: not
  /// UTF-8, a NUL byte, or max_line_bytes where it is longer. Such a line is as it stands in the file, up to max_line_bytes.
  bool next(std::string& line, std::optional<std::int64_t>& invalid);
  /// What is wrong with such a line, the last one that was read, and where: "words.txt, line 2, byte 3: not UTF-8 (0xFF)".
  std::string fault(const std::string& line, std::int64_t invalid) const;

  /// How many lines have been read: the number of the last one.
  std::int64_t line_number() const;
  /// The path, or the stream's name.
  const std::string& name() const;

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace weft::data
