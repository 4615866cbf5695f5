#include "weft/data/parallel_text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

struct Files {
  test::TemporaryFolder folder;
  std::filesystem::path source = folder.path() / "text.en";
  std::filesystem::path target = folder.path() / "text.fr";

  Files(const std::string& source_bytes, const std::string& target_bytes) {
    std::ofstream(source, std::ios::binary) << source_bytes;
    std::ofstream(target, std::ios::binary) << target_bytes;
  }
  ParallelFiles read() const { return read_parallel_text(source, target); }
};

}  // namespace

TEST_CASE("aligned files") {
  const Files files("one\ntwo\r\nthree", "un\ndeux\ntrois\n");
  const ParallelFiles read = files.read();
  CHECK(read.lines == 3);
  CHECK(read.dropped() == 0);
  CHECK(read.text.source == std::vector<std::string>{"one", "two", "three"});
  CHECK(read.text.target == std::vector<std::string>{"un", "deux", "trois"});
}

TEST_CASE("pairs with a blank side are dropped and counted") {
  const ParallelFiles read = Files("one\n\n  \t\n\nfive\n", "un\ndeux\n\nx\n \r\n").read();
  CHECK(read.lines == 5);
  CHECK(read.blank_source == 2);
  CHECK(read.blank_target == 1);
  CHECK(read.blank_both == 1);
  CHECK(read.dropped() == 4);
  CHECK(read.text.source == std::vector<std::string>{"one"});
}

TEST_CASE("files that don't fit") {
  const Files more("a\nb\nc\n", "x\ny\n"), fewer("a\n", "x\ny\n\n");
  const auto message = [](const Files& files, const char* text) {
    return fmt::format(fmt::runtime(text), files.source.string(), files.target.string());
  };
  CHECK_THROWS_WITH_AS(more.read(),
                       message(more,
                               "[read_parallel_text] {} has 3 lines, {} has 2: line i of one must be the translation of "
                               "line i of the other")
                           .c_str(),
                       FormatError);
  CHECK_THROWS_WITH_AS(fewer.read(),
                       message(fewer,
                               "[read_parallel_text] {} has 1 lines, {} has 3: line i of one must be the translation of "
                               "line i of the other")
                           .c_str(),
                       FormatError);
  const Files no_source("", "x\n"), no_target("a\n", ""), blank("a\n\n", "\nx\n");
  CHECK_THROWS_WITH_AS(no_source.read(), message(no_source, "[read_parallel_text] {} is empty").c_str(), FormatError);
  CHECK_THROWS_WITH_AS(no_target.read(), message(no_target, "[read_parallel_text] {1} is empty").c_str(), FormatError);
  CHECK_THROWS_WITH_AS(blank.read(),
                       message(blank, "[read_parallel_text] none of the 2 lines of {} and {} has text on both sides").c_str(),
                       FormatError);
  const Files invalid("a\n", "x\n\xC0\xAF\n");
  CHECK_THROWS_WITH_AS(
      invalid.read(), message(invalid, "[LineReader] {1}, line 2, byte 1: not UTF-8 (0xC0); convert the file to UTF-8").c_str(),
      FormatError);
  CHECK_THROWS_AS(read_parallel_text(no_source.folder.path() / "missing", no_source.target), IoError);
}

TEST_CASE("Multi30k") {
  const auto english = test::shared_path("data/multi30k/train.lc.norm.tok.en.gz");
  const auto german = test::shared_path("data/multi30k/train.lc.norm.tok.de.gz");
  if (!english || !german) return;
  const ParallelFiles read = read_parallel_text(*english, *german);
  CHECK(read.lines == 29'000);
  CHECK(read.text.size() + static_cast<std::size_t>(read.dropped()) == 29'000);
  CHECK(read.text.source[0] == "two young , white males are outside near many bushes .");
}
