// Gradients of whole models along random directions through each parameter: 20 a tensor, in f64, to a relative error of 1e-6.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

#include "nn/small_transformer.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/nn/attention.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/convolution.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/sequence_loss.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;

namespace {

constexpr GradcheckOptions along_directions{.step = 1e-5, .rtol = 1e-6, .atol = 1e-9, .directions = 20};

// Words -> two layers of LSTM in both directions -> each word attends to the sentence -> a class for each word.
template <class Attention, class Options>
class Reader : public nn::Module<Reader<Attention, Options>> {
 public:
  Reader(const Options& options, const nn::Scope& scope)
      : nn::Module<Reader<Attention, Options>>(scope),
        embed({.num_embeddings = 9, .embedding_dim = 3}, {this, "embed"}),
        encoder({.input_size = 3, .hidden_size = 2, .num_layers = 2, .bidirectional = true, .dropout = 0.2}, {this, "encoder"}),
        attention(options, {this, "attention"}),
        project({.in_features = 8, .out_features = 5}, {this, "project"}) {}

  Var forward(const Tensor& words, const Tensor& lengths, const Tensor& mask) {
    const Var encoded = encoder(embed(words), lengths).output;
    return project(concat({encoded, attention(encoded, encoded, encoded, mask).context}, -1));
  }

 private:
  nn::Embedding embed;
  nn::LSTM encoder;
  Attention attention;
  nn::Linear project;
};

const Tensor words = Tensor::from<std::int64_t>({3, 4, 5, 6, 7, 0, 1, 0, 0}, {3, 3});
const Tensor lengths = Tensor::from<std::int64_t>({3, 2, 1}, {3});
const Tensor mask = Tensor::from<bool>({true, true, true, true, true, false, true, false, false}, {3, 3});
const Tensor tags = Tensor::from<std::int64_t>({1, 2, 4, 3, 1, 0, 2, 0, 0}, {3, 3});

template <class Attention, class Options>
void check_reader(const Options& options) {
  Reader<Attention, Options> model(options, {.seed = 3});
  model.to(f64);
  const auto loss = [&] {
    return cross_entropy(model(words, lengths, mask), tags, {.ignore_index = 0, .label_smoothing = 0.1});
  };
  const auto report = gradcheck_parameters(loss, model.parameters(), along_directions);
  CHECK_MESSAGE(report.ok(), report.str());
  CHECK(report.elements == 20 * static_cast<std::int64_t>(model.parameters().size()));
}

// Frames -> convolution over time that halves their number -> two layers of LSTM in both directions -> labels by CTC.
class SpeechNet : public nn::Module<SpeechNet> {
 public:
  explicit SpeechNet(const nn::Scope& scope)
      : Module(scope),
        front(this, "front", {4, 3, 3}, nn::init::uniform(-0.5, 0.5)),
        front_bias(this, "front_bias", {4}, nn::init::uniform(-0.5, 0.5)),
        encoder({.input_size = 4, .hidden_size = 3, .num_layers = 2, .bidirectional = true, .dropout = 0.2}, {this, "encoder"}),
        project({.in_features = 6, .out_features = 4}, {this, "project"}) {}

  // frames [batch, time, 3], behind [batch, time, 1] true in the padding, halved [batch]: lengths after the convolution
  Var forward(const Tensor& frames, const Tensor& behind, const Tensor& halved) {
    const Var heard = masked_fill(frames, behind, 0);
    const Var convolved = gelu(conv1d(transpose(heard, 1, 2), front, front_bias, {.stride = 2, .padding = 1}));
    return project(encoder(transpose(convolved, 1, 2), halved).output);
  }

 private:
  nn::Weight front, front_bias;
  nn::LSTM encoder;
  nn::Linear project;
};

}  // namespace

TEST_CASE("a bidirectional LSTM of two layers with each attention, under padding") {
  check_reader<nn::attention::Dot>(nn::attention::DotOptions{});
  check_reader<nn::attention::Dot>(nn::attention::DotOptions{.scaled = true});
  check_reader<nn::attention::General>(nn::attention::GeneralOptions{.query_dim = 4, .key_dim = 4});
  check_reader<nn::attention::Additive>(nn::attention::AdditiveOptions{.query_dim = 4, .key_dim = 4, .hidden = 3});
  check_reader<nn::attention::Concat>(nn::attention::ConcatOptions{.query_dim = 4, .key_dim = 4, .hidden = 3});
  check_reader<nn::attention::Cosine>(nn::attention::CosineOptions{.temperature = 0.5, .learned = true});
  check_reader<nn::attention::Location>(nn::attention::LocationOptions{.query_dim = 4, .key_dim = 4, .hidden = 3});
  check_reader<nn::attention::Coverage>(nn::attention::CoverageOptions{.query_dim = 4, .key_dim = 4, .hidden = 3});
  check_reader<nn::attention::LocalM>(nn::attention::LocalOptions{.query_dim = 4, .key_dim = 4, .window = 1});
  check_reader<nn::attention::LocalP>(nn::attention::LocalPOptions{.query_dim = 4, .key_dim = 4, .hidden = 3});
}

TEST_CASE("a Transformer with causal and padding masks, label smoothing and one embedding for everything") {
  for (const double dropout : {0.0, 0.2}) {
    test::SmallTransformer model({.dropout = dropout}, {.seed = 4});
    model.to(f64);
    const Tensor target_in = Tensor::from<std::int64_t>({2, 3, 4, 1, 2, 5, 1, 0, 2, 0, 0, 0}, {3, 4});
    const Tensor target_out = Tensor::from<std::int64_t>({3, 4, 1, 6, 5, 1, 7, 0, 8, 0, 0, 0}, {3, 4});
    const auto loss = [&] {
      return cross_entropy(model(words, target_in), target_out, {.ignore_index = 0, .label_smoothing = 0.1});
    };
    const auto report = gradcheck_parameters(loss, model.parameters(), along_directions);
    CHECK_MESSAGE(report.ok(), report.str());
    const auto second = gradgradcheck_parameters(loss, model.parameters(), {.rtol = 1e-4, .directions = 2});
    CHECK_MESSAGE(second.ok(), second.str());
  }
}

TEST_CASE("a speech net with CTC: convolution, bidirectional LSTM of two layers, labels without alignment") {
  SpeechNet model({.seed = 5});
  model.to(f64);
  const Tensor halved = Tensor::from<std::int64_t>({5, 4, 2}, {3});
  // Frames behind a sound's end (of 10, 7 and 4) are NaN: they reach nothing.
  Tensor frames = test::uniform({3, 10, 3}, -1, 1, 6), behind = Tensor::zeros({3, 10, 1}, boolean);
  frames.slice(0, 1, 2).slice(1, 7, 10).fill(std::nan(""));
  frames.slice(0, 2, 3).slice(1, 4, 10).fill(std::nan(""));
  behind.slice(0, 1, 2).slice(1, 7, 10).fill(1);
  behind.slice(0, 2, 3).slice(1, 4, 10).fill(1);
  const Tensor labels = Tensor::from<std::int64_t>({1, 2, 2, 3, 1, 0, 2, 0, 0}, {3, 3});
  const Tensor label_lengths = Tensor::from<std::int64_t>({3, 2, 1}, {3});
  const auto loss = [&] { return ctc_loss(model(frames, behind, halved), labels, halved, label_lengths); };
  const auto report = gradcheck_parameters(loss, model.parameters(), along_directions);
  CHECK_MESSAGE(report.ok(), report.str());
  CHECK(report.elements == 20 * static_cast<std::int64_t>(model.parameters().size()));
}

TEST_CASE("a Transformer's padding reaches nothing") {
  test::SmallTransformer model({}, {.seed = 4});
  model.to(f64);
  const Tensor source = words.slice(0, 1, 2), target = Tensor::from<std::int64_t>({2, 5, 1, 0}, {1, 4});
  const Tensor longer = Tensor::from<std::int64_t>({6, 7, 0, 0, 0}, {1, 5});
  const Tensor expected = model(source, target.slice(1, 0, 3)).value();
  CHECK(test::largest_difference(model(longer, target).value().slice(1, 0, 3), expected) <= 1e-12);
}
