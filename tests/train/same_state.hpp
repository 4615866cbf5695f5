#pragma once
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include "weft/tensor/safetensors.hpp"

namespace weft::test {

/// Two checkpoints' tensors have the same bits, but for what the clock says.
inline void check_same_state(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto left = load_safetensors(a).tensors, right = load_safetensors(b).tensors;
  REQUIRE(left.size() == right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    CHECK(left[i].name == right[i].name);
    if (left[i].name == "state.seconds" || left[i].name == "state.log_bytes") continue;
    CHECK_MESSAGE(std::memcmp(left[i].tensor.raw(), right[i].tensor.raw(),
                              static_cast<std::size_t>(left[i].tensor.numel()) * size_of(left[i].tensor.dtype())) == 0,
                  left[i].name);
  }
}

}  // namespace weft::test
