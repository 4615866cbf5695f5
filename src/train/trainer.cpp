#include "weft/train/trainer.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>

#include "base/fail.hpp"
#include "base/last_error.hpp"
#include "kernels/elementwise.hpp"
#include "optim/own_gradient.hpp"
#include "train/run_folder.hpp"
#include "train/training_state.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/nn/adaptive_span.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/signals.hpp"

namespace weft {
namespace {

constexpr const char* where = "train";

void check_options(const TrainerOptions& o) {
  check<ValueError>(o.epochs >= 1 && o.updates >= 0 && o.seconds >= 0 && o.patience >= 0, where,
                    "epochs {}, updates {}, seconds {}, patience {}: at least one epoch, nothing negative", o.epochs, o.updates,
                    o.seconds, o.patience);
  check<ValueError>(o.save_every >= 1 && o.log_every >= 1 && o.validate_every >= 0 && o.warmup >= 0, where,
                    "save_every {} and log_every {} must be at least 1, validate_every {} and warmup {} not negative",
                    o.save_every, o.log_every, o.validate_every, o.warmup);
  check<ValueError>(std::isfinite(o.lr) && o.lr >= 0 && o.clip >= 0, where, "lr {} must be finite, lr and clip {} not negative",
                    o.lr, o.clip);
  check<ValueError>(o.decay > 0 && o.decay <= 1 && o.decay_patience >= 1, where,
                    "decay {} must be in (0, 1], decay_patience {} at least 1", o.decay, o.decay_patience);
  check<ValueError>(o.accumulate >= 1 && o.keep >= 0, where, "accumulate {} must be at least 1, keep {} not negative",
                    o.accumulate, o.keep);
  check<ValueError>(o.ema >= 0 && o.ema < 1, where, "ema {} must be in [0, 1), the share of the average that stays", o.ema);
  check<ValueError>(o.cooldown >= 0 && o.cooldown <= 1, where, "cooldown {} must be in [0, 1], a share of the epochs",
                    o.cooldown);
  check<ValueError>(!o.schedule || o.warmup == 0, where,
                    "there are a schedule and a warmup of {}: let the schedule begin with it (optim::warmup)", o.warmup);
}

std::unique_ptr<optim::Optimizer> optimizer_of(TrainingTask& task, const TrainerOptions& o) {
  const auto& parameters = task.model().parameters();
  auto optimizer = o.optimizer ? o.optimizer(parameters) : std::make_unique<optim::Adam>(parameters, o.adam);
  check<ValueError>(optimizer != nullptr, where, "what makes the optimizer made none");
  return optimizer;
}

/// The learning rate's part that validation decides; none where it doesn't.
std::optional<optim::Plateau> plateau_of(const TrainerOptions& o) {
  if (o.decay == 1) return std::nullopt;
  return optim::Plateau({.better = optim::Better::higher,
                         .factor = o.decay,
                         .patience = o.decay_patience - 1,
                         .threshold = 0,
                         .relative_threshold = false});
}

optim::Schedule schedule_of(const TrainerOptions& o) {
  if (o.schedule) return o.schedule;
  if (o.warmup == 0) return optim::constant();
  return o.after_warmup == AfterWarmup::constant ? optim::linear_warmup(o.warmup) : optim::inverse_sqrt(o.warmup);
}

/// What must be as it was for a run to go on with the same bits: the task's part and the options that aren't limits.
Metadata kept_settings(const TrainingTask& task, const TrainerOptions& o) {
  Metadata kept = {{"training.seed", fmt::to_string(o.seed)},
                   {"training.validate_every", fmt::to_string(o.validate_every)},
                   {"training.lr", fmt::to_string(o.lr)},
                   {"training.decay", fmt::to_string(o.decay)},
                   {"training.decay_patience", fmt::to_string(o.decay_patience)},
                   {"training.warmup", fmt::to_string(o.warmup)},
                   {"training.clip", fmt::to_string(o.clip)},
                   {"training.on_non_finite", o.on_non_finite == optim::NonFinite::skip ? "skip" : "error"},
                   {"training.adam", fmt::format("betas {} and {}, eps {}, weight decay {}", o.adam.betas[0], o.adam.betas[1],
                                                 o.adam.eps, o.adam.weight_decay)}};
  if (o.adam.amsgrad) kept["training.adam"] += ", amsgrad";
  if (o.optimizer) kept["training.adam"] = "none, but another optimizer";
  if (o.warmup > 0 && o.after_warmup == AfterWarmup::constant) kept["training.warmup"] += " then constant";
  if (o.schedule) kept["training.warmup"] = "none, but another schedule";
  if (o.accumulate > 1) kept["training.accumulate"] = fmt::to_string(o.accumulate);
  if (o.ema > 0) kept["training.ema"] = fmt::to_string(o.ema);
  // With a cooldown the number of epochs is part of every learning rate.
  kept["training.cooldown"] = o.cooldown > 0 ? fmt::format("{} of {} epochs", o.cooldown, o.epochs) : "0";
  kept.merge(task.metadata());
  kept.merge(task.settings());
  kept.merge(Metadata(o.settings));
  return kept;
}

/// While it lives the model has the averaged weights, where there are any.
class AveragedWeights {
 public:
  explicit AveragedWeights(std::optional<optim::WeightAverage>& average)
      : average_(average && average->updates() > 0 ? &*average : nullptr) {
    if (average_ != nullptr) average_->swap();
  }
  ~AveragedWeights() {
    if (average_ != nullptr) average_->swap();
  }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  optim::WeightAverage* average_;
};

// A model that has learned nothing has a perplexity of any size.
std::string format_loss(double loss, bool has_perplexity) {
  if (!has_perplexity) return fmt::format("loss {:.4f}", loss);
  const double perplexity = std::exp(loss);
  return fmt::format("loss {:.4f} perplexity {}", loss,
                     perplexity < 1e6 ? fmt::format("{:.2f}", perplexity) : fmt::format("{:.2e}", perplexity));
}

class Training {
 public:
  Training(TrainingTask& task, const TrainerOptions& options, std::ostream& progress)
      : task_(task),
        options_(options),
        optimizer_(optimizer_of(task, options)),
        learned_(optimizer_->parameters()),
        spans_(nn::adaptive_spans(task.model())),
        schedule_(schedule_of(options)),
        progress_(progress),
        unit_(task.unit()),
        settings_(kept_settings(task, options)),
        folder_(options.folder),
        state_{.generator = Generator(options.seed), .plateau = plateau_of(options)} {
    task.model().train();
    if (options.ema > 0) average_.emplace(task.model().parameters(), optim::WeightAverageOptions{.decay = options.ema});
    resume();
    errno = 0;
    log_.open(folder_.log(), std::ios::app | std::ios::ate);
    check_log();
  }

  TrainingResult run() {
    started_ = steady_seconds() - state_.seconds;
    tell_where_it_stands();
    if (!finished()) begin_epoch();
    ProgressBar bar(progress_, {.terminal = is_terminal(2), .width = terminal_width(2), .start = done()});
    // What comes next follows from the state alone, so that a run goes on in the same way from any checkpoint.
    while (stop_.requested() == 0) {
      if (validation_due()) validate(bar, true);
      if (finished()) break;
      if (batches_ == 0) begin_epoch();
      step();
      show(bar);
      if (log_due()) log_window(bar);
      end_epoch();
      if (state_.update % options_.save_every == 0) save();
    }
    if (stop_.requested() == 0 && state_.validated != state_.update) validate(bar, false);
    // A run that was stopped before its first update has nothing to put in the place of another one.
    if (!saved_ && (resumed_ || state_.update > 0)) save();
    bar.finish();
    if (saved_ && stop_.requested() != 0 && !(finished() && state_.validated == state_.update))
      progress_ << (options_.resume == Resume::never
                        ? "saved: the same command goes on where it doesn't start anew (resume never)\n"
                        : "saved: the same command goes on\n");
    return {state_.update,
            state_.epoch,
            state_.skipped,
            state_.has_best ? std::optional(state_.best) : std::nullopt,
            step_seconds_ > 0 ? static_cast<double>(words_) / step_seconds_ : 0,
            state_.seconds,
            stop_.requested(),
            state_.position > 0};
  }

 private:
  // A run that goes on says so, and one that has nothing to do says why.
  void tell_where_it_stands() {
    if (state_.update == 0) return;
    const std::string place = fmt::format("{} stands at update {} after {}", folder_.last().string(), state_.update,
                                          format_count(state_.epoch, "epoch"));
    if (finished())
      progress_ << place << ": nothing is left to do (" << way_on() << ")\n";
    else
      progress_ << place << " and goes on from there\n";
  }

  // What would lift the limits that are reached.
  std::string way_on() const {
    // With a cooldown the number of epochs is one of the settings that stay.
    if (epochs_over() && options_.cooldown > 0)
      return fmt::format("its rate's cooldown ends with {}; a run of more is another one, in a folder of its own",
                         format_count(options_.epochs, "epoch"));
    std::vector<const char*> more;
    if (epochs_over()) more.push_back("epochs");
    if (updates_over()) more.push_back("updates");
    if (time_over()) more.push_back("time");
    if (patience_over()) more.push_back("patience");
    return fmt::format("more {} would go on", fmt::join(more, " and "));
  }

  bool epochs_over() const { return state_.epoch >= options_.epochs; }
  bool updates_over() const { return options_.updates > 0 && state_.update >= options_.updates; }
  bool time_over() const { return options_.seconds > 0 && state_.seconds >= options_.seconds; }
  bool patience_over() const { return options_.patience > 0 && state_.bad_validations >= options_.patience; }
  bool finished() const { return epochs_over() || updates_over() || time_over() || patience_over(); }

  // Below log_every at updates of three binary digits, or of such and zeros: a short run has a curve too.
  bool log_due() const {
    const auto update = static_cast<std::uint64_t>(state_.update);
    return state_.update % options_.log_every == 0 ||
           (state_.update < options_.log_every && update % std::max<std::uint64_t>(std::bit_floor(update) / 4, 1) == 0);
  }

  bool validation_due() const {
    if (state_.validated == state_.update) return false;
    return options_.validate_every > 0 ? state_.update % options_.validate_every == 0 : state_.position == 0;
  }

  void begin_epoch() {
    batches_ = task_.begin_epoch(state_.epoch);
    check<ValueError>(batches_ > 0, where, "epoch {} has no batches: there is nothing to train on", state_.epoch + 1);
    check<ValueError>(state_.position < batches_, where, "{} stands at batch {} of an epoch that has {}",
                      folder_.last().string(), state_.position, batches_);
  }

  void end_epoch() {
    if (state_.position < batches_) return;
    ++state_.epoch;
    state_.position = 0;
    batches_ = 0;
  }

  double epochs_done() const {
    return static_cast<double>(state_.epoch) +
           (batches_ > 0 ? static_cast<double>(state_.position) / static_cast<double>(batches_) : 0);
  }

  // The learning rate's part that falls to 0 at the end.
  double cooldown() const {
    if (options_.cooldown == 0) return 1;
    const auto epochs = static_cast<double>(options_.epochs);
    return std::min(1.0, (epochs - epochs_done()) / (options_.cooldown * epochs));
  }

  // The share of the run, by the limit that ends it first as things go.
  double done() const {
    double share = epochs_done() / static_cast<double>(options_.epochs);
    if (options_.seconds > 0) share = std::max(share, state_.seconds / options_.seconds);
    if (options_.updates > 0)
      share = std::max(share, static_cast<double>(state_.update) / static_cast<double>(options_.updates));
    return std::min(share, 1.0);
  }

  void show(ProgressBar& bar) {
    bar.update({.label = fmt::format("epoch {}", state_.epoch + 1),
                .done = done(),
                .total = 1,
                .loss = state_.window.tokens > 0 ? state_.window.mean_loss() : last_loss_,
                .words = words_,
                .unit = unit_});
  }

  void step() {
    const double begin = steady_seconds();
    const std::int64_t batches = std::min(options_.accumulate, batches_ - state_.position);
    std::int64_t tokens = 0;
    for (std::int64_t i = 0; i < batches; ++i) tokens += add_gradients(state_.position + i, batches > 1);
    // The gradients of sums become those of the mean over all of them.
    if (batches > 1) {
      optim::own_gradients(learned_);
      for (Parameter* parameter : learned_)
        if (parameter->grad().defined()) kernels::scale_into(parameter->mutable_grad(), 1 / static_cast<double>(tokens));
    }
    const optim::ClipResult clipped = optim::clip_grad_norm(learned_, largest_norm(), {options_.on_non_finite});
    norm_ = clipped.norm;
    state_.skipped += clipped.skipped ? 1 : 0;
    optimizer_->set_lr(options_.lr * (state_.plateau ? state_.plateau->factor() : 1) * schedule_(state_.update + 1) *
                       cooldown());
    if (!clipped.skipped) {
      optimizer_->step();
      for (nn::AdaptiveSpan* span : spans_) span->clamp();
      if (average_) average_->update();
    }
    // Those that the optimizer hasn't would add up.
    for (Parameter* parameter : task_.model().parameters()) parameter->clear_grad();
    ++state_.update;
    state_.position += batches;
    saved_ = false;
    const double now = steady_seconds();
    state_.window.seconds += now - begin;
    step_seconds_ += now - begin;
    state_.seconds = now - started_;
  }

  double largest_norm() const { return options_.clip > 0 ? options_.clip : std::numeric_limits<double>::infinity(); }

  // Those of a batch's mean loss or, to add up, of its sum over the tokens, which are counted.
  std::int64_t add_gradients(std::int64_t index, bool of_sum) {
    Tape tape(state_.generator);
    const StepLoss result = task_.step(index);
    check<ValueError>(result.loss.defined() && result.tokens > 0, where,
                      "step {} of epoch {} gave {} over {} tokens; TrainingTask::step must give a loss and say of how many "
                      "tokens it is the mean",
                      index + 1, state_.epoch + 1, result.loss.defined() ? "a loss" : "no loss", result.tokens);
    const auto tokens = static_cast<double>(result.tokens);
    tape.backward(of_sum ? result.loss * tokens : result.loss);
    if (const double loss = result.loss.item(); std::isfinite(loss)) {  // one that isn't is told by the steps passed over
      state_.window.loss += loss * tokens;
      state_.window.tokens += result.tokens;
    }
    state_.window.words += result.words;
    words_ += result.words;
    return result.tokens;
  }

  void log_window(ProgressBar& bar) {
    const LogWindow& window = state_.window;
    if (window.tokens == 0) return;
    last_loss_ = window.mean_loss();
    const double share = done();
    const double left = share > 0 ? state_.seconds * (1 - share) / share : -1;
    line(bar,
         fmt::format("update {} epoch {} {} {}/s {:.0f} gradient norm {:.3f} lr {:.3g} "
                     "memory {:.1f} MiB left {}",
                     state_.update, state_.epoch + 1, format_loss(*last_loss_, task_.has_perplexity()), unit_,
                     static_cast<double>(window.words) / window.seconds, norm_, optimizer_->lr(),
                     static_cast<double>(memory_statistics().total.peak) / (1 << 20), format_duration(left)),
         false);
    state_.window = {};
  }

  // Off schedule, at the end of a run, it decides about the best weights alone: a run that goes on from there with other
  // limits has the learning rates of one that was never limited.
  void validate(ProgressBar& bar, bool scheduled) {
    // Weights never stand there without the run that they are of: they would be taken for somebody's own.
    if (!claimed_) save();
    ValidationResult result;
    double value = 0;
    bool better = false, best = false;
    {
      const AveragedWeights averaged(average_);
      task_.model().eval();
      {
        const NoGrad nothing_recorded;
        result = task_.validate();
      }
      task_.model().train();
      state_.validated = state_.update;
      state_.seconds = steady_seconds() - started_;
      value = result.score.value_or(-result.loss);
      better = std::isfinite(value) && !std::isnan(result.loss) && (!state_.has_best || value > state_.best);
      // A score of few steps is often the same when the model is not.
      best = better || (state_.has_best && value == state_.best && result.loss < state_.best_loss);
      if (best) {
        state_.best = value;
        state_.best_loss = result.loss;
        state_.has_best = true;
      }
      keep_weights(best);
    }
    // For patience and the plateau a tie is no better: a score that stands still ends a run as ever.
    if (scheduled) {
      state_.bad_validations = better ? 0 : state_.bad_validations + 1;
      if (state_.plateau) state_.plateau->observe(value);
    }
    const std::string score = result.score ? fmt::format(" score {:.2f}", *result.score) : "";
    line(bar,
         fmt::format("update {} epoch {} validation {}{}{} after {}", state_.update,
                     state_.epoch + (state_.position > 0 ? 1 : 0), format_loss(result.loss, task_.has_perplexity()), score,
                     best ? " (best)" : "", format_duration(state_.seconds)),
         true);
    check<NumericError>(!std::isnan(result.loss) || options_.on_non_finite == optim::NonFinite::skip, where,
                        "the validation loss after update {} is {}: lower the learning rate, or look for a division by zero in "
                        "the loss",
                        state_.update, result.loss);
    save();
  }

  // The best weights, and those of the last validations.
  void keep_weights(bool best) {
    Metadata metadata = task_.metadata();
    metadata["update"] = std::to_string(state_.update);
    if (best) nn::save(task_.model(), folder_.best(), metadata);
    if (options_.keep == 0) return;
    nn::save(task_.model(), folder_.kept(state_.update), metadata);
    folder_.remove_kept(state_.update, options_.keep);
  }

  void check_log() const {
    if (!log_)
      fail<IoError>(where, "can't write {}: {}", folder_.log().string(), std::generic_category().message(last_error()));
  }

  void line(ProgressBar& bar, const std::string& text, bool show) {
    errno = 0;
    log_ << text << std::endl;
    check_log();
    if (show) bar.print(text);
  }

  optim::WeightAverage* average() { return average_ ? &*average_ : nullptr; }

  // What another run has left stays whole until this one has something to put in its place.
  void claim_folder() {
    if (claimed_) return;
    claimed_ = true;
    if (!resumed_) folder_.remove_weights();
    if (options_.begin) options_.begin();
  }

  void save() {
    claim_folder();
    state_.log_bytes = log_.tellp();
    state_.carried = task_.carried();
    save_training(folder_.last(), task_.model(), *optimizer_, average(), state_, settings_);
    saved_ = true;
  }

  void resume() {
    if (options_.resume == Resume::never || !std::filesystem::exists(folder_.last())) return;
    load_training(folder_.last(), task_.model(), *optimizer_, average(), state_, settings_);
    task_.carry(state_.carried);
    resumed_ = true;
    // What was logged after the checkpoint is done again, and logged again.
    folder_.cut_log(state_.log_bytes);
  }

  TrainingTask& task_;
  const TrainerOptions& options_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::vector<Parameter*> learned_;  // what the optimizer has
  std::vector<nn::AdaptiveSpan*> spans_;
  optim::Schedule schedule_;
  std::ostream& progress_;
  std::string unit_;
  Metadata settings_;
  RunFolder folder_;
  std::optional<optim::WeightAverage> average_;
  TrainingState state_;
  StopRequest stop_{is_terminal(2) ? "\nstopping after this update or validation\n"
                                   : "stopping after this update or validation\n"};  // below a bar
  std::ofstream log_;
  std::optional<double> last_loss_;
  std::int64_t batches_ = 0, words_ = 0;
  double started_ = 0, step_seconds_ = 0, norm_ = 0;
  bool resumed_ = false, claimed_ = false;
  bool saved_ = false;  // all of what the last checkpoint would hold now
};

}  // namespace

TrainingResult train(TrainingTask& task, const TrainerOptions& options, std::ostream& progress) {
  check_options(options);
  check_run_folder(options);
  return Training(task, options, progress).run();
}

}  // namespace weft
