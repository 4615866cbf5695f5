#include "weft/data/headlines.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;
using Lines = std::vector<std::string>;

namespace {

struct File {
  test::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "news.tsv";

  explicit File(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
};

void check_refused(const std::string& bytes, const char* message) {
  const File file(bytes);
  CHECK_THROWS_WITH_AS(read_headlines(file.path), fmt::format(fmt::runtime(message), file.path.string()).c_str(), FormatError);
}

}  // namespace

TEST_CASE("stories by their splits") {
  const File file("TRAIN\tONE\tfirst one.\nTEST\tTWO\tsecond\r\nNOT-USED\tTHREE\tthird\nTRAIN\tFOUR\tfourth");
  const Headlines all = read_headlines(file.path);
  CHECK(all.lines == 4);
  CHECK(all.dropped() == 0);
  CHECK(all.train.target == Lines{"ONE", "FOUR"});
  CHECK(all.train.source == Lines{"first one.", "fourth"});
  CHECK(all.test.source == Lines{"second"});
  CHECK(all.not_used.target == Lines{"THREE"});
}

TEST_CASE("stories without a paragraph or a headline are left out and counted") {
  const File file("TRAIN\tONE\t\nTEST\t \tx\nTRAIN\t\t \nTRAIN\tTWO\ty\n");
  const Headlines all = read_headlines(file.path);
  CHECK(all.lines == 4);
  CHECK(all.blank_paragraphs == 2);
  CHECK(all.blank_headlines == 1);
  CHECK(all.train.size() == 1);
  CHECK(all.test.size() == 0);
}

TEST_CASE("lines that aren't of that form are left out, with the reason") {
  const File file(
      "TRAIN\tA\tb\nTRAIN\tonly\nTRAIN\tA\tb\tc\ntrain\tA\tb\nA split of some other sort\tA\tb\n\nTRAIN\tA\tcaf\xE9\n"
      "nineteen and a half \u00e9\tA\tb\nnineteen and a half\u00e9 \tA\tb\nTEST\tC\td\n");
  const Headlines all = read_headlines(file.path);
  CHECK(all.train.source == Lines{"b"});
  CHECK(all.test.target == Lines{"C"});
  CHECK(all.lines == 10);
  CHECK(all.dropped() == 8);
  const std::string where = " where split, headline and paragraph are needed, with tabs between them";
  const std::string split = ", not TRAIN, TEST or NOT-USED";
  const Lines reasons = {"line 2: 2 fields" + where,
                         "line 3: 4 fields" + where,
                         "line 4: the split is 'train'" + split,
                         "line 5: the split is 'A split of some othe...'" + split,
                         "line 6: 1 field" + where,
                         "line 7, byte 12: not UTF-8 (0xE9)",
                         "line 8: the split is 'nineteen and a half ...'" + split,
                         "line 9: the split is 'nineteen and a half...'" + split};
  REQUIRE(all.left_out.size() == reasons.size());
  for (std::size_t i = 0; i < reasons.size(); ++i) CHECK(all.left_out[i] == file.path.string() + ", " + reasons[i]);
}

TEST_CASE("a NUL byte or a line without an end costs no other story") {
  const File file("TRAIN\tA\tb\nTEST\tB" + std::string("\0\tc\n", 4) + "TRAIN\tC\t" + std::string(1 << 20, 'x') +
                  "\nTEST\tD\te\n");
  const Headlines all = read_headlines(file.path);
  CHECK(all.train.target == Lines{"A"});
  CHECK(all.test.target == Lines{"D"});
  CHECK(all.lines == 4);
  CHECK(all.malformed == 2);
  CHECK(all.left_out ==
        Lines{file.path.string() + ", line 2, byte 7: a NUL byte", file.path.string() + ", line 3: longer than 1048576 bytes"});
}

TEST_CASE("of many lines that aren't of that form ten reasons are kept and all are counted") {
  std::string lines = "TRAIN\tA\tb\n";
  for (int i = 0; i < 100; ++i) lines += "only\n";
  const File file(lines);
  const Headlines all = read_headlines(file.path);
  CHECK(all.malformed == 100);
  CHECK(all.dropped() == 100);
  CHECK(all.left_out.size() == 10);
}

TEST_CASE("files without a story") {
  check_refused("TRAIN\tA\t\n", "[read_headlines] {} has no story with headline and paragraph among its 1 lines");
  check_refused("", "[read_headlines] {} has no story with headline and paragraph among its 0 lines");
  const File file("TRAIN\tA\t\nTRAIN\tA\t\xFF\n");
  CHECK_THROWS_WITH_AS(
      read_headlines(file.path),
      fmt::format("[read_headlines] {0} has no story with headline and paragraph among its 2 lines; {0}, line 2, "
                  "byte 9: not UTF-8 (0xFF)",
                  file.path.string())
          .c_str(),
      FormatError);
  CHECK_THROWS_AS(read_headlines("no-such-file"), IoError);
}

TEST_CASE("the last pairs are held out") {
  ParallelText text{{"a", "b", "c"}, {"x", "y", "z"}};
  const ParallelText held = hold_out(text, 2);
  CHECK(held.source == Lines{"b", "c"});
  CHECK(held.target == Lines{"y", "z"});
  CHECK(text.source == Lines{"a"});
  CHECK(text.target == Lines{"x"});
  CHECK_THROWS_WITH_AS(hold_out(text, 1), "[hold_out] 1 pairs of 1 can't be held out: some must be, and some must stay",
                       ValueError);
  CHECK_THROWS_AS(hold_out(text, 0), ValueError);
}

TEST_CASE("the first words of a line") {
  CHECK(first_words(" one, two\tthree four", 3) == "one, two three");
  CHECK(first_words("one", 3) == "one");
  CHECK(first_words("", 3).empty());
  CHECK(first_words("one", 0).empty());
}

TEST_CASE("the Reuters headlines") {
  const auto path = test::shared_path("data/reuters-headlines/reuters_headlines.tsv.gz");
  if (!path) return;
  const Headlines all = read_headlines(*path);
  CHECK(all.lines == 15549);
  CHECK(all.train.size() == 10576);
  CHECK(all.test.size() == 4311);
  CHECK(all.not_used.size() == 662);
}
