#include "train/training_state.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/base/file.hpp"
#include "weft/nn/linear.hpp"
#include "weft/optim/adam.hpp"

using namespace weft;
namespace fs = std::filesystem;

namespace {

/// A model, its optimizer and a state, all different for each `seed`.
struct Run {
  explicit Run(std::uint64_t seed, std::int64_t outputs = 2)
      : model({.in_features = 3, .out_features = outputs}, {.owner = nullptr, .name = {}, .seed = seed}),
        optimizer(model.parameters()) {
    for (auto& [name, tensor] : optimizer.state_dict())
      if (tensor.dtype() == f32) tensor.copy_from(Tensor::full(tensor.shape(), static_cast<double>(seed) / 7, f32));
    optimizer.set_lr(0.1 * static_cast<double>(seed));
    state = {.generator = Generator(seed, 5 * seed)};
    state.update = static_cast<std::int64_t>(seed) * 10;
    state.position = 3;
    state.validated = 4;
    state.log_bytes = 123;
    state.window = {.loss = 1.0 / 3 * static_cast<double>(seed), .seconds = 2, .tokens = 17, .words = 11};
    state.best = -0.1;
    state.best_loss = 0.7 * static_cast<double>(seed);
    state.has_best = true;
    state.seconds = 60.5;
    state.plateau = optim::Plateau({.factor = 0.5, .patience = 0});
    for (std::uint64_t i = 0; i < seed; ++i) state.plateau->observe(static_cast<double>(i));
  }

  nn::Linear model;
  optim::Adam optimizer;
  TrainingState state{.generator = Generator(0)};
};

const Metadata& settings() {
  static const Metadata some = {{"seed", "1"}, {"text", "abc"}};
  return some;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Every bit of a run, as the file that it makes.
std::string bits_of(const Run& run) {
  const test::TemporaryFolder folder;
  save_training(folder.path() / "bits", run.model, run.optimizer, nullptr, run.state, settings());
  return content_of(folder.path() / "bits");
}

/// Loading the file fails with the message and changes nothing.
template <class Exception>
void refused(const fs::path& path, const std::string& message, const Metadata& now = settings(), std::int64_t outputs = 2) {
  Run run(2, outputs);
  const std::string before = bits_of(run);
  INFO(message);
  CHECK_THROWS_WITH_AS(load_training(path, run.model, run.optimizer, nullptr, run.state, now),
                       doctest::Contains(message.c_str()), Exception);
  CHECK(bits_of(run) == before);
}

/// A checkpoint of Run(1) with its tensors changed.
template <class Change>
fs::path changed(const test::TemporaryFolder& folder, Change change) {
  const auto path = folder.path() / "changed";
  const Run run(1);
  save_training(path, run.model, run.optimizer, nullptr, run.state, settings());
  SafetensorsFile file = load_safetensors(path);
  change(file.tensors);
  save_safetensors(path, file.tensors, file.metadata);
  return path;
}

}  // namespace

TEST_CASE("what is saved comes back with every bit") {
  const test::TemporaryFolder folder;
  const Run saved(1);
  save_training(folder.path() / "last", saved.model, saved.optimizer, nullptr, saved.state, settings());
  Run other(2);
  CHECK(bits_of(other) != bits_of(saved));
  load_training(folder.path() / "last", other.model, other.optimizer, nullptr, other.state, settings());
  CHECK(bits_of(other) == bits_of(saved));
  CHECK(other.state.generator.position() == 5);
  CHECK(other.state.validated == 4);
  CHECK(other.state.window.words == 11);
  CHECK(other.state.log_bytes == 123);
}

TEST_CASE("a run without a plateau needs none") {
  const test::TemporaryFolder folder;
  Run saved(1);
  saved.state.plateau.reset();
  save_training(folder.path() / "last", saved.model, saved.optimizer, nullptr, saved.state, settings());
  Run other(2);
  other.state.plateau.reset();
  load_training(folder.path() / "last", other.model, other.optimizer, nullptr, other.state, settings());
  CHECK(bits_of(other) == bits_of(saved));
  refused<ValueError>(folder.path() / "last", "missing: 'factor'");
}

TEST_CASE("a checkpoint that is cut or altered is refused and changes nothing") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "last";
  const Run saved(1);
  save_training(path, saved.model, saved.optimizer, nullptr, saved.state, settings());
  const std::string whole = content_of(path);
  for (std::size_t at = 0; at < whole.size(); at += 41) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    write_atomically(path, flipped);
    refused<FormatError>(path, path.string());
    write_atomically(path, whole.substr(0, at));
    refused<FormatError>(path, path.string());
  }
  fs::remove(path);
  refused<IoError>(path, path.string());
}

TEST_CASE("a checkpoint of other settings is refused with both values") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "last";
  const Run saved(1);
  save_training(path, saved.model, saved.optimizer, nullptr, saved.state, settings());
  refused<ValueError>(path, path.string() + " was made with other settings: 'text' (abc there, xyz now)",
                      {{"seed", "1"}, {"text", "xyz"}});
  refused<ValueError>(path, "'more' (none there, 1 now)", {{"more", "1"}});
  refused<ValueError>(path, "other settings: 'text' (abc there, none now)", {{"seed", "1"}});
  refused<ValueError>(path, "different: weight is", settings(), 4);

  // Of an object within a setting the fields that differ.
  save_training(path, saved.model, saved.optimizer, nullptr, saved.state,
                {{"classifier", R"({"size": 4, "words": {"hidden": 8, "join": false}})"}});
  refused<ValueError>(path, "other settings: 'classifier.words' ({\"join\":false} there, {\"join\":true} now); go on",
                      {{"classifier", R"({"size": 4, "words": {"hidden": 8, "join": true}})"}});

  // A field that one side lacks is as it was before there was a choice.
  save_training(path, saved.model, saved.optimizer, nullptr, saved.state, {{"classifier", R"({"size": 4, "heads": 2})"}});
  refused<ValueError>(path,
                      "other settings: 'classifier.cell' (the default there, gru now); "
                      "'classifier.heads' (2 there, the default now); go on",
                      {{"classifier", R"({"size": 4, "cell": "gru"})"}});

  std::string words = "[\"" + std::string(77, 'x') + "ü";
  for (int i = 0; i < 1000; ++i) words += "\", \"word";
  save_training(path, saved.model, saved.optimizer, nullptr, saved.state, {{"symbols", R"({"words": )" + words + "\"]}"}});
  refused<ValueError>(path, "'symbols.words' ([\"" + std::string(77, 'x') + "... of 7083 bytes there, [] now)",
                      {{"symbols", R"({"words": []})"}});
}

TEST_CASE("a checkpoint that lacks a tensor or has another in its place is refused and changes nothing") {
  const test::TemporaryFolder folder;
  std::vector<std::string> names;
  changed(folder, [&](StateDict& tensors) {
    for (const auto& [name, tensor] : tensors) names.push_back(name);
  });
  REQUIRE(names.size() == 2 + 7 + 4 + 6);  // model, optimizer, plateau, state
  std::erase(names, "state.best_loss");    // older checkpoints lack it
  for (const auto& name : names) {
    const auto without = changed(folder, [&](StateDict& tensors) {
      std::erase_if(tensors, [&](const NamedTensor& tensor) { return tensor.name == name; });
    });
    const std::string inner = name.substr(name.find('.') + 1);
    if (name.starts_with("state."))
      refused<FormatError>(without, "has no '" + name + "'");
    else
      refused<ValueError>(without, name.starts_with("model.") ? "missing: " + inner : "missing: '" + inner + "'");
    const auto other = changed(folder, [&](StateDict& tensors) {
      for (auto& tensor : tensors)
        if (tensor.name == name) tensor.tensor = Tensor::zeros({5, 1}, f32);
    });
    refused<Error>(other, inner);
  }
}

TEST_CASE("a checkpoint of before the best's loss was kept has a best that no tie replaces") {
  const test::TemporaryFolder folder;
  const auto older = changed(folder, [](StateDict& tensors) {
    std::erase_if(tensors, [](const NamedTensor& tensor) { return tensor.name == "state.best_loss"; });
  });
  Run run(2);
  load_training(older, run.model, run.optimizer, nullptr, run.state, settings());
  CHECK(run.state.best == -0.1);
  CHECK(run.state.best_loss == -std::numeric_limits<double>::infinity());
  const auto other = changed(folder, [](StateDict& tensors) {
    for (auto& tensor : tensors)
      if (tensor.name == "state.best_loss") tensor.tensor = Tensor::zeros({2}, f64);
  });
  refused<FormatError>(other, "'state.best_loss' is");
}

TEST_CASE("counts and times that can't be are refused") {
  const test::TemporaryFolder folder;
  const auto with = [&](const char* name, std::int64_t index, auto value) {
    return changed(folder, [&](StateDict& tensors) {
      for (auto& tensor : tensors)
        if (tensor.name == name) tensor.tensor.mutable_data<decltype(value)>()[index] = value;
    });
  };
  refused<FormatError>(with("state.counts", 2, std::int64_t{-1}), "is negative");
  refused<FormatError>(with("state.log_bytes", 0, std::int64_t{-1}), "is negative");
  refused<FormatError>(with("state.seconds", 0, -1.0), "is negative");
}

TEST_CASE("a full disk or a kill during a save leaves the checkpoint that was there") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "last";
  const Run saved(1), other(2);
  save_training(path, saved.model, saved.optimizer, nullptr, saved.state, settings());
  const std::string whole = content_of(path);
  for (const std::uint64_t room : {std::uint64_t{0}, std::uint64_t{100}, std::uint64_t{whole.size() - 1}}) {
    const test::FileLimit limit(room);
    CHECK_THROWS_WITH_AS(save_training(path, other.model, other.optimizer, nullptr, other.state, settings()),
                         doctest::Contains("File too large"), IoError);
    CHECK(content_of(path) == whole);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  }
  save_training(path, other.model, other.optimizer, nullptr, other.state, settings());
  CHECK(content_of(path) == bits_of(other));
}
