#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/autograd/var.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/module.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"
#include "weft/optim/optimizer.hpp"
#include "weft/optim/schedule.hpp"

namespace weft {

/// The loss of one batch, a mean over `tokens` (one or more, which weigh it where batches or log lines are added up), and its
/// words, or what else the task's unit is, which the speed counts.
struct StepLoss {
  Var loss;
  std::int64_t tokens = 0, words = 0;
};

/// How good the model is on held-out data.
struct ValidationResult {
  double loss = 0;              ///< NaN ends the run unless steps that aren't finite are skipped, and is never the best
  std::optional<double> score;  ///< higher is better (BLEU), of equal ones that of lower loss; without one the loss decides
};

/// What is learned: a model, batches whose order is a function of the epoch alone, a loss and a validation.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;
  virtual nn::ModuleBase& model() = 0;
  /// Prepares an epoch (from 0) and gives its number of batches.
  virtual std::int64_t begin_epoch(std::int64_t epoch) = 0;
  /// The loss of batch `index` of that epoch, recorded on the tape that is alive.
  virtual StepLoss step(std::int64_t index) = 0;
  /// Called with the model in evaluation mode and nothing recording.
  virtual ValidationResult validate() = 0;
  /// Goes into the checkpoints' metadata, so that weights say what they are of.
  virtual Metadata metadata() const { return {}; }
  /// What else a run must keep when it goes on, by name: the data, their order, the loss, the validation.
  virtual Metadata settings() const { return {}; }
  /// What StepLoss::words counts, where people read it: "8,123 words/s". One word.
  virtual std::string unit() const { return "words"; }
  /// Whether the loss is a token's negative log likelihood, so that its exponential, the perplexity, stands in the log.
  virtual bool has_perplexity() const { return true; }
  /// What goes from one batch to the next, such as an LSTM's state, by name: kept in checkpoints and given back before the next
  /// step when a run goes on.
  virtual StateDict carried() const { return {}; }
  virtual void carry(const StateDict& /*carried*/) {}
};

/// A setting that a checkpoint was made with, and what it is now; "none" where one side lacks it, "the default" for a field of
/// a description (JSON) that one side lacks.
struct SettingDifference {
  std::string name, there, now;
};

/// A run can't go on: what() lists every setting that differs.
class SettingsError : public ValueError {
 public:
  SettingsError(const std::filesystem::path& path, std::vector<SettingDifference> differences);
  const std::string& path() const { return path_; }
  const std::vector<SettingDifference>& differences() const { return differences_; }

 private:
  std::string path_;
  std::vector<SettingDifference> differences_;
};

enum class Resume { never, automatic, must };

/// The learning rate's way after the warm-up, before a cooldown.
enum class AfterWarmup { inverse_sqrt, constant };

struct TrainerOptions {
  std::filesystem::path folder;  ///< gets best.safetensors, last.safetensors and train.log
  std::int64_t epochs = 20;
  std::int64_t updates = 0;         ///< ends after so many; 0: by epochs alone
  double seconds = 0;               ///< ends after so much training, validation included; 0: no limit
  std::int64_t validate_every = 0;  ///< updates between validations; 0: once an epoch
  std::int64_t save_every = 500;    ///< updates between saves of last.safetensors
  std::int64_t log_every = 100;     ///< updates between log lines; before the first one some lines closer together
  std::int64_t patience = 0;        ///< ends after so many validations in a row without a better score; 0: never
  double lr = 1e-3;
  double decay = 1;  ///< the learning rate is multiplied with it after `decay_patience` such validations (optim::Plateau)
  std::int64_t decay_patience = 1;
  double cooldown = 0;      ///< share of the epochs at their end in which the rate falls linearly to 0
  std::int64_t warmup = 0;  ///< updates in which the rate rises linearly; 0: it starts constant and stays so
  AfterWarmup after_warmup = AfterWarmup::inverse_sqrt;
  double clip = 1.0;  ///< largest norm of all gradients together; 0: any
  std::int64_t accumulate =
      1;                  ///< batches of an update, whose loss is the mean over all their tokens; an epoch's last has the rest
  double ema = 0;         ///< decay of an optim::WeightAverage that is validated and saved as the best; 0: none
  std::int64_t keep = 0;  ///< the weights of the last so many validations stay, as update-NUMBER.safetensors
  optim::NonFinite on_non_finite = optim::NonFinite::error;
  optim::AdamOptions adam = {};
  /// Makes another optimizer than Adam. The learning rate of each update is the trainer's. When a run goes on nothing compares
  /// how it was made: put that into `settings`.
  std::function<std::unique_ptr<optim::Optimizer>(std::span<Parameter* const> parameters)> optimizer = {};
  /// The factor on lr at each update in place of a warm-up, a function of the update's number alone; `settings` as above.
  optim::Schedule schedule = {};
  std::uint64_t seed = 1;
  Resume resume = Resume::automatic;
  Metadata settings = {};  ///< more that a run must keep when it goes on, by name
  /// Called before the first weights are saved: what else goes into the folder. What another run has left there stays until
  /// then, and where this one starts anew, the other's weights go.
  std::function<void()> begin = {};
};

struct TrainingResult {
  std::int64_t updates = 0, epochs = 0, skipped_steps = 0;  ///< whole epochs
  std::optional<double> best;   ///< score, or minus the loss where there is none; none before the first validation
  double words_per_second = 0;  ///< in the task's unit, of training steps, validation apart; 0 where nothing was left to do
  double seconds = 0;           ///< of training, earlier runs that were resumed included
  int signal = 0;               ///< that ended it; everything is saved
  bool within_epoch = false;    ///< it ended behind some batches of another epoch
};

/// What `train` would find wrong with the folder, for before the task is made of much data: it can't be one or be written,
/// lacks the run that must go on, or has weights without last.safetensors, which a new run would replace (unless that is what
/// `resume` says). Leaves nothing behind. Throws IoError.
void check_run_folder(const TrainerOptions& options);

/// Trains until the options say so or a signal asks. The model ends with the last weights, in training mode: nn::load of
/// best.safetensors and eval() make it what validation found best. best.safetensors holds the best weights alone under
/// PyTorch's names; last.safetensors all state, from which training goes on with the same bits as if it had not stopped. Both
/// are replaced as a whole. Adaptive spans of the model are clamped after each update. Of a run with `keep`,
/// nn::average_checkpoints makes one. Progress goes to `progress`, log lines to train.log. To go on, only limits (updates,
/// seconds, patience, and epochs where there is no cooldown), save_every, log_every and keep may change; with another seed,
/// another option or other settings of the task it is a SettingsError that names all of them with both values. While it trains
/// no other process can train in the folder, which is an IoError. Throws ValueError, IoError, FormatError, NumericError.
TrainingResult train(TrainingTask& task, const TrainerOptions& options, std::ostream& progress);

}  // namespace weft
