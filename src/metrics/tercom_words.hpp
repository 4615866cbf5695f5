#pragma once
#include <string>
#include <vector>

#include "weft/metrics/ter.hpp"

namespace weft::metrics {

/// Words of a UTF-8 line, as Tercom's Normalizer makes them.
std::vector<std::string> tercom_words(const std::string& line, const TerOptions& options);

}  // namespace weft::metrics
