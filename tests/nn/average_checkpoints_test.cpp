#include "weft/nn/average_checkpoints.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "golden/golden.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

std::filesystem::path write(const std::filesystem::path& path, double weight, std::int64_t count,
                            const Metadata& metadata = {}) {
  const StateDict tensors = {{"weight", Tensor::full({2, 3}, weight)},
                             {"wide", Tensor::full({}, 3 * weight, f64)},
                             {"count", Tensor::full({2}, static_cast<double>(count), i64)}};
  save_safetensors(path, tensors, metadata);
  return path;
}

}  // namespace

TEST_CASE("checkpoints are averaged by name, what they agree in is kept") {
  const test::TemporaryFolder folder;
  const std::vector<std::filesystem::path> paths = {
      write(folder.path() / "a", 1, 7, {{"kind", "x"}, {"update", "1"}}),
      write(folder.path() / "b", 2, 7, {{"kind", "x"}, {"update", "2"}}),
      write(folder.path() / "c", 6, 7, {{"kind", "x"}, {"update", "3"}, {"more", "y"}})};
  const SafetensorsFile mean = nn::average_checkpoints(paths);
  REQUIRE(mean.tensors.size() == 3);
  for (const auto& [name, tensor] : mean.tensors) {
    if (name == "weight") CHECK(test::relative_error(tensor, Tensor::full({2, 3}, 3)) == 0);
    if (name == "wide") CHECK(test::relative_error(tensor, Tensor::full({}, 9, f64)) <= 1e-15);
    if (name == "count") CHECK(test::relative_error(tensor, Tensor::full({2}, 7, i64)) == 0);
  }
  CHECK(mean.metadata == Metadata{{"kind", "x"}, {"averaged", "3"}});
  const SafetensorsFile one = nn::average_checkpoints(std::vector{paths[1]});
  CHECK(one.tensors.size() == 3);
  CHECK(one.metadata.at("update") == "2");
}

TEST_CASE("counts of checkpoints aren't averaged: the largest is taken") {
  const test::TemporaryFolder folder;
  std::vector<std::filesystem::path> paths;
  for (const double count : {3, 9, 6}) {
    paths.push_back(folder.path() / std::to_string(paths.size()));
    save_safetensors(paths.back(), StateDict{{"num_batches_tracked", Tensor::full({}, count, i64)}});
  }
  CHECK(nn::average_checkpoints(paths).tensors[0].tensor.at({}) == 9);
}

TEST_CASE("checkpoints of other models aren't averaged") {
  const test::TemporaryFolder folder;
  const auto a = write(folder.path() / "a", 1, 7), b = write(folder.path() / "b", 1, 8), c = folder.path() / "c";
  const auto with = [&](const StateDict& tensors) {
    save_safetensors(c, tensors);
    return std::vector{a, c};
  };
  const NamedTensor weight = {"weight", Tensor::ones({2, 3})}, wide = {"wide", Tensor::ones({}, f64)},
                    count = {"count", Tensor::full({2}, 7, i64)};
  CHECK_THROWS_WITH_AS(nn::average_checkpoints({}), doctest::Contains("no files"), ValueError);
  CHECK_THROWS_WITH_AS(nn::average_checkpoints(std::vector{a, b}), doctest::Contains("'count' i64[2] differs"), FormatError);
  CHECK_THROWS_WITH_AS(nn::average_checkpoints(with({weight, wide})), doctest::Contains("has no 'count'"), FormatError);
  CHECK_THROWS_WITH_AS(nn::average_checkpoints(with({weight, wide, count, {"more", Tensor::ones({})}})),
                       doctest::Contains("has 'more'"), FormatError);
  CHECK_THROWS_WITH_AS(nn::average_checkpoints(with({{"weight", Tensor::ones({3, 2})}, wide, count})),
                       doctest::Contains("'weight' is f32[3, 2]"), FormatError);
  CHECK_THROWS_WITH_AS(nn::average_checkpoints(with({weight, {"wide", Tensor::ones({})}, count})),
                       doctest::Contains("'wide' is f32[]"), FormatError);
  CHECK_THROWS_AS(nn::average_checkpoints(std::vector{a, folder.path() / "none"}), IoError);
}
