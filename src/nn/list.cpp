#include "weft/nn/list.hpp"

#include "base/fail.hpp"

namespace weft::nn {

void throw_no_item(const ModuleBase& list, std::size_t i, std::size_t size) {
  if (size == 0) fail<IndexError>("List", "'{}' is empty", list.path());
  fail<IndexError>("List", "'{}' has no item {}; its {} are 0 to {}", list.path(), i, size, size - 1);
}

}  // namespace weft::nn
