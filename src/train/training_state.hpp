#pragma once
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>

#include "weft/base/random.hpp"
#include "weft/nn/module.hpp"
#include "weft/optim/optimizer.hpp"
#include "weft/optim/plateau.hpp"
#include "weft/optim/weight_average.hpp"

namespace weft {

/// Sums since the last line of the log.
struct LogWindow {
  double loss = 0, seconds = 0;
  std::int64_t tokens = 0, words = 0;
  double mean_loss() const { return loss / static_cast<double>(tokens); }
};

/// Where training stands, beside weights and optimizer.
struct TrainingState {
  Generator generator;
  std::int64_t update = 0, epoch = 0, position = 0;  ///< position: batches of the epoch that are done
  std::int64_t validated = 0;                        ///< the update that was validated last
  std::int64_t bad_validations = 0, skipped = 0;
  std::int64_t log_bytes = 0;  ///< length of the log
  LogWindow window = {};
  double best = 0, seconds = 0;
  double best_loss = -std::numeric_limits<double>::infinity();  ///< of equal scores the lower one is the best
  bool has_best = false;
  std::optional<optim::Plateau> plateau = {};  ///< where validation lowers the learning rate
  StateDict carried = {};                      ///< what the task carries from batch to batch
};

/// Everything in one file: "model.*", "optimizer.*", "plateau.*", "average.*", "carried.*" and "state.*", and in its metadata
/// what must not change. `average` may be null, when saving and loading.
void save_training(const std::filesystem::path& path, const nn::ModuleBase& model, const optim::Optimizer& optimizer,
                   const optim::WeightAverage* average, const TrainingState& state, const Metadata& settings);

/// Reads it back; after an error nothing has changed. Throws IoError, FormatError, ValueError where the file is of another
/// model or was made with other settings (SettingsError, which names all that differ).
void load_training(const std::filesystem::path& path, nn::ModuleBase& model, optim::Optimizer& optimizer,
                   optim::WeightAverage* average, TrainingState& state, const Metadata& settings);

}  // namespace weft
