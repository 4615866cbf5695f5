#include "weft/nn/any_recurrent.hpp"

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/list.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

struct Model : nn::Module<Model> {
  explicit Model(nn::RecurrentKind kind)
      : Module(nn::Scope{}),
        net(kind, {.input_size = 3, .hidden_size = 4, .bidirectional = true}, {this, "net"}),
        cells({this, "cells"}) {
    cells.emplace(kind, nn::RecurrentCellOptions{.input_size = 3, .hidden_size = 4});
  }
  Var forward(const Var& x) { return net(x).output; }
  nn::AnyRecurrent net;
  nn::List<nn::AnyRecurrentCell> cells;
};

}  // namespace

TEST_CASE("either network has the parameters and results that it has alone") {
  const Tensor x = uniform({2, 5, 3}, -1, 1, 1), lengths = Tensor::from<std::int64_t>({5, 3}, {2});
  const nn::RecurrentOptions options{.input_size = 3, .hidden_size = 4, .bidirectional = true};
  Model lstm(nn::RecurrentKind::lstm), gru(nn::RecurrentKind::gru);
  for (Model* model : {&lstm, &gru}) {
    model->to(f64);
    CHECK(model->named_parameters().front().name == "net.weight_ih_l0");
    CHECK(model->named_parameters().back().name == "cells.0.bias_hh");
  }
  const auto load = [](nn::ModuleBase& into, Model& from, const std::string& part) {
    into.to(f64);
    StateDict state;
    for (const NamedTensor& one : from.state_dict())
      if (one.name.rfind(part, 0) == 0) state.push_back({one.name.substr(part.size()), one.tensor});
    into.load_state_dict(state);
  };
  nn::LSTM plain_lstm(options);
  nn::GRU plain_gru(options);
  load(plain_lstm, lstm, "net.");
  load(plain_gru, gru, "net.");
  const LSTMState start{uniform({2, 2, 4}, -1, 1, 2), uniform({2, 2, 4}, -1, 1, 3)};
  const nn::LSTMOutput one = lstm.net(x, lengths, start), expected = plain_lstm(x, lengths, start);
  CHECK(largest_difference(one.output.value(), expected.output.value()) == 0);
  CHECK(largest_difference(one.c.value(), expected.c.value()) == 0);
  const nn::LSTMOutput other = gru.net(x, lengths, {start.h, {}});
  const nn::GRUOutput alone = plain_gru(x, lengths, start.h);
  CHECK(largest_difference(other.output.value(), alone.output.value()) == 0);
  CHECK(largest_difference(other.h.value(), alone.h.value()) == 0);
  CHECK_FALSE(other.c.defined());

  nn::LSTMCell plain_lstm_cell({.input_size = 3, .hidden_size = 4});
  nn::GRUCell plain_gru_cell({.input_size = 3, .hidden_size = 4});
  load(plain_lstm_cell, lstm, "cells.0.");
  load(plain_gru_cell, gru, "cells.0.");
  const Tensor step = x.select(1, 0), h = uniform({2, 4}, -1, 1, 4);
  CHECK(largest_difference(lstm.cells[0](step, {h, h}).c.value(), plain_lstm_cell(step, LSTMState{h, h}).c.value()) == 0);
  CHECK(largest_difference(gru.cells[0](step, {h, {}}).h.value(), plain_gru_cell(step, h).value()) == 0);
  CHECK_THROWS_WITH_AS(gru.net(x, {}, start), doctest::Contains("[GRU] the state has a c f64[2, 2, 4]"), ValueError);
  CHECK_THROWS_WITH_AS(gru.cells[0](step, {h, h}), doctest::Contains("[GRUCell] the state has a c f64[2, 4]"), ValueError);
}

TEST_CASE("recurrent networks by their names") {
  CHECK(nn::name_of(nn::RecurrentKind::gru) == "gru");
  CHECK(nn::recurrent_kind("lstm") == nn::RecurrentKind::lstm);
  CHECK_THROWS_WITH_AS(nn::recurrent_kind("rnn"), doctest::Contains("'rnn' is no recurrent network; lstm, gru are"),
                       ValueError);
}
