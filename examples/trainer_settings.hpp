#pragma once
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <map>
#include <string>

#include "option_values.hpp"
#include "read_options.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/trainer.hpp"

/// What every program that trains is told on the command line, and how it ends.
namespace trainer_settings {

namespace po = boost::program_options;
using namespace weft;
using option_values::choice;
using option_values::number;
using option_values::option;
using read_options::UsageError;

inline constexpr std::int64_t largest_size = 1'000'000, largest_epochs = 1 << 24;
inline constexpr std::int64_t most_hypotheses = 1000;  ///< of a beam
inline constexpr int most_threads = 1024;

inline std::string required(const std::string& value, const char* name) {
  if (value.empty()) throw UsageError(fmt::format("--{} is needed", name));
  return value;
}

/// Throws UsageError where data are given to a quick run, which would not look at them.
inline void refuse_data(const std::string& value, const char* name) {
  if (!value.empty()) throw UsageError(fmt::format("--quick makes its own data; leave out --{}", name));
}

/// Settings of a run, with defaults that work untouched.
struct TrainerSettings {
  std::string output, resume = "auto", then = "inverse-sqrt";
  double minutes = 0;
  TrainerOptions trainer = {};
  int threads = num_threads();
};

inline void add_trainer_options(po::options_description& options, TrainerSettings& s) {
  auto add = options.add_options();
  add("output", option(s.output), "folder of the run: checkpoints and log");
  add("epochs", number(s.trainer.epochs, 1, largest_epochs), "most epochs");
  add("updates", number(s.trainer.updates, 0), "most updates; 0: by epochs");
  add("minutes", number(s.minutes, 0), "most minutes of training; 0: by epochs");
  add("lr", number(s.trainer.lr, 0), "learning rate");
  add("weight-decay", number(s.trainer.adam.weight_decay, 0), "L2 penalty: so much of each weight is added to its gradient");
  add("warmup", number(s.trainer.warmup, 0), "updates of warm-up; 0: none");
  add("schedule", choice(s.then, {"inverse-sqrt", "constant"}), "of the rate after the warm-up");
  add("decay", number(s.trainer.decay, 1e-6, 1), "factor on the rate when validation gets no better");
  add("cooldown", number(s.trainer.cooldown, 0, 1), "share of the epochs at their end in which the rate falls to 0");
  add("accumulate", number(s.trainer.accumulate, 1, largest_size), "batches of an update, whose gradients are added up");
  add("ema", number(s.trainer.ema, 0, 0.999999),
      "decay of a moving average of the weights that is validated and kept; 0: none");
  add("clip", number(s.trainer.clip, 0), "largest gradient norm; 0: any");
  add("patience", number(s.trainer.patience, 0), "ends after so many validations without a new best; 0: never");
  add("validate-every", number(s.trainer.validate_every, 0), "updates; 0: once an epoch");
  add("save-every", number(s.trainer.save_every, 1), "updates");
  add("log-every", number(s.trainer.log_every, 1), "updates; more often at first");
  add("seed", number(s.trainer.seed, 0), "of everything random");
  add("resume", choice(s.resume, {"auto", "never", "must"}), "go on with the run in the folder");
  add("threads", number(s.threads, 1, most_threads),
      "threads (beside other work, OMP_WAIT_POLICY=passive in the environment helps)");
}

inline void apply(TrainerSettings& s) {
  s.trainer.resume = s.resume == "auto" ? Resume::automatic : s.resume == "never" ? Resume::never : Resume::must;
  s.trainer.folder = required(s.output, "output");
  check_run_folder(s.trainer);
  s.trainer.seconds = 60 * s.minutes;
  s.trainer.after_warmup = s.then == "constant" ? AfterWarmup::constant : AfterWarmup::inverse_sqrt;
  set_num_threads(s.threads);
}

/// "200 updates, 2 epochs", or the number of the epoch that isn't over, as in the log.
inline std::string steps_of(const TrainingResult& result) {
  return fmt::format(
      "{}, {}", format_count(result.updates, "update"),
      result.within_epoch ? fmt::format("within epoch {}", result.epochs + 1) : format_count(result.epochs, "epoch"));
}

/// "8123 words/s"
inline std::string speed_of(const TrainingResult& result, const char* unit) {
  return result.words_per_second > 0 ? fmt::format("{:.0f} {}/s", result.words_per_second, unit) : "no new updates";
}

/// What a shell expects of a program that a signal ended.
inline int exit_code(const TrainingResult& result) { return result.signal == 0 ? 0 : 128 + result.signal; }

/// The options that make a trainer's settings, by the setting's name.
inline const std::map<std::string, const char*> option_of_setting = {{"training.seed", "--seed"},
                                                                     {"training.validate_every", "--validate-every"},
                                                                     {"training.lr", "--lr"},
                                                                     {"training.decay", "--decay"},
                                                                     {"training.cooldown", "--cooldown, --epochs"},
                                                                     {"training.warmup", "--warmup, --schedule"},
                                                                     {"training.clip", "--clip"},
                                                                     {"training.accumulate", "--accumulate"},
                                                                     {"training.ema", "--ema"},
                                                                     {"training.adam", "--weight-decay"}};

}  // namespace trainer_settings
