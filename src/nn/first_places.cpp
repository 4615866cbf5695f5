#include "nn/first_places.hpp"

#include <unordered_map>

namespace weft::nn {

Tensor first_places(const Tensor& ids) {
  const Tensor wide = ids.to(i64).contiguous();
  Tensor first = Tensor::empty(ids.shape(), i64);
  std::int64_t* place = first.mutable_data<std::int64_t>();
  for (std::int64_t row = 0; row < ids.size(0); ++row) {
    std::unordered_map<std::int64_t, std::int64_t> seen;
    for (std::int64_t t = 0; t < ids.size(1); ++t)
      *place++ = seen.try_emplace(wide.data<std::int64_t>()[row * ids.size(1) + t], t).first->second;
  }
  return first;
}

}  // namespace weft::nn
