#include "weft/train/trainer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <regex>
#include <span>
#include <sstream>

#include "support/support.hpp"
#include "train/folder_lock.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/adaptive_span.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/optim/sgd.hpp"
#include "weft/train/kept_checkpoints.hpp"
#include "weft/train/training_log.hpp"

using namespace weft;

namespace {

class Net : public nn::Module<Net> {
 public:
  Net()
      : Module(nn::Scope{}),
        linear({.in_features = 3, .out_features = 1}, {this, "linear"}),
        dropout({.p = 0.3}, {this, "dropout"}) {}
  Var forward(const Tensor& x) { return linear(dropout(x)); }
  nn::Linear linear;
  nn::Dropout dropout;
};

/// Learns y = x0 - 2 x1 from batches that differ by epoch and place.
class Regression : public TrainingTask {
 public:
  nn::ModuleBase& model() override { return net; }
  std::int64_t begin_epoch(std::int64_t epoch) override {
    epoch_ = epoch;
    return 4;
  }
  StepLoss step(std::int64_t index) override {
    const auto shift = static_cast<float>(epoch_ * 4 + index);
    const Tensor x = Tensor::from<float>({1, shift / 10, 0, -1, 1, 1}, {2, 3});
    const Tensor y = Tensor::from<float>({1 - shift / 5, -3}, {2, 1});
    return {mean(square(net(x) - y)), 2, 2};
  }
  ValidationResult validate() override {
    ++validations;
    if (worse) return {.loss = static_cast<double>(validations)};
    const double error = net(Tensor::ones({1, 3})).item() + 1;
    return {.loss = error * error};
  }
  Metadata metadata() const override { return {{"kind", kind}}; }
  Metadata settings() const override { return {{"data", data}}; }

  Net net;
  std::string kind = "regression", data = "some";
  bool worse = false;
  int validations = 0;

 private:
  std::int64_t epoch_ = 0;
};

/// Three epochs without the trainer; what the optimizer lacks counts for no clipping.
void train_by_hand(Regression& task, optim::Optimizer& optimizer, double clip, const optim::Schedule& lr) {
  task.net.train();
  Generator generator(1);  // dropout draws from the one that a run's seed makes
  for (std::int64_t update = 0; update < 12; ++update) {
    if (update % 4 == 0) task.begin_epoch(update / 4);
    Tape tape(generator);
    tape.backward(task.step(update % 4).loss);
    optim::clip_grad_norm(optimizer.parameters(), clip);
    optimizer.set_lr(lr(update + 1));
    optimizer.step();
  }
}

TrainerOptions options_for(const std::filesystem::path& folder) {
  return {.folder = folder, .epochs = 3, .save_every = 1, .log_every = 2, .lr = 0.05, .warmup = 3};
}

/// What training with these options says.
std::string progress_of(const TrainerOptions& options) {
  std::ostringstream progress;
  Regression task;
  train(task, options, progress);
  return progress.str();
}

/// Has nothing to learn but to look less far.
class Spans : public TrainingTask {
 public:
  nn::ModuleBase& model() override { return span; }
  std::int64_t begin_epoch(std::int64_t) override { return 4; }
  StepLoss step(std::int64_t) override { return {span.loss(), 1, 1}; }
  ValidationResult validate() override { return {.loss = span.loss().item()}; }

  nn::AdaptiveSpan span{nn::AdaptiveSpanOptions{.num_heads = 2, .max_span = 5, .initial = 0.05}};
};

/// Ends as if killed, in step `step` or validation `validation` (from 0): nothing is saved on the way out.
class Interrupted : public Regression {
 public:
  Interrupted(std::int64_t step, int validation) : steps_left_(step), validation_(validation) {}
  StepLoss step(std::int64_t index) override {
    if (steps_left_-- == 0) throw std::runtime_error("interrupted");
    return Regression::step(index);
  }
  ValidationResult validate() override {
    if (validations == validation_) throw std::runtime_error("interrupted");
    return Regression::validate();
  }

 private:
  std::int64_t steps_left_;
  int validation_;
};

/// Gets signals in step number `step` (from 1).
class Signalled : public Regression {
 public:
  Signalled(std::vector<int> signals, std::int64_t step) : signals_(std::move(signals)), steps_left_(step) {}
  StepLoss step(std::int64_t index) override {
    if (--steps_left_ == 0)
      for (const int number : signals_) std::raise(number);
    return Regression::step(index);
  }

 private:
  std::vector<int> signals_;
  std::int64_t steps_left_;
};

/// Without what depends on the clock, and on what was in memory before.
std::string log_of(const std::filesystem::path& folder) {
  std::ifstream log(folder / "train.log");
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  return std::regex_replace(text, std::regex("words/s \\d+|memory [.\\d]+ MiB|left [-:\\d]+|after [-:\\d]+"), "");
}

StateDict last_state(const std::filesystem::path& folder) { return load_safetensors(folder / "last.safetensors").tensors; }

void check_same(const StateDict& a, const StateDict& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    if (a[i].name == "state.seconds" || a[i].name == "state.log_bytes") continue;  // by the clock
    CHECK_MESSAGE(a[i].tensor.str() == b[i].tensor.str(), a[i].name);
    CHECK(std::memcmp(a[i].tensor.raw(), b[i].tensor.raw(),
                      static_cast<std::size_t>(a[i].tensor.numel()) * size_of(a[i].tensor.dtype())) == 0);
  }
}

}  // namespace

TEST_CASE("a run that was interrupted goes on with the same bits") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression straight;
  train(straight, options_for(folder.path() / "straight"), progress);
  const auto expected = last_state(folder.path() / "straight");
  for (const std::int64_t stop : {1, 4, 5, 11}) {  // first, end of an epoch, first of the next, last but one
    const auto where = folder.path() / std::to_string(stop);
    auto options = options_for(where);
    Interrupted first(stop, 1000);
    CHECK_THROWS_WITH(train(first, options, progress), "interrupted");
    Regression second;
    const TrainingResult result = train(second, options, progress);
    CHECK(result.updates == 12);
    check_same(last_state(where), expected);
    CHECK(log_of(where) == log_of(folder.path() / "straight"));
  }
}

TEST_CASE("another optimizer and another schedule train, and go on with the same bits") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  std::vector<std::int64_t> asked;
  const auto options_in = [&](const char* name) {
    TrainerOptions options = {.folder = folder.path() / name, .epochs = 3, .save_every = 1, .lr = 0.05};
    options.optimizer = [](std::span<Parameter* const> parameters) {
      return std::make_unique<optim::SGD>(parameters, optim::SGDOptions{.momentum = 0.9});
    };
    options.schedule = [&asked](std::int64_t step) {
      asked.push_back(step);
      return optim::cosine(12)(step);
    };
    return options;
  };
  Regression task;
  train(task, options_in("straight"), progress);
  CHECK(asked == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const auto expected = last_state(folder.path() / "straight");

  Regression own;
  optim::SGD sgd(own.net.parameters(), {.momentum = 0.9});
  train_by_hand(own, sgd, 1, [](std::int64_t step) { return 0.05 * optim::cosine(12)(step); });
  check_same(part_of(expected, "model."), own.net.state_dict());

  Interrupted first(5, 1000);
  CHECK_THROWS_WITH(train(first, options_in("stopped"), progress), "interrupted");
  Regression second;
  train(second, options_in("stopped"), progress);
  check_same(last_state(folder.path() / "stopped"), expected);

  auto with_adam = options_in("stopped");
  with_adam.optimizer = nullptr;
  CHECK_THROWS_WITH_AS(train(second, with_adam, progress),
                       doctest::Contains("'training.adam' (none, but another optimizer there"), SettingsError);
  auto without_momentum = options_in("stopped");
  without_momentum.optimizer = [](std::span<Parameter* const> parameters) { return std::make_unique<optim::SGD>(parameters); };
  CHECK_THROWS_AS(train(second, without_momentum, progress), ValueError);
  auto with_warmup = options_in("stopped");
  with_warmup.schedule = nullptr;
  CHECK_THROWS_WITH_AS(train(second, with_warmup, progress),
                       doctest::Contains("'training.warmup' (none, but another schedule there, 0 now)"), SettingsError);
  with_warmup = options_in("warm");
  with_warmup.warmup = 4;
  CHECK_THROWS_WITH_AS(train(second, with_warmup, progress), doctest::Contains("a schedule and a warmup of 4"), ValueError);
  auto none = options_in("none");
  none.optimizer = [](std::span<Parameter* const>) { return nullptr; };
  CHECK_THROWS_WITH_AS(train(second, none, progress), doctest::Contains("what makes the optimizer made none"), ValueError);
}

TEST_CASE("parameters that the optimizer leaves out stay as they are and count for no clipping") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  for (const std::int64_t accumulate : {1, 2}) {
    TrainerOptions options = {.folder = folder.path() / std::to_string(accumulate), .epochs = 3, .lr = 0.05, .clip = 0.1};
    options.accumulate = accumulate;
    options.optimizer = [](std::span<Parameter* const> parameters) { return std::make_unique<optim::SGD>(parameters.last(1)); };
    Regression task, own;
    train(task, options, progress);
    CHECK(task.net.linear.weight->value().str() == own.net.linear.weight->value().str());
    CHECK_FALSE(task.net.linear.weight->grad().defined());
    if (accumulate > 1) continue;

    const std::vector<Parameter*> bias = {own.net.parameters().back()};
    optim::SGD sgd(bias);
    train_by_hand(own, sgd, 0.1, [](std::int64_t) { return 0.05; });
    CHECK(task.net.linear.bias->value().str() == own.net.linear.bias->value().str());
  }
}

TEST_CASE("a run that was stopped between a step and its validation goes on with that validation") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  // By epochs, by updates, and at an end that is off schedule.
  struct Limits {
    std::int64_t validate_every, updates;
  };
  for (const Limits& limits : std::vector<Limits>{{0, 0}, {3, 0}, {3, 12}, {5, 11}, {0, 4}, {0, 10}, {5, 0}}) {
    const auto name = fmt::format("{}-{}", limits.validate_every, limits.updates);
    INFO("validate_every and updates ", name);
    const auto options_in = [&](const std::filesystem::path& place) {
      auto options = options_for(place);
      options.validate_every = limits.validate_every;
      options.updates = limits.updates;
      options.warmup = 0;
      options.decay = 0.5;  // so that a validation that is missed or done twice shows in the weights
      return options;
    };
    Regression straight;
    straight.worse = true;
    const auto whole = folder.path() / ("straight-" + name);
    train(straight, options_in(whole), progress);
    for (int validation = 0; validation < straight.validations; ++validation) {
      INFO("validation ", validation);
      const auto where = folder.path() / fmt::format("{}-{}", name, validation);
      Interrupted first(1000, validation);
      first.worse = true;
      CHECK_THROWS_WITH(train(first, options_in(where), progress), "interrupted");
      Regression second;
      second.worse = true;
      second.validations = validation;
      train(second, options_in(where), progress);
      CHECK(second.validations == straight.validations);
      check_same(last_state(where), last_state(whole));
      check_same(load_safetensors(where / "best.safetensors").tensors, load_safetensors(whole / "best.safetensors").tensors);
      CHECK(log_of(where) == log_of(whole));
    }
  }
}

TEST_CASE("a signal ends a run after its step; the validation that was due comes when it goes on") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  auto options = options_for(folder.path() / "straight");
  options.updates = 8;
  options.save_every = 1000;
  Regression straight;
  train(straight, options, progress);
  struct Stop {
    int number;
    std::int64_t at;
  };
  for (const auto& stop : std::vector<Stop>{{SIGTERM, 3}, {SIGINT, 4}, {SIGTERM, 8}}) {
    const int number = stop.number;
    const std::int64_t at = stop.at;
    INFO("signal in step ", at);
    options.folder = folder.path() / std::to_string(at);
    Signalled first({number}, at);
    const TrainingResult stopped = train(first, options, progress);
    CHECK(stopped.signal == number);
    CHECK(stopped.updates == at);
    CHECK(first.validations == (at == 8 ? 1 : 0));
    CHECK(progress.str().ends_with("\nsaved: the same command goes on\n"));
    Regression second;
    CHECK(train(second, options, progress).signal == 0);
    CHECK(first.validations + second.validations == straight.validations);
    check_same(last_state(options.folder), last_state(folder.path() / "straight"));
    CHECK(log_of(options.folder) == log_of(folder.path() / "straight"));
  }
}

TEST_CASE("a second signal ends the process at once and leaves the last checkpoint") {
  const test::TemporaryFolder folder;
  const auto options = options_for(folder.path());
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL);
    std::ostringstream progress;
    Signalled task({SIGTERM, SIGINT}, 3);
    train(task, options, progress);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  Regression task;
  std::ostringstream progress;
  CHECK(train(task, options, progress).updates == 12);
}

TEST_CASE("a disk that is full leaves the last checkpoint, from which the run goes on") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  auto options = options_for(folder.path() / "straight");
  Regression straight;
  train(straight, options, progress);
  options.folder = folder.path() / "full";
  options.updates = 5;
  Regression first;
  train(first, options, progress);
  const auto before = last_state(options.folder);
  options.updates = 0;
  {
    const test::FileLimit limit(1000);  // the log fits, a checkpoint doesn't
    Regression second;
    CHECK_THROWS_WITH_AS(train(second, options, progress), doctest::Contains("last.safetensors': File too large"), IoError);
  }
  check_same(last_state(options.folder), before);
  CHECK(std::distance(std::filesystem::directory_iterator(options.folder), {}) == 3);  // best, last, log
  Regression third;
  CHECK(train(third, options, progress).updates == 12);
  check_same(last_state(options.folder), last_state(folder.path() / "straight"));
}

TEST_CASE("a log that can't be written says why, at the start and later") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  const auto fails = [&](const char* why) {
    Regression task;
    CHECK_THROWS_WITH_AS(train(task, options_for(folder.path()), progress), doctest::Contains(why), IoError);
  };
  const auto log = folder.path() / "train.log";
  std::filesystem::create_directory(log);
  fails("train.log: Is a directory");
  std::filesystem::remove(log);
  std::filesystem::create_symlink("/dev/full", log);
  fails("train.log: No space left on device");
}

TEST_CASE("an end off schedule doesn't count as a bad validation of the run that goes on") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  const auto run = [&](const char* name, std::int64_t updates) {
    auto options = options_for(folder.path() / name);
    options.updates = updates;
    options.validate_every = 4;
    options.decay = 0.5;
    Regression task;
    task.worse = true;
    train(task, options, progress);
    return last_state(folder.path() / name);
  };
  const auto straight = run("straight", 8);
  run("parts", 6);
  check_same(run("parts", 8), straight);
}

TEST_CASE("a run that goes on says where it stands, and one with nothing to do says so") {
  const test::TemporaryFolder folder;
  TrainerOptions options = options_for(folder.path());
  options.epochs = 2;
  const auto told = [&] { return progress_of(options); };
  const std::string first = told(), again = told();
  CHECK(first.find("stands at") == std::string::npos);
  CHECK(again.find("last.safetensors stands at update") != std::string::npos);
  CHECK(again.find("after 2 epochs: nothing is left to do (more epochs would go on)") != std::string::npos);
  options.updates = 8;
  CHECK(told().find("nothing is left to do (more epochs and updates would go on)") != std::string::npos);
  options.epochs = 3;
  CHECK(told().find("nothing is left to do (more updates would go on)") != std::string::npos);
  options.updates = 9;
  CHECK(told().find("after 2 epochs and goes on from there") != std::string::npos);
}

TEST_CASE("a run whose epochs are part of its cooldown doesn't say that more of them would go on") {
  const test::TemporaryFolder folder;
  TrainerOptions options = options_for(folder.path());
  options.cooldown = 0.5;
  const auto told = [&] { return progress_of(options); };
  options.updates = 6;
  told();
  CHECK(told().find("after 1 epoch: nothing is left to do (more updates would go on)") != std::string::npos);
  options.updates = 12;
  told();
  CHECK(told().find("after 3 epochs: nothing is left to do (its rate's cooldown ends with 3 epochs; a run of more is another "
                    "one, in a folder of its own)") != std::string::npos);
  options.updates = 0;
  options.epochs = 4;
  Regression task;
  std::ostringstream progress;
  CHECK_THROWS_AS(train(task, options, progress), SettingsError);
}

TEST_CASE("one run at a time trains in a folder") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  auto options = options_for(folder.path());
  int begun = 0;
  options.begin = [&] { ++begun; };
  {
    const FolderLock other(folder.path());
    Regression task;
    CHECK_THROWS_WITH_AS(train(task, options, progress),
                         doctest::Contains(("another run is training in " + folder.path().string()).c_str()), IoError);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(begun == 0);
  Regression task;
  CHECK(train(task, options, progress).updates == 12);
  CHECK(begun == 1);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 3);  // best, last, log
}

TEST_CASE("a step without a loss or tokens is refused, with its place") {
  struct Lacking : Regression {
    bool loss = true;
    StepLoss step(std::int64_t index) override {
      StepLoss result = Regression::step(index);
      if (index == 1 && loss) result.tokens = 0;
      if (index == 1 && !loss) result.loss = Var();
      return result;
    }
  };
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  for (const bool loss : {true, false}) {
    Lacking task;
    task.loss = loss;
    const char* const what = loss ? "[train] step 2 of epoch 1 gave a loss over 0 tokens; TrainingTask::step must give"
                                  : "[train] step 2 of epoch 1 gave no loss over ";
    CHECK_THROWS_WITH_AS(train(task, options_for(folder.path()), progress), doctest::Contains(what), ValueError);
  }
}

TEST_CASE("a run that starts anew takes the place of another when it has weights to save, not before") {
  struct Failing : Regression {
    StepLoss step(std::int64_t) override { throw NumericError("no"); }
  };
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  auto options = options_for(folder.path());
  options.keep = 2;
  Regression first;
  train(first, options, progress);
  const auto weights = [&] {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.path().extension() == ".safetensors") {
        std::ifstream file(entry.path(), std::ios::binary);
        all[entry.path().filename().string()] = {std::istreambuf_iterator<char>(file), {}};
      }
    return all;
  };
  const auto before = weights();
  CHECK(before.size() == 4);
  int begun = 0;
  options.begin = [&] { ++begun; };
  options.resume = Resume::never;
  Failing failing;
  CHECK_THROWS_AS(train(failing, options, progress), NumericError);
  CHECK(weights() == before);
  CHECK(begun == 0);

  options.seed = 2;  // a run of other settings, refused
  options.resume = Resume::must;
  Regression refused;
  CHECK_THROWS_AS(train(refused, options, progress), SettingsError);
  CHECK(weights() == before);
  CHECK(begun == 0);

  options.resume = Resume::never;
  options.save_every = 1;
  options.updates = 1;
  options.begin = [&] {
    ++begun;
    CHECK(weights().empty());
  };
  Regression second;
  train(second, options, progress);
  CHECK(begun == 1);
  CHECK(weights().size() == 3);
  CHECK(weights().count("update-1.safetensors") == 1);  // the others are the last and the best
}

TEST_CASE("a run doesn't replace weights that are nobody's run, and never leaves its own without it") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  auto options = options_for(folder.path());
  options.save_every = 1000;
  std::ofstream(folder.path() / "best.safetensors") << "somebody's";
  Regression task;
  CHECK_THROWS_WITH_AS(train(task, options, progress), doctest::Contains("best.safetensors but no last.safetensors"), IoError);
  CHECK(std::filesystem::file_size(folder.path() / "best.safetensors") == 10);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  options.resume = Resume::never;
  CHECK(train(task, options, progress).updates == 12);

  const auto expected = last_state(folder.path());
  // Its state comes before its first weights: whatever ends it between them, it goes on.
  options.folder = folder.path() / "run";
  options.resume = Resume::automatic;
  const auto in_the_way = options.folder / "best.safetensors";
  options.begin = [&] { std::filesystem::create_directories(in_the_way / "something"); };
  Regression first, second;
  CHECK_THROWS_AS(train(first, options, progress), IoError);
  std::filesystem::remove_all(in_the_way);
  options.begin = {};
  train(second, options, progress);
  check_same(last_state(options.folder), expected);
}

TEST_CASE("gradients of any norm are taken where clip is 0") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  const auto run = [&](const char* name, double clip) {
    auto options = options_for(folder.path() / name);
    options.clip = clip;
    Regression task;
    train(task, options, progress);
    return last_state(folder.path() / name);
  };
  check_same(run("none", 0), run("wide", 1e30));
}

TEST_CASE("the log's speed is in the task's unit, its loss without a perplexity where it has none") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  struct Frames : Regression {
    std::string unit() const override { return "frames"; }
    bool has_perplexity() const override { return false; }
  };
  Frames task;
  train(task, options_for(folder.path()), progress);
  std::ifstream log(folder.path() / "train.log");
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  CHECK(text.find(" frames/s ") != std::string::npos);
  CHECK(text.find("words/s") == std::string::npos);
  CHECK(text.find(" loss ") != std::string::npos);
  CHECK(text.find("perplexity") == std::string::npos);
}

TEST_CASE("nothing is best before the first validation") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Signalled task({SIGTERM}, 1);
  CHECK_FALSE(train(task, options_for(folder.path()), progress).best.has_value());
}

TEST_CASE("the best weights are kept, alone and by name") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression task;
  task.worse = true;
  const TrainingResult result = train(task, options_for(folder.path()), progress);
  CHECK(result.best == -1);
  const SafetensorsFile best = load_safetensors(folder.path() / "best.safetensors");
  REQUIRE(best.tensors.size() == 2);
  CHECK(best.tensors[0].name == "linear.weight");
  CHECK(best.metadata.at("update") == "4");
  CHECK(best.metadata.at("kind") == "regression");
}

TEST_CASE(
    "of equal scores the weights of the lower loss are the best, in a run that goes on too; patience counts a tie as before") {
  struct Tied : Regression {
    ValidationResult validate() override {
      constexpr double losses[] = {6, 1, 3, 0.5};
      const ValidationResult result = {.loss = losses[validations], .score = validations == 3 ? 1.0 : 2.0};
      ++validations;
      return result;
    }
  };
  const test::TemporaryFolder folder;
  const auto update_of_best = [](const std::filesystem::path& run) {
    return load_safetensors(run / "best.safetensors").metadata.at("update");
  };
  auto options = options_for(folder.path() / "straight");
  options.epochs = 4;
  std::ostringstream progress;
  Tied straight;
  CHECK(train(straight, options, progress).best == 2);
  CHECK(update_of_best(options.folder) == "8");
  for (const std::int64_t stop : {4, 8, 12}) {
    INFO("stopped at update ", stop);
    options.folder = folder.path() / std::to_string(stop);
    options.updates = stop;
    Tied first, second;
    train(first, options, progress);
    options.updates = 0;
    second.validations = first.validations;
    train(second, options, progress);
    CHECK(update_of_best(options.folder) == "8");
    check_same(last_state(options.folder), last_state(folder.path() / "straight"));
    CHECK(log_of(options.folder) == log_of(folder.path() / "straight"));
  }
  options.folder = folder.path() / "patient";
  options.patience = 1;
  Tied patient;
  CHECK(train(patient, options, progress).epochs == 2);
  CHECK(update_of_best(options.folder) == "8");
}

TEST_CASE("training ends early when validation gets no better") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression task;
  task.worse = true;
  auto options = options_for(folder.path());
  options.epochs = 50;
  options.patience = 3;
  CHECK(train(task, options, progress).epochs == 4);
  options.resume = Resume::must;  // nothing more to do
  CHECK(train(task, options, progress).updates == 16);
}

TEST_CASE("the learning rate falls to 0 over the last epochs") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  const auto rate_after = [&](std::int64_t updates) {
    auto options = options_for(folder.path());  // three epochs of four updates
    options.updates = updates;
    options.warmup = 0;
    options.cooldown = 0.5;
    Regression task;
    train(task, options, progress);
    for (const auto& [name, tensor] : last_state(folder.path()))
      if (name == "optimizer.lr") return tensor.item();
    return -1.0;
  };
  CHECK(rate_after(6) == 0.05);
  CHECK(rate_after(7) == 0.05);
  CHECK(rate_after(8) == doctest::Approx(0.05 * 5 / 6).epsilon(1e-12));
  CHECK(rate_after(12) == doctest::Approx(0.05 / 6).epsilon(1e-12));
}

TEST_CASE("the learning rate falls on a plateau, and the checkpoint carries the plateau on") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  auto options = options_for(folder.path());
  options.epochs = 6;  // validations 2 to 6 are bad
  options.decay = 0.5;
  options.decay_patience = 2;
  options.warmup = 0;
  const auto value = [&](const std::string& name) {
    for (const auto& [found, tensor] : last_state(folder.path()))
      if (found == name) return tensor.item();
    FAIL(name << " isn't in the checkpoint");
    return 0.0;
  };
  Regression task;
  task.worse = true;
  train(task, options, progress);
  CHECK(value("plateau.factor") == 0.25);
  CHECK(value("plateau.best") == -1);
  CHECK(value("plateau.bad_epochs") == 1);
  CHECK(value("optimizer.lr") == 0.05 * 0.25);  // of the last epoch
  options.epochs = 7;
  train(task, options, progress);
  CHECK(value("plateau.factor") == 0.125);
  CHECK(value("optimizer.lr") == 0.05 * 0.25);
}

TEST_CASE("a run of few updates has many lines in its log, the same when it goes on") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  auto options = options_for(folder.path() / "straight");
  options.log_every = 100;
  Regression straight;
  train(straight, options, progress);
  std::vector<std::int64_t> updates;
  for (const auto& window : read_training_log(options.folder / "train.log").windows) updates.push_back(window.update);
  CHECK(updates == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 10, 12});
  for (const std::int64_t stop : {3, 9, 11}) {
    options.folder = folder.path() / std::to_string(stop);
    Interrupted first(stop, 1000);
    CHECK_THROWS_WITH(train(first, options, progress), "interrupted");
    Regression second;
    train(second, options, progress);
    CHECK(log_of(options.folder) == log_of(folder.path() / "straight"));
  }
}

TEST_CASE("updates limit, and the end is validated") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression task;
  auto options = options_for(folder.path());
  options.updates = 6;
  const TrainingResult result = train(task, options, progress);
  CHECK(result.updates == 6);
  CHECK(result.epochs == 1);
  CHECK(result.within_epoch);
  CHECK(result.words_per_second > 0);
  CHECK(task.validations == 2);
  const TrainingResult again = train(task, options, progress);
  CHECK(again.within_epoch);
  CHECK(again.words_per_second == 0);
  options.updates = 8;
  CHECK_FALSE(train(task, options, progress).within_epoch);
  std::ifstream log(folder.path() / "train.log");
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  CHECK(text.find("update 1 epoch 1 loss ") == 0);
  CHECK(text.find("gradient norm") != std::string::npos);
}

TEST_CASE("a checkpoint of something else is refused") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression task;
  train(task, options_for(folder.path()), progress);
  Regression other;
  other.kind = "classification";
  CHECK_THROWS_WITH_AS(train(other, options_for(folder.path()), progress),
                       doctest::Contains("was made with other settings: 'kind' (regression there, classification now)"),
                       ValueError);
  auto must = options_for(folder.path() / "empty");
  must.resume = Resume::must;
  CHECK_THROWS_AS(train(other, must, progress), IoError);
}

TEST_CASE("a run goes on with the options that it was made with") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression task;
  const auto made = options_for(folder.path());
  train(task, made, progress);
  const auto before = last_state(folder.path());
  const auto refused = [&](const auto& change, const std::string& message) {
    auto options = made;
    options.epochs = 5;
    change(options);
    Regression other;
    CHECK_THROWS_WITH_AS(train(other, options, progress), doctest::Contains(message.c_str()), ValueError);
    check_same(last_state(folder.path()), before);
  };
  refused([](auto& o) { o.seed = 2; },
          "was made with other settings: 'training.seed' (1 there, 2 now); go on with the same settings");
  refused([](auto& o) { o.lr = 0.1; }, "'training.lr' (0.05 there, 0.1 now)");
  refused([](auto& o) { o.warmup = 4; }, "'training.warmup' (3 there, 4 now)");
  refused([](auto& o) { o.after_warmup = AfterWarmup::constant; }, "'training.warmup' (3 there, 3 then constant now)");
  refused([](auto& o) { o.clip = 2; }, "'training.clip' (1 there, 2 now)");
  refused([](auto& o) { o.cooldown = 0.5; }, "'training.cooldown' (0 there, 0.5 of 5 epochs now)");
  refused([](auto& o) { o.decay = 0.5; }, "'training.decay' (1 there, 0.5 now)");
  refused([](auto& o) { o.decay_patience = 2; }, "'training.decay_patience' (1 there, 2 now)");
  refused([](auto& o) { o.validate_every = 2; }, "'training.validate_every' (0 there, 2 now)");
  refused([](auto& o) { o.adam.eps = 1e-9; }, "'training.adam' (betas 0.9 and 0.999, eps 1e-08, weight decay 0 there");
  refused([](auto& o) { o.on_non_finite = optim::NonFinite::skip; }, "'training.on_non_finite' (error there, skip now)");
  refused([](auto& o) { o.settings = {{"colour", "red"}}; }, "'colour' (none there, red now)");
  auto several = made;
  several.lr = 0.1;
  several.clip = 2;
  try {
    Regression other;
    train(other, several, progress);
    FAIL("no error");
  } catch (const SettingsError& error) {
    REQUIRE(error.differences().size() == 2);
    CHECK(error.path() == (folder.path() / "last.safetensors").string());
    CHECK(error.differences()[0].name == "training.clip");
    CHECK(error.differences()[1].name == "training.lr");
    CHECK(error.differences()[1].there == "0.05");
    CHECK(error.differences()[1].now == "0.1");
  }
  Regression other;
  other.data = "other";
  CHECK_THROWS_WITH_AS(train(other, made, progress), doctest::Contains("'data' (some there, other now)"), ValueError);

  auto options = made;
  options.epochs = 4;
  options.seconds = 1000;
  options.save_every = 3;
  options.log_every = 1;
  options.patience = 7;
  CHECK(train(task, options, progress).updates == 16);
  options.updates = 18;
  options.epochs = 9;
  CHECK(train(task, options, progress).updates == 18);
}

TEST_CASE("steps whose gradients aren't finite are passed over and counted, in an absurd perplexity too") {
  class Overflowing : public Regression {
   public:
    StepLoss step(std::int64_t index) override {
      StepLoss result = Regression::step(index);
      if (index == 1) result.loss = result.loss * std::numeric_limits<double>::infinity();
      if (index == 2) result.loss = result.loss + 100.0;
      return result;
    }
  };
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Overflowing task;
  auto options = options_for(folder.path());
  options.log_every = 1;
  options.on_non_finite = optim::NonFinite::skip;
  const TrainingResult result = train(task, options, progress);
  CHECK(result.updates == 12);
  CHECK(result.skipped_steps == 3);
  for (Parameter* parameter : task.net.parameters()) CHECK(std::isfinite(parameter->value().reshape({-1}).at({0})));
  std::ifstream log(folder.path() / "train.log");
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  options.folder = folder.path() / "window";
  options.log_every = 4;
  Overflowing again;
  train(again, options, progress);
  CHECK(std::regex_search(log_of(options.folder), std::regex("update 8 epoch 2 loss \\d")));  // of the three others
  CHECK(std::regex_search(text, std::regex("update 3 epoch 1 loss 1\\d\\d\\.\\d{4} perplexity \\d\\.\\d\\de\\+\\d+ words")));
}

TEST_CASE("a validation loss that is NaN ends the run, or is never the best") {
  class Lost : public Regression {
   public:
    ValidationResult validate() override { return {std::numeric_limits<double>::quiet_NaN(), 7.0}; }
  };
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Lost task;
  auto options = options_for(folder.path());
  CHECK_THROWS_WITH_AS(train(task, options, progress), doctest::Contains("the validation loss after update 4 is nan: lower"),
                       NumericError);
  CHECK(task.net.training());
  options.folder = folder.path() / "skipping";
  options.on_non_finite = optim::NonFinite::skip;
  Lost again;
  CHECK_FALSE(train(again, options, progress).best.has_value());
  CHECK_FALSE(std::filesystem::exists(options.folder / "best.safetensors"));
}

// A batch of rows whose loss is a mean over `tokens` rows each, or the same rows as one batch.
class Parts : public Regression {
 public:
  explicit Parts(bool whole) : whole_(whole) {}
  std::int64_t begin_epoch(std::int64_t) override { return whole_ ? 2 : 5; }
  StepLoss step(std::int64_t index) override {
    constexpr std::int64_t bounds[] = {0, 3, 4, 9, 11, 12};  // of the five batches; an update has three, then two
    const std::int64_t first = whole_ ? (index == 0 ? 0 : 9) : bounds[index];
    const std::int64_t end = whole_ ? (index == 0 ? 9 : 12) : bounds[index + 1];
    std::vector<float> rows;
    for (std::int64_t i = first; i < end; ++i)
      for (const std::int64_t x : {i, 3 - i, i * i}) rows.push_back(static_cast<float>(x) / 20);
    net.dropout.train(false);
    return {mean(square(net(Tensor::from<float>(rows, {end - first, 3})) - 1)), end - first, end - first};
  }

 private:
  bool whole_;
};

TEST_CASE("batches whose gradients are added up are as one large batch, an epoch's rest too") {
  const test::TemporaryFolder a, b;
  auto options = options_for(a.path());
  Parts whole(true), parts(false);
  std::ostringstream out;
  CHECK(train(whole, options, out).updates == 6);
  options.folder = b.path();
  options.accumulate = 3;
  CHECK(train(parts, options, out).updates == 6);
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor x = whole.net.parameters()[i]->value(), y = parts.net.parameters()[i]->value();
    for (std::int64_t k = 0; k < x.numel(); ++k)
      CHECK(x.reshape({-1}).at({k}) == doctest::Approx(y.reshape({-1}).at({k})).epsilon(1e-5));
  }
}

TEST_CASE("a run with accumulation, average and kept weights goes on with the same bits") {
  const test::TemporaryFolder a, b;
  auto options = options_for(a.path());
  options.accumulate = 3;
  options.ema = 0.5;
  options.keep = 2;
  std::ostringstream out;
  Regression straight, resumed;
  train(straight, options, out);
  CHECK(kept_checkpoints(a.path()).size() == 2);
  options.folder = b.path();
  for (const std::int64_t step : {2, 5, 6}) {
    Interrupted task(step, -1);
    CHECK_THROWS_AS(train(task, options, out), std::runtime_error);
  }
  train(resumed, options, out);
  const auto kept = kept_checkpoints(b.path());
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].first == 4);
  CHECK(kept[1].first == 6);
  const auto bytes = [](const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  };
  for (const char* file : {"best.safetensors", "update-4.safetensors", "update-6.safetensors"})
    CHECK(bytes(a.path() / file) == bytes(b.path() / file));
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor x = straight.net.parameters()[i]->value(), y = resumed.net.parameters()[i]->value();
    CHECK(std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * 4) == 0);
  }
  // What was kept is the average, and the model goes on with its own weights.
  Regression other;
  nn::load(other.net, kept[1].second);
  CHECK(std::memcmp(other.net.linear.weight->value().raw(), straight.net.linear.weight->value().raw(), 12) != 0);

  options.ema = 0;
  options.accumulate = 1;
  Regression changed;
  CHECK_THROWS_WITH_AS(train(changed, options, out), doctest::Contains("'training.accumulate' (3 there, none now)"),
                       SettingsError);
  CHECK_THROWS_WITH_AS(train(changed, options, out), doctest::Contains("'training.ema' (0.5 there, none now)"), SettingsError);
}

TEST_CASE("adaptive spans stay within what they may see") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Spans task;
  train(task, options_for(folder.path()), progress);
  for (const std::int64_t head : {0, 1}) CHECK(task.span.span->value().at({head}) == 0);
}

TEST_CASE("options that can't be are refused") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression task;
  auto options = options_for(folder.path());
  options.epochs = 0;
  CHECK_THROWS_AS(train(task, options, progress), ValueError);
  options = options_for(folder.path());
  options.decay = 0;
  CHECK_THROWS_AS(train(task, options, progress), ValueError);
  options = options_for(folder.path());
  options.save_every = 0;
  CHECK_THROWS_AS(train(task, options, progress), ValueError);
  options = options_for(folder.path());
  options.accumulate = 0;
  CHECK_THROWS_WITH_AS(train(task, options, progress), doctest::Contains("accumulate 0"), ValueError);
  options = options_for(folder.path());
  options.ema = 1;
  CHECK_THROWS_WITH_AS(train(task, options, progress), doctest::Contains("ema 1"), ValueError);
  options = options_for(folder.path());
  options.keep = -1;
  CHECK_THROWS_WITH_AS(train(task, options, progress), doctest::Contains("keep -1"), ValueError);
}
