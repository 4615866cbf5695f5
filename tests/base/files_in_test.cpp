#include "base/files_in.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;

TEST_CASE("what a folder holds comes by name") {
  const test::TemporaryFolder folder;
  CHECK(files_in("test", folder.path()).empty());
  for (const char* name : {"b", ".hidden", "a"}) std::ofstream(folder.path() / name) << "x";
  std::filesystem::create_directory(folder.path() / "c");
  using Paths = std::vector<std::filesystem::path>;
  CHECK(files_in("test", folder.path()) ==
        Paths{folder.path() / ".hidden", folder.path() / "a", folder.path() / "b", folder.path() / "c"});
  CHECK_THROWS_WITH_AS(files_in("test", folder.path() / "missing"), doctest::Contains("missing: No such file or directory"),
                       IoError);
  CHECK_THROWS_WITH_AS(files_in("test", folder.path() / "a"), doctest::Contains("[test] can't read the folder"), IoError);
}
