// A classifier from its data to its use: trained with dropout and a schedule, the best weights kept in a file, read back,
// asked.
//
//   06_classifier [FILE]     the weights go to FILE, or to classifier.safetensors
//
// Ends with 1 if the weights that were read back are right on fewer than 95 % of pictures that they haven't seen.
#include <fmt/format.h>

#include <string>
#include <weft/weft.hpp>

using namespace weft;

namespace {

constexpr std::int64_t side = 8, shape_side = 4, classes = 3;
constexpr const char* names[classes] = {"bar", "cross", "ring"};
constexpr const char* shapes[classes] = {"....########....", "#..#.##..##.#..#", "#####..##..#####"};

struct Pictures {
  Tensor pixels;   // f32 [count, side * side]
  Tensor classes;  // i64 [count]
};

// A shape somewhere in each picture, under noise.
Pictures draw(std::int64_t count, Generator& generator) {
  Pictures pictures{Tensor::randn({count, side * side}, generator), Tensor::empty({count}, i64)};
  auto* pixel = pictures.pixels.mutable_data<float>();
  auto* wanted = pictures.classes.mutable_data<std::int64_t>();
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(bound)));
  };
  for (std::int64_t i = 0; i < count; ++i, pixel += side * side) {
    for (std::int64_t k = 0; k < side * side; ++k) pixel[k] *= 0.35f;
    wanted[i] = below(classes);
    const std::int64_t top = below(side - shape_side + 1), left = below(side - shape_side + 1);
    for (std::int64_t k = 0; k < shape_side * shape_side; ++k)
      if (shapes[wanted[i]][k] == '#') pixel[(top + k / shape_side) * side + left + k % shape_side] += 1;
  }
  return pictures;
}

struct ClassifierOptions {
  std::int64_t hidden = 128;
  double dropout = 0.2;
};

class Classifier : public nn::Module<Classifier> {
 public:
  explicit Classifier(const ClassifierOptions& o, const nn::Scope& scope = {})
      : Module(scope),
        first({.in_features = side * side, .out_features = o.hidden}, {this, "first"}),
        dropout({.p = o.dropout}, {this, "dropout"}),
        last({.in_features = o.hidden, .out_features = classes}, {this, "last"}) {}

  Var forward(const Var& pixels) { return last(dropout(relu(first(pixels)))); }

 private:
  nn::Linear first;
  nn::Dropout dropout;
  nn::Linear last;
};

double accuracy(Classifier& model, const Pictures& pictures) {
  const Tensor found = argmax(model(pictures.pixels).value(), 1);  // no tape is alive: nothing is recorded or dropped
  return mean(eq(found, pictures.classes).to(f64)).item();
}

void train(Classifier& model, const std::string& file, Generator& generator) {
  constexpr std::int64_t steps = 600;
  constexpr double lr = 3e-3;
  const Pictures held_out = draw(500, generator);
  optim::AdamW optimizer(model.parameters(), {.lr = lr, .weight_decay = 0.01});
  const optim::Schedule schedule = optim::cosine(steps);
  double best = 0;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const Pictures batch = draw(64, generator);
    Tape tape(generator);  // dropout draws from the generator
    const Var loss = cross_entropy(model(batch.pixels), batch.classes, {.label_smoothing = 0.05});
    tape.backward(loss);
    optimizer.set_lr(lr * schedule(step));
    optimizer.step();
    if (step % 100 != 0) continue;
    const NoGrad guard;
    const double share = accuracy(model, held_out);
    fmt::print("step {}  loss {:.3f}  right on {:.1f} % of the held-out pictures\n", step, loss.item(), 100 * share);
    if (share <= best) continue;
    best = share;
    nn::save(model, file, {{"step", fmt::to_string(step)}});
  }
}

// What the model makes of one picture, and how much each pixel matters to it.
void explain(Classifier& model, const Tensor& pixels) {
  Tape tape;
  const Var picture = tape.leaf(pixels), scores = model(picture);  // in eval mode: under a tape, but without dropout
  const Tensor shares = softmax(scores, 1).value();
  for (std::int64_t k = 0; k < classes; ++k) fmt::print("{} {:.3f}  ", names[k], shares.at({0, k}));
  tape.backward(max(scores, {0, 1}));
  const Tensor matters = abs(tape.grad(picture)).value();
  const auto place = static_cast<std::int64_t>(argmax(matters, 1).item());
  fmt::print("\nthe pixel that matters most stands in row {}, column {}\n", place / side, place % side);
}

int run(const std::string& file) {
  Generator generator(1);
  const ClassifierOptions options;
  Classifier model(options);
  train(model, file, generator);

  Classifier loaded(options, {.seed = 2});  // other first values, which the file's replace
  nn::load(loaded, file);
  loaded.eval();
  const Pictures fresh = draw(1000, generator);
  const double share = accuracy(loaded, fresh);
  fmt::print("read back from {}: right on {:.1f} % of {} new pictures\n", file, 100 * share, fresh.classes.numel());
  fmt::print("a {}: ", names[static_cast<std::size_t>(fresh.classes.at({0}))]);
  explain(loaded, fresh.pixels.slice(0, 0, 1));
  return share >= 0.95 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "classifier.safetensors");
  } catch (const Error& error) {
    fmt::print(stderr, "06_classifier: {}\n", error.what());
    return 1;
  }
}
