#include "train/run_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/train/trainer.hpp"

using namespace weft;
namespace fs = std::filesystem;

namespace {

void make(const RunFolder& run, std::initializer_list<const char*> names) {
  for (const char* name : names) std::ofstream(run.log().parent_path() / name) << "0123456789";
}

std::vector<std::string> names_in(const RunFolder& run) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run.log().parent_path())) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a run's folder is made, without weights that a killed run had not written to their end, and closed to other runs") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "runs" / "first";
  {
    const RunFolder run(path);
    CHECK(fs::is_directory(path));
    CHECK_THROWS_AS(RunFolder{path}, IoError);
    make(run, {".last.safetensors.28958-0.tmp", ".notes.tmp", "last.safetensors"});
  }
  const RunFolder again(path);
  CHECK(names_in(again) == Names{".notes.tmp", "last.safetensors"});
  CHECK_THROWS_WITH_AS(RunFolder(again.last()), doctest::Contains("can't make the folder"), IoError);
}

TEST_CASE("a folder that no run can be trained in is found without one, and nothing is left of the search") {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "text";
  const auto refused = [](const fs::path& path, const std::string& message) {
    INFO(path.string());
    CHECK_THROWS_WITH_AS(check_run_folder({.folder = path}), doctest::Contains(message.c_str()), IoError);
  };
  refused("/proc/weft/run", "can't make the folder /proc/weft/run: ");
  refused("/proc", "can't write in the folder /proc: ");
  refused(folder.path() / "file", "file: Not a directory");
  refused(folder.path() / "file" / "run", "file/run: Not a directory");
  refused("", "has no name");
  refused(folder.path() / std::string(300, 'a'), "File name too long");
  check_run_folder({.folder = folder.path()});
  check_run_folder({.folder = folder.path() / "runs" / "first"});
  check_run_folder({.folder = "no-such-run"});
  CHECK_FALSE(fs::exists("no-such-run"));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS_WITH_AS(check_run_folder({.folder = folder.path() / "runs", .resume = Resume::must}),
                       doctest::Contains("runs/last.safetensors to resume from"), IoError);
}

TEST_CASE("weights without a run that could go on are replaced on demand alone") {
  for (const char* name : {"best.safetensors", "update-7.safetensors"}) {
    INFO(name);
    const test::TemporaryFolder folder;
    std::ofstream(folder.path() / name) << "somebody's";
    std::ofstream(folder.path() / "train.log") << "somebody's";
    CHECK_THROWS_WITH_AS(
        check_run_folder({.folder = folder.path()}),
        doctest::Contains(("there is " + (folder.path() / name).string() + " but no last.safetensors").c_str()), IoError);
    check_run_folder({.folder = folder.path(), .resume = Resume::never});
    std::ofstream(folder.path() / "last.safetensors") << "a run's";
    check_run_folder({.folder = folder.path()});
  }
}

TEST_CASE("the newest kept weights up to an update stay, and what isn't of an update") {
  const test::TemporaryFolder folder;
  const RunFolder run(folder.path());
  CHECK(run.kept(12) == folder.path() / "update-12.safetensors");
  make(run, {"update-5.safetensors", "update-10.safetensors", "update-20.safetensors", "update-x.safetensors",
             "update-.safetensors", "update-7.txt"});
  run.remove_kept(10, 1);
  CHECK(names_in(run) ==
        Names{"update-.safetensors", "update-10.safetensors", "update-20.safetensors", "update-7.txt", "update-x.safetensors"});
}

TEST_CASE("all weights of a run go, and nothing else") {
  const test::TemporaryFolder folder;
  const RunFolder run(folder.path());
  run.remove_weights();
  make(run, {"last.safetensors", "best.safetensors", "update-5.safetensors", "average.safetensors", "train.log"});
  run.remove_weights();
  CHECK(names_in(run) == Names{"average.safetensors", "train.log"});
}

TEST_CASE("weights that can't be removed are named") {
  const test::TemporaryFolder folder;
  const RunFolder run(folder.path());
  fs::create_directories(run.best() / "something");
  CHECK_THROWS_WITH_AS(run.remove_weights(), doctest::Contains(("can't remove " + run.best().string() + ": ").c_str()),
                       IoError);
  fs::create_directories(run.kept(7) / "something");
  CHECK_THROWS_WITH_AS(run.remove_kept(7, 0), doctest::Contains(("can't remove " + run.kept(7).string() + ": ").c_str()),
                       IoError);
}

TEST_CASE("a log is cut where it is longer, and never made") {
  const test::TemporaryFolder folder;
  const RunFolder run(folder.path());
  run.cut_log(4);
  CHECK(names_in(run).empty());
  make(run, {"train.log"});
  run.cut_log(11);
  CHECK(fs::file_size(run.log()) == 10);
  run.cut_log(4);
  CHECK(fs::file_size(run.log()) == 4);
}
