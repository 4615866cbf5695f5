#include "weft/train/kept_checkpoints.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;

TEST_CASE("kept weights are found by their names, the oldest first, and nothing else") {
  const test::TemporaryFolder folder;
  CHECK(kept_checkpoints(folder.path()).empty());
  CHECK(kept_checkpoint(folder.path(), 12) == folder.path() / "update-12.safetensors");
  for (const std::int64_t update : {100, 20, 3}) std::ofstream(kept_checkpoint(folder.path(), update)) << "weights";
  for (const char* name : {"update-x.safetensors", "update-.safetensors", "update-7.txt",
                           "update-99999999999999999999.safetensors", "last.safetensors", "my-update-5.safetensors",
                           "update--5.safetensors", "update-007.safetensors", "update-5.safetensors.old"})
    std::ofstream(folder.path() / name) << "something else";
  const auto kept = kept_checkpoints(folder.path());
  REQUIRE(kept.size() == 3);
  CHECK(kept[0] == std::pair{std::int64_t{3}, kept_checkpoint(folder.path(), 3)});
  CHECK(kept[1].first == 20);
  CHECK(kept[2].first == 100);
}

TEST_CASE("a folder that can't be listed is named") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(kept_checkpoints(folder.path() / "missing"), doctest::Contains("missing: No such file or directory"),
                       IoError);
}
