#include "kernels/lstm.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/isa_support.hpp"
#include "kernels/lstm_cell.hpp"
#include "support/random.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t sizes[] = {1, 2, 7, 8, 9, 17, 33};

void check_close(const Tensor& got, const Tensor& wanted, double tolerance) {
  const double difference = largest_difference(got, wanted), scale = std::max(1.0, largest(wanted));
  CHECK_MESSAGE(difference <= tolerance * scale, got.describe(), " differs by ", difference, " of ", scale);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * sizeof(float)) == 0;
}

bool all_nan(const Tensor& x) {
  const Tensor flat = x.to(f64).contiguous();
  for (std::int64_t i = 0; i < flat.numel(); ++i)
    if (!std::isnan(flat.data<double>()[i])) return false;
  return true;
}

// One application of the cell, forward and backward, with its operands in tensors.
struct Cell {
  Tensor gates, h_before, c_before, dh, dc, d_output, active;
  Tensor h, c, output, d_gates;

  Cell(std::int64_t rows, std::int64_t hidden, const Tensor& which)
      : gates(uniform({rows, 4 * hidden}, -4, 4, 1, f32)),
        h_before(uniform({rows, hidden}, -1, 1, 2, f32)),
        c_before(uniform({rows, hidden}, -2, 2, 3, f32)),
        dh(uniform({rows, hidden}, -1, 1, 4, f32)),
        dc(uniform({rows, hidden}, -1, 1, 5, f32)),
        d_output(uniform({rows, 3 * hidden}, -1, 1, 6, f32)),
        active(which),
        h(Tensor::full({rows, hidden}, 9)),
        c(h.clone()),
        output(Tensor::full({rows, 3 * hidden}, 9)),
        d_gates(Tensor::full({rows, 4 * hidden}, 9)) {}

  const bool* active_rows() const { return active.defined() ? active.data<bool>() : nullptr; }

  // Rows of output and of its gradient have a pitch of three times their width.
  template <class Function>
  void forward(const Function& cell) {
    const std::int64_t rows = c.size(0), n = c.size(1);
    cell(kernels::LstmCellForward<float>{{rows, n, h_before.data<float>(), kernels::block_of(h.mutable_data<float>(), rows),
                                          output.mutable_data<float>() + n, 3 * n, nullptr, active_rows()},
                                         gates.mutable_data<float>(),
                                         4 * n,
                                         c_before.data<float>(),
                                         kernels::block_of(c.mutable_data<float>(), rows)});
  }
  template <class Function>
  void backward(const Function& cell, bool clear) {
    const std::int64_t rows = c.size(0), n = c.size(1);
    cell(kernels::LstmCellBackward<float>{
        {rows, n, dh.mutable_data<float>(), d_output.data<float>() + n, 3 * n, nullptr, active_rows(), clear},
        gates.data<float>(),
        c_before.data<float>(),
        kernels::block_of(std::as_const(c).data<float>(), rows),
        dc.mutable_data<float>(),
        d_gates.mutable_data<float>()});
  }
};

const auto fast_forward = [](const kernels::LstmCellForward<float>& cell) { kernels::lstm_cell(cell); };
const auto fast_backward = [](const kernels::LstmCellBackward<float>& cell) { kernels::lstm_cell_backward(cell); };
const auto plain_forward = [](const kernels::LstmCellForward<float>& cell) { kernels::reference::lstm_cell(cell); };
const auto plain_backward = [](const kernels::LstmCellBackward<float>& cell) { kernels::reference::lstm_cell_backward(cell); };

// x, w_ih, w_hh, bias, h0, c0 of a sequence.
struct Sequence {
  Tensor x, w_ih, w_hh, bias, h0, c0;

  Sequence(std::int64_t rows, std::int64_t steps, std::int64_t in, std::int64_t hidden, DType type)
      : x(uniform({rows, steps, in}, -1, 1, 1, type)),
        w_ih(uniform({4 * hidden, in}, -0.5, 0.5, 2, type)),
        w_hh(uniform({4 * hidden, hidden}, -0.5, 0.5, 3, type)),
        bias(uniform({4 * hidden}, -0.5, 0.5, 4, type)),
        h0(uniform({rows, hidden}, -1, 1, 5, type)),
        c0(uniform({rows, hidden}, -1, 1, 6, type)) {}

  kernels::LstmRun run(const Tensor& lengths = {}, bool reverse = false) const {
    return kernels::lstm(x, w_ih, w_hh, bias, h0, c0, lengths, reverse);
  }
};

void compare_sequence(const Sequence& s, const Tensor& lengths, bool reverse, double tolerance) {
  const std::int64_t rows = s.x.size(0), steps = s.x.size(1), n = s.w_hh.size(1);
  const DType type = s.x.dtype();
  const auto expected = kernels::reference::lstm(s.x, s.w_ih, s.w_hh, s.bias, s.h0, s.c0, lengths, reverse);
  const Tensor d_output = uniform({rows, steps, n}, -1, 1, 7, type), d_h = uniform({rows, n}, -1, 1, 8, type),
               d_c = uniform({rows, n}, -1, 1, 9, type);
  on_each_isa([&] {
    const auto run = s.run(lengths, reverse);
    check_close(run.output, expected.output, tolerance);
    check_close(run.h, expected.h, tolerance);
    check_close(run.c, expected.c, tolerance);
    const kernels::Packing& packing = run.trace.packing;
    check_close(packing.unpack(run.trace.gates), expected.trace.gates.transpose(0, 1), tolerance);
    for (const unsigned given : {7u, 1u, 2u, 4u}) {
      CAPTURE(given);
      const Tensor a = (given & 1) != 0 ? d_output : Tensor(), b = (given & 2) != 0 ? d_h : Tensor(),
                   c = (given & 4) != 0 ? d_c : Tensor();
      const auto got = kernels::lstm_backward(run.trace, s.w_hh, a, b, c);
      const auto wanted = kernels::reference::lstm_backward(expected.trace, s.w_hh, a, b, c);
      check_close(packing.unpack(got.gates), wanted.gates.transpose(0, 1), tolerance);
      check_close(got.h0, wanted.h0, tolerance);
      check_close(got.c0, wanted.c0, tolerance);
    }
  });
}

}  // namespace

TEST_CASE("the LSTM cell is the reference's for all sizes on every instruction set, rows that have ended included") {
  for (const std::int64_t rows : {1, 3, 40})
    for (const std::int64_t n : sizes)
      for (const Tensor& active : {Tensor(), coins({rows}, 0.5, 1), Tensor::zeros({rows}, boolean)}) {
        INFO(rows, " rows of ", n, active.defined() ? ", some active" : "");
        for (const bool clear : {false, true}) {
          Cell expected(rows, n, active);
          expected.forward(plain_forward);
          const Cell between = expected;
          Cell start(rows, n, active), back = between;
          for (Tensor* t : {&back.dh, &back.dc, &back.d_gates}) *t = t->clone();
          back.backward(plain_backward, clear);
          on_each_isa([&] {
            Cell cell(rows, n, active);
            cell.forward(fast_forward);
            check_close(cell.gates, between.gates, 1e-6);
            check_close(cell.c, between.c, 1e-6);
            check_close(cell.h, between.h, 1e-6);
            check_close(cell.output, between.output, 1e-6);
            Cell second(rows, n, active);
            second.gates = between.gates;
            second.c = between.c;
            second.backward(fast_backward, clear);
            check_close(second.d_gates, back.d_gates, 1e-6);
            check_close(second.dh, back.dh, 1e-6);
            check_close(second.dc, back.dc, 1e-6);
          });
        }
      }
}

TEST_CASE("saturated gates are exactly 0 or 1, and their gradients exactly 0") {
  for (const std::int64_t n : sizes)
    for (const double size : {1e4, inf})
      for (const unsigned signs : {0u, 5u, 10u, 15u, 3u, 6u}) {
        INFO(n, " units, gates of ", size, ", signs ", signs);
        const auto check = [&](const auto& forward, const auto& backward) {
          Cell cell(2, n, {});
          for (std::int64_t gate = 0; gate < 4; ++gate)
            cell.gates.slice(1, gate * n, (gate + 1) * n).fill((signs >> gate & 1) != 0 ? size : -size);
          cell.forward(forward);
          for (std::int64_t gate = 0; gate < 4; ++gate) {
            const double low = gate == 2 ? -1 : 0;
            for (std::int64_t j = 0; j < n; ++j)
              REQUIRE(cell.gates.at({1, gate * n + j}) == ((signs >> gate & 1) != 0 ? 1 : low));
          }
          CHECK(std::isfinite(largest(cell.c)));
          CHECK(std::isfinite(largest(cell.h)));
          cell.backward(backward, false);
          CHECK(largest(cell.d_gates) == 0);
          CHECK(std::isfinite(largest(cell.dc)));
        };
        check(plain_forward, plain_backward);
        on_each_isa([&] { check(fast_forward, fast_backward); });
      }
}

TEST_CASE("a NaN in a gate or state reaches its unit's result and no other") {
  for (const std::int64_t n : {1, 9, 33})
    on_each_isa([&] {
      for (std::int64_t gate = 0; gate < 5; ++gate)
        for (const std::int64_t unit : {std::int64_t{0}, n / 2, n - 1}) {
          Cell cell(2, n, {});
          if (gate < 4)
            cell.gates.mutable_data<float>()[gate * n + unit] = static_cast<float>(quiet_nan);
          else
            cell.c_before.mutable_data<float>()[unit] = static_cast<float>(quiet_nan);
          cell.forward(fast_forward);
          for (std::int64_t j = 0; j < n; ++j) {
            CHECK(std::isnan(cell.h.at({0, j})) == (j == unit));
            CHECK(std::isnan(cell.c.at({0, j})) == (j == unit && gate != 3));
            CHECK(std::isfinite(cell.h.at({1, j})));
          }
        }
    });
}

TEST_CASE("a sequence and its gradients are the reference's, both ways, with and without lengths") {
  const Tensor lengths = Tensor::from<std::int64_t>({5, 0, 3, 1}, {4});
  for (const std::int64_t in : {1, 8, 19})
    for (const std::int64_t hidden : {1, 7, 16, 33})
      for (const bool reverse : {false, true}) {
        INFO(in, " inputs, ", hidden, " units, reverse ", reverse);
        compare_sequence(Sequence(4, 5, in, hidden, f32), {}, reverse, 5e-6);
        compare_sequence(Sequence(4, 5, in, hidden, f32), lengths, reverse, 5e-6);
        compare_sequence(Sequence(4, 5, in, hidden, f64), lengths, reverse, 1e-12);
      }
  compare_sequence(Sequence(70, 12, 20, 40, f32), integers({70}, 13, 1), false, 1e-5);
}

TEST_CASE("sequences of nothing, and of views") {
  compare_sequence(Sequence(0, 3, 2, 4, f32), {}, false, 0);
  compare_sequence(Sequence(3, 0, 2, 4, f32), {}, true, 0);
  Sequence s(4, 5, 8, 9, f32);
  const auto expected = s.run();
  s.x = s.x.transpose(0, 1).contiguous().transpose(0, 1);
  s.w_ih = s.w_ih.transpose(0, 1).contiguous().transpose(0, 1);
  s.w_hh = s.w_hh.flip(1).contiguous().flip(1);
  check_close(s.run().output, expected.output, 1e-6);
}

TEST_CASE("a NaN in an input, state, weight or bias reaches the result of its rows in the first step that sees it") {
  for (const DType type : {f32, f64})
    for (const std::int64_t hidden : {3, 16}) {
      const auto spoilt = [&](auto choose) {
        Sequence s(3, 4, 5, hidden, type);
        choose(s) = choose(s).clone();
        return s;
      };
      const auto put = [&](Tensor& x, std::int64_t place) {
        type == f32 ? static_cast<void>(x.mutable_data<float>()[place] = static_cast<float>(quiet_nan))
                    : static_cast<void>(x.mutable_data<double>()[place] = quiet_nan);
      };
      on_each_isa([&] {
        // Row 1, step 2.
        Sequence s = spoilt([](Sequence& q) -> Tensor& { return q.x; });
        put(s.x, (1 * 4 + 2) * 5 + 3);
        Tensor output = s.run().output;
        CHECK(std::isfinite(largest(output.select(0, 0))));
        CHECK(std::isfinite(largest(output.select(0, 1).slice(0, 0, 2))));
        CHECK(all_nan(output.select(0, 1).slice(0, 2, 4)));
        CHECK(std::isfinite(largest(output.select(0, 2))));
        // Row 1's first states.
        s = spoilt([](Sequence& q) -> Tensor& { return q.h0; });
        put(s.h0, hidden + 1);
        CHECK(all_nan(s.run().output.select(0, 1)));
        s = spoilt([](Sequence& q) -> Tensor& { return q.c0; });
        put(s.c0, hidden + 1);
        output = s.run().output;
        CHECK(std::isnan(output.at({1, 0, 1})));
        CHECK(all_nan(output.select(0, 1).slice(0, 1, 4)));
        CHECK(std::isfinite(largest(output.select(0, 0))));
        // One unit's gate: its own at once, all of them one step later.
        for (const int which : {0, 1, 2}) {
          s = Sequence(3, 4, 5, hidden, type);
          put(which == 0 ? s.w_ih : which == 1 ? s.w_hh : s.bias, (hidden + 2) * (which == 0 ? 5 : which == 1 ? hidden : 1));
          output = s.run().output;
          for (std::int64_t row = 0; row < 3; ++row) {
            CHECK(std::isnan(output.at({row, 0, 2})));
            CHECK(all_nan(output.select(0, row).slice(0, 1, 4)));
          }
        }
      });
    }
}

TEST_CASE("what stands behind a row's length reaches neither results nor gradients") {
  const Tensor lengths = Tensor::from<std::int64_t>({2, 4, 0}, {3});
  for (const bool reverse : {false, true}) {
    Sequence s(3, 4, 5, 9, f32);
    const auto clean = s.run(lengths, reverse);
    s.x = s.x.clone();
    s.x.select(0, 0).slice(0, 2, 4).fill(quiet_nan);
    s.x.select(0, 2).fill(inf);
    const auto run = s.run(lengths, reverse);
    CHECK(same_bits(run.output, clean.output));
    CHECK(largest(run.output.select(0, 0).slice(0, 2, 4)) == 0);
    CHECK(largest(run.output.select(0, 2)) == 0);
    CHECK(same_bits(run.h.select(0, 2).contiguous(), s.h0.select(0, 2).contiguous()));
    CHECK(same_bits(run.c.select(0, 2).contiguous(), s.c0.select(0, 2).contiguous()));
    CHECK(std::isfinite(largest(run.trace.input)));
    Tensor g = uniform({3, 4, 9}, -1, 1, 1, f32);
    const auto gradients = kernels::lstm_backward(run.trace, s.w_hh, g, {}, {});
    g.select(0, 0).slice(0, 2, 4).fill(quiet_nan);
    g.select(0, 2).fill(quiet_nan);
    const auto again = kernels::lstm_backward(run.trace, s.w_hh, g, {}, {});
    CHECK(same_bits(gradients.gates, again.gates));
    CHECK(std::isfinite(largest(again.gates)));
  }
}

TEST_CASE("a sequence has the same bits for any number of threads in deterministic mode") {
  const Sequence s(70, 6, 33, 40, f32);
  const Tensor g = uniform({70, 6, 40}, -1, 1, 1, f32);
  const int threads = num_threads();
  deterministic(true);
  std::vector<std::vector<Tensor>> results;
  for (const int n : {1, 2, 3}) {
    set_num_threads(n);
    const auto run = s.run();
    const auto back = kernels::lstm_backward(run.trace, s.w_hh, g, {}, {});
    results.push_back({run.output, run.c, back.gates, back.h0});
  }
  deterministic(false);
  set_num_threads(threads);
  for (const auto& result : results)
    for (std::size_t i = 0; i < result.size(); ++i) CHECK(same_bits(result[i], results[0][i]));
}
