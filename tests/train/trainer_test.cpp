#include "weft/train/trainer.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

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

  Net net;
  std::string kind = "regression";
  bool worse = false;
  int validations = 0;

 private:
  std::int64_t epoch_ = 0;
};

TrainerOptions options_for(const std::filesystem::path& folder) {
  return {.folder = folder, .epochs = 3, .save_every = 1, .log_every = 2, .lr = 0.05, .warmup = 3};
}

std::vector<NamedTensor> last_state(const std::filesystem::path& folder) {
  return load_safetensors(folder / "last.safetensors").tensors;
}

void check_same(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    if (a[i].name == "state.measures") continue;  // elapsed seconds
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
    // Leaves a checkpoint as a kill between two steps would: the state after `stop` updates, nothing validated on the way out.
    class Interrupted : public Regression {
     public:
      explicit Interrupted(std::int64_t n) : left(n) {}
      StepLoss step(std::int64_t index) override {
        if (left-- == 0) throw std::runtime_error("interrupted");
        return Regression::step(index);
      }
      std::int64_t left;
    } first(stop);
    CHECK_THROWS_WITH(train(first, options, progress), "interrupted");
    Regression second;
    const TrainingResult result = train(second, options, progress);
    CHECK(result.updates == 12);
    check_same(last_state(where), expected);
  }
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

TEST_CASE("updates limit, and the end is validated") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Regression task;
  auto options = options_for(folder.path());
  options.updates = 6;
  CHECK(train(task, options, progress).updates == 6);
  CHECK(task.validations == 2);
  std::ifstream log(folder.path() / "train.log");
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  CHECK(text.find("update 2 epoch 1 loss ") == 0);
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
                       doctest::Contains("was made with another 'kind': regression there, classification now"), ValueError);
  auto must = options_for(folder.path() / "empty");
  must.resume = Resume::must;
  CHECK_THROWS_AS(train(other, must, progress), IoError);
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
}
