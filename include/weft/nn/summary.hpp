#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weft/nn/module.hpp"

namespace weft::nn {

/// One module of a summary. Columns add up: what a module's children have or do isn't in its own figures.
struct SummaryRow {
  std::string path, type;
  int depth = 0;
  std::optional<Shape> output;     ///< of its last call; none where it wasn't called or gave nothing with a shape
  std::int64_t calls = 0;          ///< of `run`, all together
  std::int64_t parameters = 0;     ///< elements; a tied parameter counts where it was made
  bool tied = false;               ///< whether it uses a parameter of a module above
  std::int64_t multiply_adds = 0;  ///< in matrix products, all calls together
};

struct Summary {
  std::vector<SummaryRow> rows;  ///< each module before its children
  std::int64_t parameters = 0;
  std::int64_t parameter_bytes = 0;
  std::int64_t multiply_adds = 0;
  /// A table for people.
  std::string str() const;
};

/// Runs `run`, which calls the model on an example, without recording and with dropout off, and tells what each module
/// has, gave and did. Modes are as before afterwards.
Summary summary(ModuleBase& model, const std::function<void()>& run);

/// The same for model(inputs...).
template <class Model, class... Inputs>
requires requires(Model& model, const Inputs&... inputs) { model.forward(inputs...); }
Summary summary(Model& model, const Inputs&... inputs) {
  return summary(static_cast<ModuleBase&>(model), std::function<void()>([&] { model(inputs...); }));
}

}  // namespace weft::nn
