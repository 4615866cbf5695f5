#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "weft/data/batching.hpp"
#include "weft/train/progress.hpp"

/// Says which pairs of texts no batch has, or not whole; `option` sets how long a side may be.
inline void say_batched(const char* program, const weft::data::TokenBatcher& batcher, const char* option) {
  const auto say = [&](const char* what, std::int64_t count, const std::string& side) {
    if (count > 0) fmt::print(stderr, "{}: {}: {} with a side {}\n", program, what, weft::format_count(count, "pair"), side);
  };
  const std::string too_long = fmt::format("longer than {} {}", option, batcher.options().max_length);
  say("left out", batcher.dropped_long(), too_long);
  say("left out", batcher.dropped_empty(), "without tokens");
  say("cut", batcher.truncated(), too_long);
}
