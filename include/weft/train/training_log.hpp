#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "weft/report/report.hpp"

namespace weft {

/// What the trainer wrote into train.log.
struct TrainingLog {
  /// Means since the line before.
  struct Window {
    std::int64_t update = 0, epoch = 0;
    double loss = 0, words_per_second = 0, gradient_norm = 0, lr = 0;
    std::optional<double> memory;  ///< MiB of tensors at their peak; older logs don't have it
  };
  struct Validation {
    std::int64_t update = 0, epoch = 0;
    double loss = 0;
    std::optional<double> score;
    bool best = false;
  };
  std::vector<Window> windows;
  std::vector<Validation> validations;
  std::string unit = "words";  ///< TrainingTask::unit, of which words_per_second counts
};

/// Of several runs one after the other in a log, the last. Lines of another kind are passed over.
/// Throws IoError, FormatError where no line is one of the trainer's.
TrainingLog read_training_log(const std::filesystem::path& path);

/// A section of curves over the updates: loss, score, learning rate, speed, gradient norm and memory.
void report_training(report::Report& page, const TrainingLog& log);

}  // namespace weft
