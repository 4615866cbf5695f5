#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "weft/autograd/var.hpp"

namespace bench {

/// Sizes of what all kinds are given: x [batch, length, width].
struct FamilySizes {
  std::int64_t batch = 1, width = 256, heads = 4;
};

/// A kind of attention at work on x [batch, length, width], which is queries, keys and values at once. Keeps its module.
using AttentionCall = std::function<weft::Var(const weft::Var& x)>;

struct AttentionKind {
  std::string name;
  std::function<AttentionCall(const FamilySizes& sizes, std::int64_t length)> make;
};

/// Every kind of docs/attention.md, in its order.
const std::vector<AttentionKind>& attention_kinds();

}  // namespace bench
