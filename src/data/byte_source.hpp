#pragma once
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/fail.hpp"
#include "base/last_error.hpp"

namespace weft::data {

/// The bytes of a file, plain or gzip (told by its first bytes), or of a stream. `operation` stands in messages; it must stay.
class ByteSource {
 public:
  static constexpr int end = std::char_traits<char>::eof();

  /// Throws IoError if the file can't be opened.
  ByteSource(const char* operation, const std::filesystem::path& path);
  /// A stream that outlives it.
  ByteSource(const char* operation, std::istream& stream, std::string name);
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// The next byte, or `end`. Throws FormatError for a damaged gzip file, where `place()` says how far it was read; IoError.
  template <class Place>
  int take(Place place) {
    try {
      const int byte = bytes_->sbumpc();
      if (byte == end && is_standard_input_) check_standard_input();
      return byte;
    } catch (const boost::iostreams::gzip_error& error) {
      fail<FormatError>(operation_, "{}: the gzip data is damaged or cut off after {} ({}); fetch the file anew", name_,
                        place(), reason_of(error));
    } catch (const std::ios_base::failure&) {
      fail_to_read(last_error());
    }
  }

  const std::string& name() const { return name_; }

 private:
  [[noreturn]] void fail_to_read(int error) const;
  /// The error's own text is the same for all.
  static const char* reason_of(const boost::iostreams::gzip_error& error);
  /// C's stdin, over which std::cin reads, ends where it can't be read.
  void check_standard_input() const;

  const char* operation_;
  std::string name_;
  std::ifstream file_;
  boost::iostreams::filtering_istreambuf gzip_;
  std::streambuf* bytes_ = nullptr;
  bool is_standard_input_ = false;
};

}  // namespace weft::data
