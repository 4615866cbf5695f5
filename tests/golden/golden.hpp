#pragma once
#include <map>
#include <string>

#include "weft/tensor/tensor.hpp"

namespace weft::test {

/// What PyTorch computed: one file of tests/golden, written by make_golden.py; README.md there says what is in each.
class Golden {
 public:
  /// tests/golden/NAME.json. Throws std::runtime_error naming the file.
  static Golden load(const std::string& name);

  /// f64 or i64. Throws std::runtime_error naming the file and the tensor that isn't there.
  const Tensor& operator[](const std::string& tensor) const;
  bool contains(const std::string& tensor) const { return tensors_.count(tensor) != 0; }
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

 private:
  std::string path_;
  std::map<std::string, Tensor> tensors_;
};

/// Largest difference as a part of `expected`'s largest absolute value; infinite where shapes differ or one has a NaN.
/// Any floating dtypes. Golden files are met to 1e-6 in f32 and 1e-12 in f64.
double relative_error(const Tensor& actual, const Tensor& expected);

}  // namespace weft::test
