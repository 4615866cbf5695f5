#pragma once
#include <string>

#include "weft/base/error.hpp"

/// What `make` makes of data. Throws FormatError naming the data for a ValueError or ShapeError of it.
template <class Make>
auto of_data(const std::string& data, const Make& make) {
  try {
    return make();
  } catch (const weft::ValueError& error) {
    throw weft::FormatError(data + ": " + error.what());
  } catch (const weft::ShapeError& error) {
    throw weft::FormatError(data + ": " + error.what());
  }
}
