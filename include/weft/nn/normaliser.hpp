#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "weft/autograd/var.hpp"

namespace weft::nn {

/// What makes weights of scores: softmax, or one whose weights may be exactly 0 (sparsemax, Martins & Astudillo 2016; entmax15,
/// Peters et al. 2019).
enum class Normaliser : std::uint8_t { softmax, sparsemax, entmax15 };

/// As checkpoints and command lines have them, in the order of the kinds.
inline constexpr std::array normaliser_names = {"softmax", "sparsemax", "entmax15"};
std::string name_of(Normaliser normaliser);
/// Throws ValueError that lists the names for another one.
Normaliser normaliser_of(const std::string& name);

/// Weights over the last axis of `scores` where mask (bool, broadcast to them; undefined: everywhere) is true, zeros elsewhere.
/// Throws ShapeError, DTypeError.
Var normalised(Normaliser normaliser, const Var& scores, const Tensor& mask = {});

}  // namespace weft::nn
