#include "weft/data/documents.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;
namespace fs = std::filesystem;

namespace {

struct Folder {
  test::TemporaryFolder folder;

  fs::path put(const std::string& name, const std::string& bytes) const {
    const fs::path path = folder.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  LabelledDocuments read() const { return read_documents(folder.path()); }
};

using Names = std::vector<std::string>;

LabelledDocuments made(const std::vector<std::int64_t>& files) {
  LabelledDocuments documents;
  documents.files = files;
  for (std::size_t label = 0; label < files.size(); ++label) {
    documents.classes.push_back(fmt::format("class {}", label));
    for (std::int64_t place = 0; place < files[label]; ++place)
      documents.documents.push_back({fmt::format("{}-{}", label, place), static_cast<std::int64_t>(label), place, {"a"}});
  }
  return documents;
}

}  // namespace

TEST_CASE("a folder for each class, by name, a sentence a line") {
  const Folder folder;
  folder.put("pos/b.txt", "good .\r\n\n  \t\nvery good .");
  folder.put("pos/a.txt", "fine\n");
  folder.put("neg/x", "bad\n");
  folder.put("neg/.hidden", "no");
  folder.put(".git/x", "no");
  const fs::path beside = folder.put("README", "no class");
  const LabelledDocuments read = folder.read();
  CHECK(read.classes == Names{"neg", "pos"});
  CHECK(read.files == std::vector<std::int64_t>{1, 2});
  CHECK(read.left_out == Names{beside.string() + " isn't in a folder of a class"});
  REQUIRE(read.documents.size() == 3);
  CHECK(read.documents[0].name == "x");
  CHECK(read.documents[0].label == 0);
  CHECK(read.documents[1].name == "a.txt");
  CHECK(read.documents[2].label == 1);
  CHECK(read.documents[2].place == 1);
  CHECK(read.documents[2].sentences == Names{"good .", "very good ."});
}

TEST_CASE("what is no document is left out with its reason, and the others keep their places") {
  const Folder folder;
  folder.put("a/4", "fine\n");
  const fs::path blank = folder.put("a/1", "\n \n"), latin = folder.put("a/2", "ok\ncaf\xE9\n"),
                 nul = folder.put("a/3", {"x\0y", 3});
  fs::create_directory(folder.folder.path() / "a" / "0");
  REQUIRE(mkfifo((folder.folder.path() / "b").c_str(), 0600) == 0);  // beside the classes: not opened
  folder.put("c/1", "bad\n");
  REQUIRE(mkfifo((folder.folder.path() / "c" / "2").c_str(), 0600) == 0);  // would never end
  fs::create_symlink(folder.folder.path() / "none", folder.folder.path() / "c" / "3");
  const LabelledDocuments read = folder.read();
  const auto in = [&](const char* name) { return (folder.folder.path() / name).string(); };
  CHECK(read.classes == Names{"a", "c"});
  CHECK(read.files == std::vector<std::int64_t>{5, 3});
  REQUIRE(read.documents.size() == 2);
  CHECK(read.documents[0].place == 4);
  REQUIRE(read.left_out.size() == 7);
  CHECK(read.left_out[0] == fmt::format("[read_documents] can't read {}: Is a directory", in("a/0")));
  CHECK(read.left_out[1] == fmt::format("[read_documents] {} has no words", blank.string()));
  CHECK(read.left_out[2] ==
        fmt::format("[LineReader] {}, line 2, byte 4: not UTF-8 (0xE9); convert the file to UTF-8", latin.string()));
  CHECK(read.left_out[3] == fmt::format("[LineReader] {}, line 1, byte 2: a NUL byte; this is not text", nul.string()));
  CHECK(read.left_out[4] == in("b") + " isn't in a folder of a class");
  CHECK(read.left_out[5] == fmt::format("[read_documents] can't read {}: not a file", in("c/2")));
  CHECK(read.left_out[6] == fmt::format("[read_documents] can't read {}: No such file or directory", in("c/3")));
}

TEST_CASE("folders that hold no classes") {
  const Folder none, one, empty, blank;
  CHECK_THROWS_WITH_AS(read_documents(none.folder.path() / "missing"),
                       fmt::format("[read_documents] can't read the folder {}: No such file or directory",
                                   (none.folder.path() / "missing").string())
                           .c_str(),
                       IoError);
  CHECK_THROWS_AS(read_documents(one.put("file", "x")), IoError);
  one.put("a/1", "x\n");
  CHECK_THROWS_WITH_AS(one.read(),
                       fmt::format("[read_documents] {} has 1 folders of documents; two classes at least are needed, each a "
                                   "folder of text files",
                                   one.folder.path().string())
                           .c_str(),
                       FormatError);
  empty.put("a/1", "x\n");
  fs::create_directory(empty.folder.path() / "b");
  CHECK_THROWS_WITH_AS(
      empty.read(),
      fmt::format("[read_documents] the class {} has no documents: the folder is empty", (empty.folder.path() / "b").string())
          .c_str(),
      FormatError);
  const fs::path file = blank.put("a/1", "\n");
  blank.put("b/1", "x\n");
  CHECK_THROWS_WITH_AS(blank.read(),
                       fmt::format("[read_documents] the class {} has no documents: [read_documents] {} has no words",
                                   file.parent_path().string(), file.string())
                           .c_str(),
                       FormatError);
}

TEST_CASE("each document is tested in one fold, and a share of the others is held out") {
  const LabelledDocuments documents = made({20, 7});
  std::multiset<std::size_t> tested;
  for (std::int64_t fold = 1; fold <= 5; ++fold) {
    const DocumentSplit split = split_documents(documents, {.folds = 5, .fold = fold, .held_out = 0.25});
    tested.insert(split.test.begin(), split.test.end());
    std::set<std::size_t> all(split.train.begin(), split.train.end());
    all.insert(split.held_out.begin(), split.held_out.end());
    all.insert(split.test.begin(), split.test.end());
    CHECK(all.size() == 27);
    CHECK(split.train.size() + split.held_out.size() + split.test.size() == 27);
    CHECK(std::count_if(split.held_out.begin(), split.held_out.end(), [](std::size_t i) { return i < 20; }) == 4);
    for (const std::size_t i : split.test)
      if (i < 20) CHECK(static_cast<std::int64_t>(i) / 4 + 1 == fold);
  }
  CHECK(tested.size() == 27);
  CHECK(std::set(tested.begin(), tested.end()).size() == 27);

  const DocumentSplit whole = split_documents(documents, {.fold = 0, .held_out = 0.5});
  CHECK(whole.test.empty());
  CHECK(whole.held_out.size() == 13);
  CHECK(split_documents(documents, {.folds = 1, .fold = 1}).test.size() == 27);
  CHECK(split_documents(documents, {.fold = 3, .held_out = 0}).held_out.empty());
}

TEST_CASE("where a document goes doesn't depend on those that were left out") {
  const LabelledDocuments all = made({20, 20});
  LabelledDocuments some = all;
  some.documents.erase(some.documents.begin() + 3);
  some.documents.erase(some.documents.begin() + 25);
  const DocumentSplitOptions options{.folds = 10, .fold = 4, .held_out = 0.2};
  const auto names = [](const LabelledDocuments& documents, const std::vector<std::size_t>& part) {
    std::set<std::string> result;
    for (const std::size_t i : part) result.insert(documents.documents[i].name);
    return result;
  };
  const DocumentSplit before = split_documents(all, options), after = split_documents(some, options);
  for (const auto part : {&DocumentSplit::train, &DocumentSplit::held_out, &DocumentSplit::test}) {
    const auto left = names(some, after.*part);
    const auto right = names(all, before.*part);
    CHECK(std::includes(right.begin(), right.end(), left.begin(), left.end()));
  }
}

TEST_CASE("a checksum tells documents from others") {
  const std::vector<Document> texts = {{.name = "a", .label = 0, .sentences = {"one", "two"}},
                                       {.name = "b", .label = 1, .sentences = {"x"}}};
  CHECK(checksum(texts).starts_with("2 documents, crc32 "));
  auto other = texts;
  other[0].name = "elsewhere";
  CHECK(checksum(other) == checksum(texts));
  other[1].label = 0;
  CHECK(checksum(other) != checksum(texts));
  other = texts;
  other[0].sentences = {"onetwo"};
  CHECK(checksum(other) != checksum(texts));
  std::swap(other[0], other[1]);
  CHECK(checksum(other) != checksum(texts));
}

TEST_CASE("splits that can't be are refused") {
  const LabelledDocuments documents = made({4, 4});
  CHECK_THROWS_WITH_AS(split_documents(documents, {.folds = 10, .fold = 11}),
                       "[split_documents] fold 11 of 10: a number from 1 to the folds' is needed, or 0 for none", ValueError);
  CHECK_THROWS_AS(split_documents(documents, {.folds = 10, .fold = -1}), ValueError);
  CHECK_THROWS_AS(split_documents(documents, {.folds = 0}), ValueError);
  CHECK_THROWS_WITH_AS(split_documents(documents, {.held_out = 1}),
                       "[split_documents] held_out is 1; it must be a share in [0, 1)", ValueError);
}
