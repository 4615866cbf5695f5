// An LSTM learns to continue a text, character by character (a character is a byte), and then writes some.
//
//   03_character_lstm [--steps N] FILE
//
// Ends with 2 for a usage that it doesn't know, with 1 for a file that it can't use.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <weft/weft.hpp>

using namespace weft;

namespace {

constexpr std::int64_t rows = 16, window = 32;  // the text is cut into rows; a step reads the next window of each
constexpr const char* usage = "usage: 03_character_lstm [--steps N] FILE    (N from 1; 300 if it isn't given)\n";

struct Arguments {
  std::string file;
  std::int64_t steps = 300;
};

// False where the arguments make no sense.
bool parse(int count, char** values, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = values[i];
    if (word == "--steps" && i + 1 < count) {
      const std::string_view number = values[++i];
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), arguments.steps);
      if (error != std::errc() || end != number.data() + number.size() || arguments.steps < 1) return false;
    } else if (word.starts_with("-") || !arguments.file.empty()) {
      return false;
    } else {
      arguments.file = word;
    }
  }
  return !arguments.file.empty();
}

std::string read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw IoError(fmt::format("{} can't be opened", path));
  std::string text;
  try {
    text.assign(std::istreambuf_iterator<char>(stream), {});
  } catch (const std::ios_base::failure&) {  // a folder, say
    throw IoError(fmt::format("{} can't be read", path));
  }
  constexpr auto least = static_cast<std::size_t>(rows * (window + 1));
  if (text.size() < least) throw FormatError(fmt::format("{} has {} bytes; at least {} are needed", path, text.size(), least));
  return text;
}

class Model : public nn::Module<Model> {
 public:
  explicit Model(std::int64_t characters, const nn::Scope& scope = {})
      : Module(scope),
        embed({.num_embeddings = characters, .embedding_dim = 32}, {this, "embed"}),
        lstm({.input_size = 32, .hidden_size = 128}, {this, "lstm"}),
        project({.in_features = 128, .out_features = characters}, {this, "project"}) {}

  // ids [rows, steps] -> logits [rows, steps, characters]; `state` is where the text before ended, and goes on.
  Var forward(const Tensor& ids, LSTMState& state) {
    const nn::LSTMOutput out = lstm(embed(ids), Tensor(), state);
    state = {out.h.detach(), out.c.detach()};  // detached: the next step's tape doesn't reach back into this one
    return project(out.output);
  }

 private:
  nn::Embedding embed;
  nn::LSTM lstm;
  nn::Linear project;
};

// Draws from softmax(logits).
std::int64_t draw(const Var& logits, Generator& generator) {
  const Tensor chances = softmax(logits, -1).value();
  double left = generator.uniform();
  std::int64_t id = 0;
  while (id + 1 < chances.numel() && (left -= static_cast<double>(chances.data<float>()[id])) > 0) ++id;
  return id;
}

void run(const Arguments& arguments) {
  const std::string text = read(arguments.file);
  std::string alphabet = text;
  std::sort(alphabet.begin(), alphabet.end());
  alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
  const auto characters = static_cast<std::int64_t>(alphabet.size()), length = static_cast<std::int64_t>(text.size()) / rows;
  Tensor ids = Tensor::empty({rows, length}, i64);
  for (std::int64_t i = 0; i < ids.numel(); ++i)
    ids.mutable_data<std::int64_t>()[i] = static_cast<std::int64_t>(alphabet.find(text[static_cast<std::size_t>(i)]));
  fmt::print("{} characters, {} different ones; a blind guess has loss {:.3f}\n", text.size(), characters,
             std::log(static_cast<double>(characters)));

  Model model(characters);
  optim::Adam optimizer(model.parameters(), {.lr = 5e-3});
  LSTMState state;
  std::int64_t start = 0;
  const std::int64_t print_every = std::max<std::int64_t>(1, arguments.steps / 10);
  for (std::int64_t step = 1; step <= arguments.steps; ++step, start += window) {
    if (start + window + 1 > length) {  // the rows are at their end: from the beginning, with a fresh state
      start = 0;
      state = {};
    }
    Tape tape;
    const Var loss =
        cross_entropy(model(ids.slice(1, start, start + window), state), ids.slice(1, start + 1, start + window + 1));
    tape.backward(loss);
    optim::clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
    if (step % print_every == 0 || step == arguments.steps) fmt::print("step {:5}  loss {:.3f}\n", step, loss.item());
  }

  Generator generator(1);
  std::string sample;
  std::int64_t id = ids.data<std::int64_t>()[0];
  state = {};
  for (int i = 0; i < 200; ++i) {
    sample += alphabet[static_cast<std::size_t>(id)];
    id = draw(model(Tensor::full({1, 1}, static_cast<double>(id), i64), state), generator);
  }
  fmt::print("---\n{}\n", sample);
}

}  // namespace

int main(int count, char** values) {
  Arguments arguments;
  if (!parse(count, values, arguments)) {
    fmt::print(stderr, "{}", usage);
    return 2;
  }
  try {
    run(arguments);
  } catch (const Error& error) {
    fmt::print(stderr, "03_character_lstm: {}\n", error.what());
    return 1;
  }
}
