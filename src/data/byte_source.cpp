#include "data/byte_source.hpp"

#include <cstdio>
#include <cstring>
#include <iostream>

namespace weft::data {

ByteSource::ByteSource(const char* operation, const std::filesystem::path& path) : operation_(operation), name_(path.string()) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) fail_to_read(EISDIR);
  errno = 0;
  file_.open(path, std::ios::binary);
  if (!file_) fail_to_read(last_error());
  bytes_ = file_.rdbuf();
  // Put back rather than sought, so that a pipe will do.
  errno = 0;
  const int first = take([] { return "nothing"; }), second = first == end ? end : bytes_->sgetc();
  if (first != end) bytes_->sungetc();
  if (first == 0x1f && second == 0x8b) {
    gzip_.push(boost::iostreams::gzip_decompressor());
    gzip_.push(file_);
    bytes_ = &gzip_;
  }
}

ByteSource::ByteSource(const char* operation, std::istream& stream, std::string name)
    : operation_(operation), name_(std::move(name)), bytes_(stream.rdbuf()), is_standard_input_(bytes_ == std::cin.rdbuf()) {}

void ByteSource::fail_to_read(int error) const { fail<IoError>(operation_, "can't read {}: {}", name_, std::strerror(error)); }

const char* ByteSource::reason_of(const boost::iostreams::gzip_error& error) {
  namespace io = boost::iostreams;
  switch (error.error()) {
    case io::gzip::bad_crc: return "wrong checksum";
    case io::gzip::bad_length: return "wrong length";
    case io::gzip::bad_footer: return "it ends within the checksum and length";
    // The first one's magic number stands there, or it wouldn't be taken for gzip data.
    case io::gzip::bad_header: return "something else stands behind the data, or a header is cut off";
    case io::gzip::bad_method: return "unknown method of compression";
    default: return error.zlib_error_code() == io::zlib::buf_error ? "it ends within the data" : "damaged data";
  }
}

void ByteSource::check_standard_input() const {
  if (std::ferror(stdin) != 0) fail_to_read(last_error());
}

}  // namespace weft::data
