#pragma once
#include <doctest/doctest.h>

#include <string>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/module.hpp"

namespace weft::test {

/// A run whose weights say under `key` that `size` is negative is refused by `load`, naming the file.
template <class Load>
void check_negative_size_refused(const nn::ModuleBase& model, Metadata metadata, const char* key, const std::string& size,
                                 const Load& load) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "best.safetensors";
  const std::string field = "\"" + size + "\":";
  std::string& options = metadata[key];
  REQUIRE(options.find(field) != std::string::npos);
  options.insert(options.find(field) + field.size(), "-");
  nn::save(model, path, metadata);
  CHECK_THROWS_WITH_AS(load(folder.path()), doctest::Contains(path.string().c_str()), FormatError);
}

}  // namespace weft::test
