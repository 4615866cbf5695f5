// Gradients of whole models along random directions through each parameter: 20 a tensor, in f64, to a relative error of 1e-6.
#include <doctest/doctest.h>

#include <memory>

#include "nn/small_transformer.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/nn/attention.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/loss.hpp"
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

}  // namespace

TEST_CASE("a bidirectional LSTM of two layers with each attention, under padding") {
  check_reader<nn::attention::Dot>(nn::attention::DotOptions{});
  check_reader<nn::attention::Dot>(nn::attention::DotOptions{.scaled = true});
  check_reader<nn::attention::General>(nn::attention::GeneralOptions{.query_dim = 4, .key_dim = 4});
  check_reader<nn::attention::Additive>(nn::attention::AdditiveOptions{.query_dim = 4, .key_dim = 4, .hidden = 3});
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

TEST_CASE("a Transformer's padding reaches nothing") {
  test::SmallTransformer model({}, {.seed = 4});
  model.to(f64);
  const Tensor source = words.slice(0, 1, 2), target = Tensor::from<std::int64_t>({2, 5, 1, 0}, {1, 4});
  const Tensor longer = Tensor::from<std::int64_t>({6, 7, 0, 0, 0}, {1, 5});
  const Tensor expected = model(source, target.slice(1, 0, 3)).value();
  CHECK(test::largest_difference(model(longer, target).value().slice(1, 0, 3), expected) <= 1e-12);
}
