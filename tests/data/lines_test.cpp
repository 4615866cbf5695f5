// g++ 12 takes Boost's appending to a string for an overlapping copy (its bug 105651).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"
#endif

#include "weft/data/lines.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

std::filesystem::path write(const test::TemporaryFolder& folder, const std::string& name, const std::string& bytes) {
  const auto path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string gzipped(const std::string& text) {
  std::ostringstream bytes;
  {
    boost::iostreams::filtering_ostream out;
    out.push(boost::iostreams::gzip_compressor());
    out.push(bytes);
    out << text;
  }
  return bytes.str();
}

std::vector<std::string> read_all(LineReader reader) {
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  CHECK(reader.line_number() == static_cast<std::int64_t>(lines.size()));
  std::string after = "x";
  CHECK_FALSE(reader.next(after));
  return lines;
}

std::vector<std::string> read_text(const std::string& text) {
  std::istringstream stream(text);
  return read_all(LineReader(stream, "input"));
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("line ends, last line, byte order mark") {
  CHECK(read_text("").empty());
  CHECK(read_text("a\nb\n") == Lines{"a", "b"});
  CHECK(read_text("a\nb") == Lines{"a", "b"});
  CHECK(read_text("a\r\n\r\nb\r\n") == Lines{"a", "", "b"});
  CHECK(read_text("a\r\r\nb\rc\n") == Lines{"a\r", "b\rc"});
  CHECK(read_text("\n\n") == Lines{"", ""});
  CHECK(read_text("\xEF\xBB\xBFœuf\n\xEF\xBB\xBFx\n") == Lines{"œuf", "\xEF\xBB\xBFx"});
}

TEST_CASE("files, plain and gzip by their bytes, not by their names") {
  const test::TemporaryFolder folder;
  const std::string text = "première ligne\ndeuxième\n";
  const Lines lines = {"première ligne", "deuxième"};
  CHECK(read_all(LineReader(write(folder, "plain.gz", text))) == lines);
  CHECK(read_all(LineReader(write(folder, "packed.txt", gzipped(text)))) == lines);
  CHECK(read_all(LineReader(write(folder, "members.gz", gzipped("première ligne\n") + gzipped("deuxième\n")))) == lines);
  CHECK(read_all(LineReader(write(folder, "empty", ""))).empty());
  CHECK(read_all(LineReader(write(folder, "empty.gz", gzipped("")))).empty());
  CHECK(read_all(LineReader(write(folder, "one", "x"))) == Lines{"x"});
}

TEST_CASE("what is not text, with line and byte") {
  CHECK_THROWS_WITH_AS(read_text("good\nab\xFFz\n"),
                       "[LineReader] input, line 2, byte 3: not UTF-8 (0xFF); convert the file to UTF-8", FormatError);
  CHECK_THROWS_WITH_AS(read_text("caf\xC3"), "[LineReader] input, line 1, byte 4: not UTF-8 (0xC3); convert the file to UTF-8",
                       FormatError);
  CHECK_THROWS_WITH_AS(read_text(std::string("a\nbc\0d\n", 7)),
                       "[LineReader] input, line 2, byte 3: a NUL byte; this is not text", FormatError);
  const std::string longest(static_cast<std::size_t>(max_line_bytes), 'x');
  CHECK(read_text("a\n" + longest + "\nb\n").size() == 3);
  CHECK_THROWS_WITH_AS(read_text("a\n" + longest + "x\n"),
                       "[LineReader] input, line 2: longer than 1048576 bytes; is this a text with one sentence a line?",
                       FormatError);
}

TEST_CASE("a reader can go on behind a line that is no text") {
  const std::string longest(static_cast<std::size_t>(max_line_bytes), 'x');
  std::istringstream stream("a\xE9\r\nb\nc" + std::string("\0d", 2) + "\xFF\n" + longest + "é and more\n" + longest +
                            "\nlast\n" + longest + "x");
  LineReader reader(stream, "input");
  std::string line;
  std::optional<std::int64_t> invalid;
  const auto fault = [&] { return invalid ? reader.fault(line, *invalid) : "none"; };
  REQUIRE(reader.next(line, invalid));
  CHECK(invalid == 1);
  CHECK(fault() == "input, line 1, byte 2: not UTF-8 (0xE9)");
  CHECK(line == "a\xE9\r");
  REQUIRE(reader.next(line, invalid));
  CHECK(line == "b");
  CHECK_FALSE(invalid);
  CHECK(reader.line_number() == 2);
  REQUIRE(reader.next(line, invalid));
  CHECK(fault() == "input, line 3, byte 2: a NUL byte");
  REQUIRE(reader.next(line, invalid));
  CHECK(fault() == "input, line 4: longer than 1048576 bytes");
  CHECK(invalid == max_line_bytes);
  CHECK(line == longest);
  REQUIRE(reader.next(line, invalid));
  CHECK_FALSE(invalid);
  CHECK(line == longest);
  REQUIRE(reader.next(line, invalid));
  CHECK_FALSE(invalid);
  CHECK(line == "last");
  REQUIRE(reader.next(line, invalid));
  CHECK(fault() == "input, line 7: longer than 1048576 bytes");
  CHECK_FALSE(reader.next(line, invalid));
  CHECK_FALSE(invalid);
}

TEST_CASE("paths that can't be read") {
  const test::TemporaryFolder folder;
  const auto missing = folder.path() / "missing.txt";
  CHECK_THROWS_WITH_AS(LineReader{missing},
                       ("[LineReader] can't read " + missing.string() + ": No such file or directory").c_str(), IoError);
  CHECK_THROWS_WITH_AS(LineReader{folder.path()},
                       ("[LineReader] can't read " + folder.path().string() + ": Is a directory").c_str(), IoError);
}

TEST_CASE("a standard input that can't be read is no empty one") {
  const int kept = dup(STDIN_FILENO);
  const auto error = [] {
    LineReader reader(std::cin, "standard input");
    std::string line, what;
    try {
      reader.next(line);
    } catch (const IoError& thrown) {
      what = thrown.what();
    }
    std::clearerr(stdin);
    return what;
  };
  const test::TemporaryFolder folder;
  const int opened = open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(dup2(opened, STDIN_FILENO) == STDIN_FILENO);
  if (opened != STDIN_FILENO) close(opened);
  const std::string of_folder = error();
  close(STDIN_FILENO);
  const std::string of_closed = error();
  const int empty = open("/dev/null", O_RDONLY);  // takes the place that is free
  const std::string of_empty = error();
  CHECK(empty == STDIN_FILENO);
  if (kept >= 0) {
    dup2(kept, STDIN_FILENO);
    close(kept);
  }
  CHECK(of_folder == "[LineReader] can't read standard input: Is a directory");
  CHECK(of_closed == "[LineReader] can't read standard input: Bad file descriptor");
  CHECK(of_empty.empty());
}

TEST_CASE("a gzip file cut off anywhere or altered is an error") {
  const test::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += fmt::format("line {}\n", i * i);
  const std::string whole = gzipped(text);
  CHECK(read_all(LineReader(write(folder, "whole.gz", whole))).size() == 2000);
  const auto read = [&](const std::string& bytes) {
    LineReader reader(write(folder, "damaged.gz", bytes));
    for (std::string line; reader.next(line);) {
    }
  };
  const auto error = [&](const std::string& bytes) -> std::string {
    try {
      read(bytes);
    } catch (const FormatError& thrown) {
      return thrown.what();
    }
    return "";
  };
  const auto check_error = [&](const std::string& bytes, const std::string& reason) {
    const std::string what = error(bytes);
    CAPTURE(what);
    CHECK(what.find("damaged.gz: the gzip data is damaged or cut off after line ") != std::string::npos);
    CHECK(what.ends_with(" (" + reason + "); fetch the file anew"));
  };
  const std::string behind = "something else stands behind the data, or a header is cut off";
  for (const std::size_t size : {std::size_t{2}, std::size_t{9}}) check_error(whole.substr(0, size), behind);
  for (const std::size_t size : {std::size_t{12}, whole.size() / 2, whole.size() - 9})
    check_error(whole.substr(0, size), "it ends within the data");
  for (const std::size_t missing : {std::size_t{8}, std::size_t{4}, std::size_t{1}})
    check_error(whole.substr(0, whole.size() - missing), "it ends within the checksum and length");
  check_error(whole + "more", behind);
  check_error(whole + std::string(512, '\0'), behind);
  const auto altered = [&](std::size_t at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return bytes;
  };
  check_error(altered(whole.size() - 6), "wrong checksum");
  check_error(altered(2), "unknown method of compression");
  std::string other = whole;
  std::fill_n(other.begin() + 20, 40, '\xFF');
  check_error(other, "damaged data");
}

TEST_CASE("a stream's lines come as they arrive") {
  std::stringstream stream;
  LineReader reader(stream, "standard input");
  std::string line;
  stream << "first\n";
  CHECK(reader.next(line));
  CHECK(line == "first");
  stream << "second\n";
  CHECK(reader.next(line));
  CHECK(line == "second");
  CHECK(reader.name() == "standard input");
}
