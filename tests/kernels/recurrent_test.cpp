// The cells of LSTM, GRU and plain RNN: vectors against plain formulas on every instruction set, rows that rest, threads.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "golden/golden.hpp"
#include "kernels/gru_cell.hpp"
#include "kernels/isa_support.hpp"
#include "kernels/lstm_cell.hpp"
#include "kernels/rnn_cell.hpp"
#include "support/random.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::kernels;
using namespace weft::test;

namespace {

struct Setting {
  std::int64_t rows, units;
  const bool* active;
  bool with_output;  // forward: an output; backward: its gradient
};

// A cell on buffers of `widths` times `units` columns each, the first of which is h (or dh).
struct Cell {
  const char* name;
  std::vector<std::int64_t> widths;
  std::function<void(std::vector<Tensor>&, const Setting&)> fast, plain;
};

StepRows<float> forward_rows(std::vector<Tensor>& v, const Setting& s) {
  return {s.rows,
          s.units,
          v[1].data<float>(),
          block_of(v[0].mutable_data<float>(), s.rows),
          s.with_output ? v[2].mutable_data<float>() : nullptr,
          2 * s.units,
          nullptr,
          s.active};
}
StepRowsBack<float> backward_rows(std::vector<Tensor>& v, const Setting& s, bool clear) {
  return {s.rows,   s.units, v[0].mutable_data<float>(), s.with_output ? v[1].data<float>() : nullptr, 2 * s.units, nullptr,
          s.active, clear};
}

// A cell's function for both the vector form and the plain one.
#define WEFT_CELL(kernel, ...)                                                     \
  [=](std::vector<Tensor>& v, const Setting& s) { kernels::kernel(__VA_ARGS__); }, \
      [=](std::vector<Tensor>& v, const Setting& s) { kernels::reference::kernel(__VA_ARGS__); }

std::vector<Cell> all_cells() {
  std::vector<Cell> cells;
  cells.push_back({"lstm",
                   {1, 1, 2, 4, 1, 1},
                   WEFT_CELL(lstm_cell, {forward_rows(v, s), v[3].mutable_data<float>(), 4 * s.units, v[4].data<float>(),
                                         block_of(v[5].mutable_data<float>(), s.rows)})});
  cells.push_back(
      {"gru",
       {1, 1, 2, 3, 3, 1},
       WEFT_CELL(gru_cell, {forward_rows(v, s), v[3].mutable_data<float>(), v[4].data<float>(), v[5].mutable_data<float>()})});
  for (const bool clear : {false, true})
    cells.push_back({"lstm backward",
                     {1, 2, 4, 1, 1, 1, 4},
                     WEFT_CELL(lstm_cell_backward, {backward_rows(v, s, clear), v[2].data<float>(), v[3].data<float>(),
                                                    block_of(std::as_const(v[4]).data<float>(), s.rows),
                                                    v[5].mutable_data<float>(), v[6].mutable_data<float>()})});
  cells.push_back({"gru backward",
                   {1, 2, 3, 1, 1, 3, 3},
                   WEFT_CELL(gru_cell_backward, {backward_rows(v, s, false), v[2].data<float>(), v[3].data<float>(),
                                                 v[4].data<float>(), v[5].mutable_data<float>(), v[6].mutable_data<float>()})});
  for (const bool relu : {false, true}) {
    cells.push_back(
        {relu ? "rnn relu" : "rnn tanh", {1, 1, 2, 1}, WEFT_CELL(rnn_cell, {forward_rows(v, s), v[3].data<float>(), relu})});
    for (const bool clear : {false, true})
      cells.push_back(
          {relu ? "rnn relu backward" : "rnn tanh backward",
           {1, 2, 1, 1},
           WEFT_CELL(rnn_cell_backward, {backward_rows(v, s, clear), block_of(std::as_const(v[2]).data<float>(), s.rows),
                                         v[3].mutable_data<float>(), relu})});
  }
  return cells;
}

std::vector<Tensor> buffers(const Cell& cell, const Setting& s) {
  std::vector<Tensor> result;
  for (const std::int64_t width : cell.widths)
    result.push_back(uniform({s.rows, width * s.units}, -1, 1, 3 + result.size(), f32));
  return result;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("recurrent cells: vectors agree with the plain formula on every instruction set") {
  const Tensor flags = coins({5}, 0.6, 4);
  for (const Cell& cell : all_cells())
    for (const std::int64_t units : {1, 3, 8, 19, 33})
      for (const bool* active : {static_cast<const bool*>(nullptr), flags.data<bool>()})
        for (const bool with_output : {false, true}) {
          INFO(cell.name, ", ", units, " units");
          const Setting setting{5, units, active, with_output};
          auto expected = buffers(cell, setting);
          cell.plain(expected, setting);
          on_each_isa([&] {
            auto found = buffers(cell, setting);
            cell.fast(found, setting);
            for (std::size_t i = 0; i < found.size(); ++i) CHECK(relative_error(found[i], expected[i]) <= 1e-6);
          });
        }
}

TEST_CASE("recurrent cells have the same bits for any number of threads") {
  const int threads = num_threads();
  for (const Cell& cell : all_cells()) {
    INFO(cell.name);
    const Setting setting{301, 40, nullptr, true};
    set_num_threads(1);
    auto one = buffers(cell, setting);
    cell.fast(one, setting);
    set_num_threads(3);
    auto three = buffers(cell, setting);
    cell.fast(three, setting);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], three[i]));
  }
  set_num_threads(threads);
}

TEST_CASE("recurrent cells show a NaN, and keep it from rows that rest") {
  const bool flags[] = {true, false};
  for (const Cell& cell : all_cells()) {
    INFO(cell.name);
    const bool back = std::strstr(cell.name, "backward") != nullptr;
    on_each_isa([&] {
      const Setting setting{2, 9, flags, true};
      auto v = buffers(cell, setting);
      // Pre-activations of a forward step, gradients of a backward step.
      const std::size_t place = back ? 0 : 3;
      v[place].fill(std::numeric_limits<float>::quiet_NaN());
      cell.fast(v, setting);
      const Tensor& result = back ? v.back() : v[2];  // the last buffer has gate gradients; the third the output
      const std::int64_t last = cell.widths[back ? cell.widths.size() - 1 : 0] * 9 - 1;
      const bool expected = std::strcmp(cell.name, "rnn relu backward") != 0;  // passes where h is positive only
      if (expected) CHECK(std::isnan(result.at({0, last})));
      CHECK(result.at({1, back ? last : 0}) == 0);
    });
  }
}
