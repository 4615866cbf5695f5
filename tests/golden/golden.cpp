#include "golden/golden.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace weft::test {
namespace {

template <class T>
Tensor tensor_of(const nlohmann::json& entry, const Shape& shape) {
  return Tensor::from(std::span<const T>(entry.at("data").get<std::vector<T>>()), shape);
}

}  // namespace

Golden Golden::load(const std::string& name) {
  Golden golden;
  const char* folder = std::getenv("WEFT_GOLDEN");  // where weft-selftest isn't installed yet
  golden.path_ = std::string(folder != nullptr ? folder : WEFT_GOLDEN_FOLDER) + "/" + name + ".json";
  std::ifstream file(golden.path_);
  if (!file) throw std::runtime_error("can't read " + golden.path_);
  const auto entries = nlohmann::json::parse(file);
  for (const auto& [key, entry] : entries.items()) {
    const auto sizes = entry.at("shape").get<std::vector<std::int64_t>>();
    const Shape shape{std::span(sizes)};
    golden.tensors_[key] = entry.at("dtype") == "i64" ? tensor_of<std::int64_t>(entry, shape) : tensor_of<double>(entry, shape);
  }
  return golden;
}

const Tensor& Golden::operator[](const std::string& tensor) const {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) throw std::runtime_error(path_ + " has no '" + tensor + "'");
  return found->second;
}

double relative_error(const Tensor& actual, const Tensor& expected) {
  if (actual.shape() != expected.shape()) return std::numeric_limits<double>::infinity();
  const Tensor a = actual.to(f64).contiguous(), b = expected.to(f64).contiguous();
  double difference = 0, largest = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const double x = a.data<double>()[i], y = b.data<double>()[i];
    if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, std::abs(x - y));
    largest = std::max(largest, std::abs(y));
  }
  return difference == 0 ? 0 : difference / largest;
}

}  // namespace weft::test
