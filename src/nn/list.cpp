#include "weft/nn/list.hpp"

#include <cstdint>
#include <string>

#include "base/fail.hpp"

namespace weft::nn {

void throw_no_item(const ModuleBase& list, std::size_t i, std::size_t size) {
  const std::string name = *list.path() == '\0' ? list.type_name() : fmt::format("'{}'", list.path());
  if (size == 0) fail<IndexError>("List", "{} is empty", name);
  fail<IndexError>("List", "{} has no item {}; its {} are 0 to {}", name, static_cast<std::int64_t>(i), size, size - 1);
}

}  // namespace weft::nn
