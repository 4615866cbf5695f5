// Training on batches of ever other shapes: memory that was taken for one is used again for the others.
// WEFT_SHAPE_STEPS=2000 takes longer.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <random>
#include <vector>

#include "seq2seq/small_model.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

// `rows` sentences of up to `length` tokens, the first of that length.
std::vector<TokenIds> sentences(std::size_t rows, std::size_t length, std::int32_t vocabulary) {
  std::vector<TokenIds> result(rows);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < std::max<std::size_t>(1, length - std::min(length, row % 3)); ++i)
      result[row].push_back(4 + static_cast<std::int32_t>((row + i) % static_cast<std::size_t>(vocabulary - 4)));
  return result;
}

// The process's memory, oneDNN's included, in MB.
double resident() {
  std::ifstream pages("/proc/self/statm");
  std::int64_t all = 0, here = 0;
  pages >> all >> here;
  return static_cast<double>(here * sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::size_t steps_asked_for() {
  const char* text = std::getenv("WEFT_SHAPE_STEPS");
  return text == nullptr ? 600 : std::strtoul(text, nullptr, 10);
}

}  // namespace

TEST_CASE("training over 500 shapes ends with the memory of its first 200 steps") {
  constexpr std::size_t most_rows = 20, most_tokens = 25, shapes = most_rows * most_tokens;
  const std::size_t steps = steps_asked_for();
  EncoderDecoderOptions lstm = test::small_options();
  lstm.source_vocabulary = lstm.target_vocabulary = 60;
  lstm.embedding = lstm.hidden = 16;
  TransformerOptions transformer = test::small_transformer_options();
  transformer.source_vocabulary = transformer.target_vocabulary = 60;
  transformer.width = 16;
  for (const ModelOptions& kind : {ModelOptions(lstm), ModelOptions(transformer)}) {
    const auto model = make_model(kind);
    CAPTURE(model->type_name());
    optim::Adam optimizer(model->parameters());
    std::vector<std::size_t> order(shapes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937 random(1);
    double early = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      if (step % shapes == 0) std::shuffle(order.begin(), order.end(), random);
      if (step == 200) early = resident();
      const std::size_t shape = order[step % shapes], rows = 1 + shape / most_tokens, length = 1 + shape % most_tokens;
      const auto source = sentences(rows, length, 60), target = sentences(rows, most_tokens - length + 1, 60);
      Tape tape;
      tape.backward(model->loss(test::small_batch(source, target), 0.1));
      optim::clip_grad_norm(model->parameters(), 1.0);
      optimizer.step();
    }
    const double late = resident();
    MESSAGE(model->type_name(), ": ", early, " MB after 200 steps, ", late, " after ", steps);
#ifndef __SANITIZE_ADDRESS__  // which keeps what is given back
    CHECK(early > 0);
    CHECK(late <= 1.05 * early);
#endif
  }
}
