#include "weft/nn/attention/encoded_pooling.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using nn::attention::EncodedPooling;
using nn::attention::EncodedPoolingOptions;
using nn::attention::Pooling;
using nn::attention::PoolingOutput;
using nn::attention::SequenceEncoder;

namespace {

constexpr SequenceEncoder encoders[] = {SequenceEncoder::gru, SequenceEncoder::lstm, SequenceEncoder::conv,
                                        SequenceEncoder::none};

EncodedPoolingOptions small(SequenceEncoder encoder, bool join = false) {
  return {.input_size = 3, .hidden = 2, .context = 3, .encoder = encoder, .join_input = join};
}

const Tensor lengths = Tensor::from<std::int64_t>({4, 2, 0}, {3});

Tensor input() { return test::uniform({3, 4, 3}, -1, 1, 1); }

// A module of its own with the weights below `prefix`.
template <class T>
void take(T& module, const EncodedPooling& from, const std::string& prefix) {
  StateDict state;
  for (const auto& [name, tensor] : from.state_dict())
    if (name.starts_with(prefix)) state.push_back({name.substr(prefix.size()), tensor});
  module.to(f64);
  module.load_state_dict(state);
}

// The encoder and the pooling called by themselves.
Var encoded(const EncodedPooling& pooling, SequenceEncoder encoder, const Var& x) {
  switch (encoder) {
    case SequenceEncoder::gru: {
      nn::GRU gru({.input_size = 3, .hidden_size = 2, .bidirectional = true});
      take(gru, pooling, "encoder.");
      return gru(x).output;
    }
    case SequenceEncoder::lstm: {
      nn::LSTM lstm({.input_size = 3, .hidden_size = 2, .bidirectional = true});
      take(lstm, pooling, "encoder.");
      return lstm(x).output;
    }
    case SequenceEncoder::conv: {
      nn::Conv1d conv({.in_channels = 3, .out_channels = 4, .kernel_size = 3, .padding = 1});
      take(conv, pooling, "encoder.");
      return tanh(transpose(conv(transpose(x, 1, 2)), 1, 2));
    }
    case SequenceEncoder::none: break;
  }
  return x;
}

}  // namespace

TEST_CASE("pooling of what an encoder reads is encoder and pooling one after the other, each row as it would be alone") {
  for (const SequenceEncoder encoder : encoders)
    for (const bool join : {false, true}) {
      if (join && encoder == SequenceEncoder::none) continue;
      EncodedPooling module(small(encoder, join));
      module.to(f64);
      Tensor x = input();
      x.select(0, 1).slice(0, 2, 4).fill(std::numeric_limits<double>::quiet_NaN());
      x.select(0, 2).fill(std::numeric_limits<double>::quiet_NaN());
      const PoolingOutput all = module(x, lengths);
      CHECK(all.context.shape() == Shape{3, module.output_size()});
      CHECK(all.weights.shape() == Shape{3, 4});
      for (std::int64_t row = 0; row < 2; ++row) {
        const auto length = static_cast<std::int64_t>(lengths.at({row}));
        const Var one = x.slice(0, row, row + 1).slice(1, 0, length);
        const Var read = encoded(module, encoder, one);
        Pooling pooling({.size = module.output_size(), .hidden = 3});
        take(pooling, module, "pooling.");
        const PoolingOutput alone = pooling(join ? concat({one, read}, 2) : read);
        CHECK(test::largest_difference(all.context.value().slice(0, row, row + 1), alone.context.value()) <= 1e-12);
        CHECK(test::largest_difference(all.weights.value().slice(0, row, row + 1).slice(1, 0, length), alone.weights.value()) <=
              1e-12);
      }
      CHECK(test::largest(all.weights.value().select(0, 1).slice(0, 2, 4)) == 0);
      CHECK(test::largest(all.context.value().select(0, 2)) == 0);
      const Tensor whole = input();
      CHECK(test::largest_difference(module(whole).context.value(), module(whole, Tensor::full({3}, 4, i64)).context.value()) <=
            1e-12);
    }
}

TEST_CASE("gradients of pooling what an encoder reads") {
  for (const SequenceEncoder encoder : encoders) {
    EncodedPooling module(small(encoder, encoder == SequenceEncoder::lstm || encoder == SequenceEncoder::conv));
    module.to(f64);
    const auto f = [&](const std::vector<Var>& in) {
      const PoolingOutput out = module(in[0], lengths);
      return sum(square(out.context)) + sum(square(out.weights));
    };
    gradcheck(f, {input()}).require();
    gradgradcheck(f, {input()}, {.rtol = 1e-4, .elements = 10}).require();
    gradcheck_parameters([&] { return f({input()}); }, module.parameters(), {.elements = 10}).require();
    gradgradcheck_parameters([&] { return f({input()}); }, module.parameters(), {.rtol = 1e-4, .elements = 2}).require();
  }
}

TEST_CASE("sizes of what is pooled") {
  CHECK(EncodedPooling({.input_size = 3, .hidden = 2}).output_size() == 4);
  CHECK(EncodedPooling(small(SequenceEncoder::gru, true)).output_size() == 7);
  EncodedPooling none({.input_size = 3, .encoder = SequenceEncoder::none, .normaliser = nn::Normaliser::sparsemax});
  CHECK(none.output_size() == 3);
  CHECK(none(Tensor::ones({2, 5, 3})).context.shape() == Shape{2, 3});
}

TEST_CASE("dropout is on the weights of what is pooled, in training alone") {
  constexpr std::int64_t places = 64;
  Tensor unit = Tensor::zeros({1, places, places});  // whose context is the weights that made it
  for (std::int64_t p = 0; p < places; ++p) unit.mutable_data<float>()[p * places + p] = 1;
  EncodedPooling module({.input_size = places, .encoder = SequenceEncoder::none, .dropout = 0.5});
  const PoolingOutput whole = module(unit);  // nothing records
  CHECK(test::largest_difference(whole.context.value(), whole.weights.value()) == 0);
  Generator generator(1);
  const Tape tape(generator);
  const PoolingOutput out = module(unit);
  CHECK(test::largest_difference(out.weights.value(), whole.weights.value()) == 0);
  std::int64_t dropped = 0;
  for (std::int64_t p = 0; p < places; ++p) {
    const double weight = whole.weights.value().at({0, p}), applied = out.context.value().at({0, p});
    if (applied == 0)
      ++dropped;
    else
      CHECK(applied == doctest::Approx(2 * weight).epsilon(1e-6));
  }
  CHECK(dropped > 15);
  CHECK(dropped < 50);
  module.eval();
  CHECK(test::largest_difference(module(unit).context.value(), whole.context.value()) == 0);
  CHECK_THROWS_WITH_AS(EncodedPooling({.input_size = 3, .hidden = 2, .dropout = 1}),
                       doctest::Contains("dropout is 1; it must be in [0, 1)"), ValueError);
}

TEST_CASE("nothing to pool gives zeros, whatever reads it") {
  for (const auto kind : {SequenceEncoder::gru, SequenceEncoder::lstm, SequenceEncoder::conv})
    for (const bool join : {false, true}) {
      EncodedPooling module(small(kind, join));
      for (const Tensor& lengths : {Tensor(), Tensor::zeros({2}, i64)}) {
        const nn::attention::PoolingOutput out = module(Tensor::zeros({2, 0, 3}), lengths);
        CHECK(out.context.shape() == Shape{2, module.output_size()});
        CHECK(test::largest(out.context.value()) == 0);
        CHECK(out.weights.shape() == Shape{2, 0});
      }
    }
}

TEST_CASE("pooling that can't be is refused") {
  EncodedPooling module(small(SequenceEncoder::gru));
  CHECK_THROWS_WITH_AS(module(Tensor::ones({2, 3})), "[attention::EncodedPooling] input f32[2, 3] is not [batch, places, 3]",
                       ShapeError);
  CHECK_THROWS_AS(module(Var()), ValueError);
  CHECK_THROWS_AS(module(Tensor::ones({2, 4, 3}), Tensor::ones({2})), DTypeError);
  CHECK_THROWS_AS(module(Tensor::ones({2, 4, 3}), Tensor::ones({3}, i64)), ShapeError);
  CHECK_THROWS_WITH_AS(module(Tensor::ones({2, 4, 3}), Tensor::full({2}, 5, i64)),
                       "[attention::EncodedPooling] length 5 of row 0 is outside 0 to 4 (input [2, 4, 3])", ValueError);
  CHECK_THROWS_WITH_AS(EncodedPooling({.input_size = 3}),
                       "[attention::EncodedPooling] input_size is 3, hidden 0 and context 0; the sizes must be positive "
                       "(context 0: the encoder's)",
                       ValueError);
  CHECK_THROWS_AS(EncodedPooling({.input_size = 0, .hidden = 2}), ValueError);
  CHECK_THROWS_WITH_AS(EncodedPooling({.input_size = 3, .hidden = 2, .encoder = SequenceEncoder::conv, .kernel_size = 2}),
                       "[attention::EncodedPooling] kernel_size is 2; it must be odd, so that a place stands in the middle",
                       ValueError);
  CHECK_THROWS_AS(EncodedPooling({.input_size = 3, .encoder = SequenceEncoder::none, .join_input = true}), ValueError);
}
