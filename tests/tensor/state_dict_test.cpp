#include "weft/tensor/state_dict.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("parts of a state keep their names and their tensors") {
  const Tensor a = Tensor::zeros({2}), b = Tensor::zeros({3});
  StateDict all;
  add_part(all, "model.", {{"weight", a}, {"model.bias", b}});
  add_part(all, "optimizer.", {{"weight", b}});
  add_part(all, "empty.", {});
  REQUIRE(all.size() == 3);
  CHECK(all[1].name == "model.model.bias");
  const StateDict model = part_of(all, "model."), optimizer = part_of(all, "optimizer.");
  REQUIRE(model.size() == 2);
  CHECK(model[0].name == "weight");
  CHECK(model[0].tensor.is_same(a));
  CHECK(model[1].name == "model.bias");
  REQUIRE(optimizer.size() == 1);
  CHECK(optimizer[0].tensor.is_same(b));
  CHECK(part_of(all, "empty.").empty());
  CHECK(part_of(all, "").size() == 3);
  const StateDict copy = copy_of(model);
  REQUIRE(copy.size() == 2);
  CHECK(copy[1].name == "model.bias");
  CHECK_FALSE(copy[0].tensor.same_buffer(a));
}
