#include "weft/data/lines.hpp"

#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>

#include "base/fail.hpp"
#include "weft/text/utf8.hpp"

namespace weft::data {
namespace {

constexpr const char* operation = "LineReader";
constexpr int end_of_text = std::char_traits<char>::eof();

[[noreturn]] void fail_to_read(const std::string& name, int error) {
  fail<IoError>(operation, "can't read {}: {}", name, std::strerror(error));
}

}  // namespace

struct LineReader::Source {
  std::string name;
  std::ifstream file;
  boost::iostreams::filtering_istreambuf gzip;
  std::streambuf* bytes = nullptr;
  std::int64_t line_number = 0;
  bool ended = false;

  int take() {
    try {
      return bytes->sbumpc();
    } catch (const boost::iostreams::gzip_error& error) {
      fail<FormatError>(operation, "{}: the gzip data is damaged or cut off after line {} ({}); fetch the file anew", name,
                        line_number, error.what());
    } catch (const std::ios_base::failure&) {
      fail_to_read(name, errno != 0 ? errno : EIO);
    }
  }
};

LineReader::LineReader(const std::filesystem::path& path) : source_(std::make_unique<Source>()) {
  source_->name = path.string();
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) fail_to_read(source_->name, EISDIR);
  errno = 0;
  source_->file.open(path, std::ios::binary);
  if (!source_->file) fail_to_read(source_->name, errno != 0 ? errno : EIO);
  source_->bytes = source_->file.rdbuf();
  // Put back rather than sought, so that a pipe will do.
  errno = 0;
  const int first = source_->take(), second = first == end_of_text ? end_of_text : source_->bytes->sgetc();
  if (first != end_of_text) source_->bytes->sungetc();
  if (first == 0x1f && second == 0x8b) {
    source_->gzip.push(boost::iostreams::gzip_decompressor());
    source_->gzip.push(source_->file);
    source_->bytes = &source_->gzip;
  }
}

LineReader::LineReader(std::istream& stream, std::string name) : source_(std::make_unique<Source>()) {
  source_->name = std::move(name);
  source_->bytes = stream.rdbuf();
}

LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) {
  line.clear();
  if (source_->ended) return false;
  errno = 0;
  int byte = source_->take();
  source_->ended = byte == end_of_text;
  if (source_->ended) return false;
  const std::int64_t number = source_->line_number + 1;
  for (; byte != end_of_text && byte != '\n'; byte = source_->take()) {
    check<FormatError>(static_cast<std::int64_t>(line.size()) < max_line_bytes, operation,
                       "{}, line {}: longer than {} bytes; is this a text with one sentence a line?", source_->name, number,
                       max_line_bytes);
    check<FormatError>(byte != 0, operation, "{}, line {}, byte {}: a NUL byte; this is not text", source_->name, number,
                       line.size() + 1);
    line.push_back(static_cast<char>(byte));
  }
  source_->line_number = number;
  // Validated with the mark in place, so that byte numbers are the file's.
  if (const auto invalid = text::find_invalid_utf8(line))
    fail<FormatError>(operation, "{}, line {}, byte {}: not UTF-8 (0x{:02X}); convert the file to UTF-8", source_->name, number,
                      *invalid + 1, static_cast<unsigned char>(line[static_cast<std::size_t>(*invalid)]));
  if (byte == '\n' && line.ends_with('\r')) line.pop_back();
  if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  return true;
}

std::int64_t LineReader::line_number() const { return source_->line_number; }
const std::string& LineReader::name() const { return source_->name; }

}  // namespace weft::data
