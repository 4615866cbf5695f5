// Training on batches of ever other shapes: memory that was taken for one is used again for the others.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "seq2seq/small_model.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"
#include "weft/tensor/memory.hpp"

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

}  // namespace

TEST_CASE("2,000 steps over 500 shapes end with the memory of the first 200") {
  constexpr std::size_t most_rows = 20, most_tokens = 25, shapes = most_rows * most_tokens;
  EncoderDecoderOptions lstm = test::small_options();
  lstm.source_vocabulary = lstm.target_vocabulary = 60;
  lstm.embedding = lstm.hidden = 16;
  TransformerOptions transformer = test::small_transformer_options();
  transformer.source_vocabulary = transformer.target_vocabulary = 60;
  transformer.width = 16;
  for (const ModelOptions& kind : {ModelOptions(lstm), ModelOptions(transformer)}) {
    trim_memory();
    const auto model = make_model(kind);
    CAPTURE(model->type_name());
    optim::Adam optimizer(model->parameters());
    std::vector<std::size_t> order(shapes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937 random(1);
    std::int64_t early = 0;
    for (std::size_t step = 0; step < 2000; ++step) {
      if (step % shapes == 0) std::shuffle(order.begin(), order.end(), random);
      if (step == 200) early = memory_statistics().reserved.current;
      const std::size_t shape = order[step % shapes], rows = 1 + shape / most_tokens, length = 1 + shape % most_tokens;
      const auto source = sentences(rows, length, 60), target = sentences(rows, most_tokens - length + 1, 60);
      Tape tape;
      tape.backward(model->loss(test::small_batch(source, target), 0.1));
      optim::clip_grad_norm(model->parameters(), 1.0);
      optimizer.step();
    }
    const std::int64_t late = memory_statistics().reserved.current;
    CHECK(early > 0);
    CHECK(static_cast<double>(late) <= 1.05 * static_cast<double>(early));
    MESSAGE(model->type_name(), ": ", early, " bytes after 200 steps, ", late, " after 2,000, in use at most ",
            memory_statistics().total.peak);
  }
}
