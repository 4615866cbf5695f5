#pragma once
#include "weft/nn/linear.hpp"

namespace weft::nn {

/// A linear map without a bias.
inline LinearOptions unbiased(std::int64_t in, std::int64_t out) {
  return {.in_features = in, .out_features = out, .bias = false};
}

}  // namespace weft::nn
