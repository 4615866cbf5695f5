#include "weft/nn/average_checkpoints.hpp"

#include <cstring>
#include <map>
#include <string_view>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"

namespace weft::nn {
namespace {

constexpr const char* where = "average_checkpoints";

bool same_bytes(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

}  // namespace

SafetensorsFile average_checkpoints(std::span<const std::filesystem::path> paths) {
  check<ValueError>(!paths.empty(), where, "there are no files to average");
  SafetensorsFile result = load_safetensors(paths[0]);
  result.checked = false;
  std::vector<Tensor> sums;
  for (const auto& [name, tensor] : result.tensors)
    sums.push_back(!is_floating(tensor.dtype()) ? tensor : tensor.dtype() == f64 ? tensor.clone() : tensor.to(f64));
  for (const auto& path : paths.subspan(1)) {
    const SafetensorsFile file = load_safetensors(path);
    std::map<std::string_view, const Tensor*> by_name;
    for (const auto& [name, tensor] : file.tensors) by_name.emplace(name, &tensor);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto& [name, tensor] = result.tensors[i];
      const auto found = by_name.find(name);
      check<FormatError>(found != by_name.end(), where, "{} has no '{}', {} has", path.string(), name, paths[0].string());
      const Tensor& other = *found->second;
      check<FormatError>(other.shape() == tensor.shape() && other.dtype() == tensor.dtype(), where,
                         "'{}' is {} in {}, {} in {}", name, other, path.string(), tensor, paths[0].string());
      if (is_floating(tensor.dtype()))
        kernels::add_into(sums[i], other.to(f64));
      else if (tensor.dtype() == i64 && tensor.rank() == 0)
        sums[i] = sums[i].data<std::int64_t>()[0] < other.data<std::int64_t>()[0] ? other : sums[i];
      else
        check<FormatError>(same_bytes(tensor, other), where, "'{}' {} differs in {} and {}, and there is no mean of it", name,
                           other, path.string(), paths[0].string());
      by_name.erase(found);
    }
    if (!by_name.empty())
      fail<FormatError>(where, "{} has '{}', {} hasn't", path.string(), by_name.begin()->first, paths[0].string());
    std::erase_if(result.metadata, [&](const auto& entry) {
      const auto found = file.metadata.find(entry.first);
      return found == file.metadata.end() || found->second != entry.second;
    });
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    Tensor& tensor = result.tensors[i].tensor;
    if (is_floating(tensor.dtype())) kernels::scale_into(sums[i], 1 / static_cast<double>(paths.size()));
    tensor = sums[i].to(tensor.dtype());
  }
  result.name = fmt::format("the mean of {} files", paths.size());
  result.metadata["averaged"] = std::to_string(paths.size());
  return result;
}

}  // namespace weft::nn
