#include "weft/autograd/profile.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/local_ops.hpp"
#include "kernels/matmul.hpp"
#include "weft/autograd/recompute.hpp"
#include "weft/base/error.hpp"
#include "weft/base/scope.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// y = x W^T; W's gradient is put off.
Var project(const Var& x, const Var& weight) {
  return record("project", kernels::linear(x.value(), weight.value(), Tensor()), {&x, &weight},
                [x = Saved(x), weight = Saved(weight)](Sink& s) {
                  if (s.wants(0)) s.add(0, kernels::matmul(s.grad().value(), weight.value(), "project"));
                  if (s.wants(1)) s.add_product(1, s.grad().value(), x.value());
                });
}

ProfileRow row(const ProfileTable& table, const std::string& operation, const std::string& module = "") {
  for (const ProfileRow& each : table.rows)
    if (each.operation == operation && each.module == module) return each;
  return {};
}

void check_shares(const ProfileTable& table) {
  double shares = 0;
  ProfileWork forward, backward;
  for (const ProfileRow& each : table.rows) {
    shares += each.share;
    for (auto [sum, part] : {std::pair(&forward, &each.forward), std::pair(&backward, &each.backward)}) {
      sum->calls += part->calls;
      sum->multiply_adds += part->multiply_adds;
    }
  }
  CHECK(shares == doctest::Approx(1).epsilon(1e-9));
  CHECK(table.total.share == 1);
  CHECK(forward.calls == table.total.forward.calls);
  CHECK(backward.calls == table.total.backward.calls);
  CHECK(forward.multiply_adds == table.total.forward.multiply_adds);
  CHECK(backward.multiply_adds == table.total.backward.multiply_adds);
  CHECK(std::is_sorted(table.rows.begin(), table.rows.end(),
                       [](const ProfileRow& a, const ProfileRow& b) { return a.share > b.share; }));
}

}  // namespace

TEST_CASE("a profile counts operations and their rules, and what rules call isn't counted again") {
  Profile profile;
  {
    const Profiling on(profile);
    Tape tape;
    const Var a = tape.leaf(vector({1, 2})), b = tape.leaf(vector({3, 4}));
    tape.backward(total(times(times(plus(a, b), a), b)));  // each rule of times calls times twice
  }
  const ProfileTable table = profile.by_operation();
  CHECK(row(table, "plus").forward.calls == 1);
  CHECK(row(table, "plus").backward.calls == 1);
  CHECK(row(table, "times").forward.calls == 2);
  CHECK(row(table, "times").backward.calls == 2);
  CHECK(row(table, "sum_to").forward.calls == 1);
  CHECK(row(table, "expand").forward.calls == 0);
  CHECK(row(table, "(other)").forward.calls == 0);
  CHECK(table.total.forward.calls == 4);
  CHECK(table.total.backward.calls == 4);
  check_shares(table);
  check_shares(profile.by_module());
  check_shares(profile.by_both());
}

TEST_CASE("a profile collects only while a Profiling of it lives, and without a tape too") {
  Profile profile;
  const Var x = vector({1, 2});
  plus(x, x);
  CHECK(profile.by_operation().rows.empty());
  CHECK(profile.by_operation().total.share == 0);
  {
    const Profiling on(profile);
    plus(x, x);
    const NoGrad off;
    times(x, x);
  }
  plus(x, x);
  const ProfileTable table = profile.by_operation();
  CHECK(table.total.forward.calls == 2);
  CHECK(row(table, "plus").forward.calls == 1);
}

TEST_CASE("a profile goes on where it was, and the innermost collects") {
  Profile outer, inner;
  const Var x = vector({1, 2});
  for (int i = 0; i < 2; ++i) {
    const Profiling on(outer);
    plus(x, x);
    {
      const Profiling within(inner);
      times(x, x);
    }
    plus(x, x);
  }
  CHECK(row(outer.by_operation(), "plus").forward.calls == 4);
  CHECK(row(outer.by_operation(), "times").forward.calls == 0);
  CHECK(inner.by_operation().total.forward.calls == 2);
}

TEST_CASE("rules count for the module that recorded them") {
  Profile profile;
  {
    const Profiling on(profile);
    Tape tape;
    const Var a = tape.leaf(vector({1, 2}));
    Var b, c;
    {
      const ScopeGuard scope(intern("encoder"));
      b = times(a, a);
      const ScopeGuard below(intern("encoder.0"));
      c = times(b, plus(b, a));
    }
    tape.backward(total(c));
  }
  const ProfileTable both = profile.by_both();
  CHECK(row(both, "times", "encoder").backward.calls == 1);
  CHECK(row(both, "times", "encoder.0").backward.calls == 1);
  CHECK(row(both, "plus", "encoder.0").backward.calls == 1);
  CHECK(row(both, "sum_to").backward.calls == 1);
  const ProfileTable modules = profile.by_module();
  CHECK(row(modules, "", "encoder").forward.calls == 1);
  CHECK(row(modules, "", "encoder.0").forward.calls == 2);
  CHECK(row(modules, "", "encoder.0").backward.calls == 2);
  check_shares(modules);
}

TEST_CASE("matrix work is counted forward and backward, products that were put off too") {
  constexpr std::int64_t rows = 5, in = 3, out = 4;
  Profile profile;
  {
    const Profiling on(profile);
    Tape tape;
    const Var x = tape.leaf(Tensor::ones({rows, in})), w = tape.leaf(Tensor::ones({out, in}));
    Var sum;
    {
      const ScopeGuard scope(intern("layer"));
      sum = plus(project(x, w), project(x, w));
    }
    tape.backward(total(sum));
  }
  const ProfileRow projects = row(profile.by_both(), "project", "layer");
  CHECK(projects.forward.multiply_adds == 2 * rows * in * out);
  CHECK(projects.backward.multiply_adds == 2 * 2 * rows * in * out);
  CHECK(projects.backward.calls == 2);
  CHECK(profile.by_operation().total.forward.multiply_adds == 2 * rows * in * out);
  CHECK(profile.by_operation().total.backward.multiply_adds == 2 * 2 * rows * in * out);
}

TEST_CASE("what recompute runs again counts for itself, once each time that it runs") {
  Profile profile;
  {
    const Profiling on(profile);
    Tape tape;
    const Var a = tape.leaf(vector({1, 2}));
    const Var b = recompute([](const std::vector<Var>& in) { return times(exponential(in[0]), in[0]); }, {a});
    tape.backward(total(b));
  }
  const ProfileTable table = profile.by_operation();
  CHECK(row(table, "times").forward.calls == 2);
  CHECK(row(table, "times").backward.calls == 1);
  CHECK(row(table, "exponential").forward.calls == 2);
  CHECK(row(table, "exponential").backward.calls == 1);
  CHECK(row(table, "recompute").forward.calls == 1);
  CHECK(row(table, "recompute").backward.calls == 1);
}

TEST_CASE("a recorded backward pass and the one through it are both counted") {
  Profile profile;
  {
    const Profiling on(profile);
    Tape tape;
    const Var a = tape.leaf(vector({1, 2}));
    tape.backward(total(times(a, a)), {.create_graph = true});
    tape.backward(total(tape.grad_var(a)));
  }
  const ProfileRow products = row(profile.by_operation(), "times");
  CHECK(products.forward.calls == 1);
  CHECK(products.backward.calls == 3);  // of a a; of its two derivatives g a, which the second pass goes through
}

TEST_CASE("a profile survives a rule that throws") {
  Profile profile;
  {
    const Profiling on(profile);
    Tape tape;
    const Var a = tape.leaf(vector({1, 2}));
    const Var b = record("refuses", vector({1}), {&a}, [](Sink&) { throw ValueError("no"); });
    CHECK_THROWS_AS(tape.backward(b), ValueError);
    plus(a, a);
  }
  CHECK(row(profile.by_operation(), "refuses").backward.calls == 1);
  CHECK(row(profile.by_operation(), "plus").forward.calls == 1);
  check_shares(profile.by_operation());
}

TEST_CASE("a profile's tables say what their rows are, and the rate of matrix work alone") {
  CHECK(ProfileWork{.calls = 1, .seconds = 2, .multiply_adds = 3'000'000'000}.gflops() == doctest::Approx(3));
  CHECK(ProfileWork{}.gflops() == 0);
  ProfileTable table{.rows_are = "operation", .rows = {}, .total = {}};
  table.rows.push_back({"linear", "", {4, 0.25, 25'000'000'000}, {4, 0.5, 50'000'000'000}, 0.75});
  table.rows.push_back({"relu", "", {2, 0.25, 0}, {}, 0.25});
  table.total = {"", "", {6, 0.5, 25'000'000'000}, {4, 0.5, 50'000'000'000}, 1};
  CHECK(table.str() ==
        "                                                    forward                      backward\n"
        "operation         ms    share     calls         ms  GFLOP/s     calls         ms  GFLOP/s\n"
        "linear        750.00   75.0 %         4     250.00    200.0         4     500.00    200.0\n"
        "relu          250.00   25.0 %         2     250.00        -         0       0.00        -\n"
        "total        1000.00  100.0 %         6     500.00    100.0         4     500.00    200.0\n");
  Profile profile;
  {
    const Profiling on(profile);
    const ScopeGuard scope(intern("encoder"));
    plus(vector({1}), vector({1}));
  }
  CHECK(profile.str().find("\nplus") != std::string::npos);
  CHECK(profile.str().find("\nencoder") != std::string::npos);
  CHECK(profile.by_both().str().find("\nencoder: plus") != std::string::npos);
  CHECK(profile.by_operation().rows_are == "operation");
  CHECK(profile.by_module().rows_are == "module");
  CHECK(profile.by_both().rows_are == "module: operation");
}
