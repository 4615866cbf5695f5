#include "weft/base/file.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::ptrdiff_t files_in(const fs::path& folder) { return std::distance(fs::directory_iterator(folder), {}); }

}  // namespace

TEST_CASE("a file is made and replaced as a whole") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_atomically(path, "one");
  CHECK(content_of(path) == "one");
  write_atomically(path, [&](OutputFile& file) {
    file.write("two ");
    file.write("three");
    CHECK(content_of(path) == "one");
  });
  CHECK(content_of(path) == "two three");
  write_atomically(path, "");
  CHECK(fs::file_size(path) == 0);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a failed write leaves the old file and no other") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_atomically(path, "old");
  CHECK_THROWS_AS(write_atomically(path,
                                   [](OutputFile& file) {
                                     file.write("half");
                                     throw ValueError("no more");
                                   }),
                  ValueError);
  {
    const test::FileLimit limit(1000);
    CHECK_THROWS_WITH_AS(write_atomically(path, std::string(5000, 'x')), doctest::Contains("File too large"), IoError);
  }
  CHECK(content_of(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a process killed while it writes leaves the old file, and the next write works") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_atomically(path, "old");
  const pid_t child = fork();
  if (child == 0) {
    write_atomically(path, [](OutputFile& file) {
      file.write("half");
      std::raise(SIGKILL);
    });
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(content_of(path) == "old");
  write_atomically(path, "new");
  CHECK(content_of(path) == "new");
}

TEST_CASE("paths that can't be written are named") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(write_atomically(folder.path() / "no" / "file", "x"),
                       doctest::Contains("no' doesn't exist; make it first"), IoError);
  CHECK_THROWS_WITH_AS(write_atomically(folder.path(), "x"), doctest::Contains("not a regular file"), IoError);
  CHECK_THROWS_AS(write_atomically(folder.path() / "", "x"), IoError);
  CHECK_THROWS_AS(write_atomically("", "x"), IoError);
  CHECK_THROWS_WITH_AS(write_atomically("/dev/full", "x"), doctest::Contains("/dev/full"), IoError);
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("links are replaced, not followed, and leftovers don't stop a write") {
  const test::TemporaryFolder folder;
  const fs::path target = folder.path() / "target", link = folder.path() / "link";
  write_atomically(target, "target");
  fs::create_symlink(target, link);
  // What a killed process of the same number left: a link that would lead the temporary file astray.
  const fs::path leftover = folder.path() / (".link." + std::to_string(getpid()) + "-0.tmp");
  fs::create_symlink(target, leftover);
  write_atomically(link, "new");
  CHECK(content_of(target) == "target");
  CHECK(fs::is_regular_file(fs::symlink_status(link)));
  CHECK(content_of(link) == "new");
  CHECK(fs::is_symlink(leftover));
}

TEST_CASE("what a killed process had not written to its end goes, of the files asked for, and nothing else") {
  const test::TemporaryFolder folder;
  const auto make = [&](const char* name) {
    std::ofstream(folder.path() / name) << "half";
    return folder.path() / name;
  };
  const fs::path left = make(".last.weights.28958-0.tmp");
  make(".notes.txt.28958-0.tmp");
  make(".notes.tmp");
  make(".weights.tmp");
  make("last.weights.28958-0.tmp");
  make(".last.weights.28958.tmp");
  make(".last.weights.old-0.tmp");
  make(".weights.28958-0.tmp");  // of a file named "weights"
  make(".last.weights.28958-.tmp");
  make(".last.weights.-0.tmp");
  make(".last.weights.1-2-3.tmp");
  make(".28958-0.tmp");
  make(".tmp");
  make("last.weights");
  remove_unfinished(folder.path(), ".weights");
  CHECK_FALSE(fs::exists(left));
  CHECK(files_in(folder.path()) == 13);
  remove_unfinished(folder.path() / "missing", ".weights");
  // What a killed write leaves is found by its name.
  const pid_t child = fork();
  if (child == 0) write_atomically(folder.path() / "new.weights", [](OutputFile&) { std::raise(SIGKILL); });
  REQUIRE(child > 0);
  waitpid(child, nullptr, 0);
  CHECK(files_in(folder.path()) == 14);
  remove_unfinished(folder.path(), ".weights");
  CHECK(files_in(folder.path()) == 13);
}
