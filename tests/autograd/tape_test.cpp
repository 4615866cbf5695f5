#include "weft/autograd/tape.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "autograd/local_ops.hpp"
#include "weft/base/error.hpp"
#include "weft/base/scope.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// What `body` throws, as text; "" where it throws nothing or something else.
template <class E = TapeError, class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a leaf gets its gradient, a constant none") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2, 3}));
  const Var c = vector({4, 5, 6});
  const Var y = total(times(x, c));
  CHECK(y.item() == 32);
  CHECK(y.requires_grad());
  CHECK_FALSE(c.requires_grad());
  CHECK(tape.size() == 2);
  tape.backward(y);
  CHECK(tape.grad(x).at({1}) == 5);
  CHECK(tape.grad(x).shape() == Shape{3});
}

TEST_CASE("a leaf that the output doesn't depend on has a gradient of zeros") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2})), unused = tape.leaf(Tensor::ones({2, 0, 3}, f64));
  tape.backward(total(x));
  CHECK(tape.grad(unused).shape() == Shape{2, 0, 3});
  const Var far = tape.leaf(vector({1, 2}));
  CHECK(tape.grad(far).at({1}) == 0);
}

TEST_CASE("backward names what is undefined") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2}));
  const std::string undefined = " is undefined: it was made by default, or moved from";
  CHECK(message_of<TapeError>([&] { tape.backward(Var()); }) == "[backward] the output" + undefined);
  CHECK(message_of<TapeError>([&] { tape.backward(Var(), x); }) == "[backward] the output" + undefined);
  CHECK(message_of<TapeError>([&] { tape.backward(x, Var()); }) == "[backward] the gradient" + undefined);
}

TEST_CASE("an operation whose input is a null pointer is refused by its name") {
  Tape tape;
  const Var x = tape.leaf(Tensor::ones({2}));
  CHECK_THROWS_WITH_AS(record("mine", Tensor::ones({2}), {&x, nullptr}, [](Sink& s) { s.add(0, s.grad()); }),
                       doctest::Contains("[mine] an input is a null pointer"), ValueError);
  const NoGrad nothing_recorded;
  CHECK_THROWS_AS(record("mine", Tensor::ones({2}), {&x, nullptr}, [](Sink& s) { s.add(0, s.grad()); }), ValueError);
}

TEST_CASE("k uses of a variable give k times the gradient") {
  for (const int k : {1, 2, 3, 7}) {
    Tape tape;
    const Var x = tape.leaf(vector({0.5, -2}));
    const Var factor = vector({3, 4});
    Var sum = times(x, factor);
    for (int i = 1; i < k; ++i) sum = plus(sum, times(x, factor));
    tape.backward(total(sum));
    CHECK(tape.grad(x).at({0}) == 3 * k);
    CHECK(tape.grad(x).at({1}) == 4 * k);
  }
}

TEST_CASE("an operand that stands twice counts twice") {
  Tape tape;
  const Var x = tape.leaf(vector({3, -5}));
  tape.backward(total(plus(times(x, x), plus(x, x))));
  CHECK(tape.grad(x).at({0}) == 8);
  CHECK(tape.grad(x).at({1}) == -8);
}

TEST_CASE("gradients of broadcast operands are summed to their shape") {
  Tape tape;
  const Var a = tape.leaf(Tensor::full({3, 1}, 2, f64)), b = tape.leaf(Tensor::full({4}, 5, f64));
  tape.backward(total(times(a, b)));
  CHECK(tape.grad(a).shape() == Shape{3, 1});
  CHECK(tape.grad(a).at({2, 0}) == 20);
  CHECK(tape.grad(b).shape() == Shape{4});
  CHECK(tape.grad(b).at({3}) == 6);
}

TEST_CASE("the first contribution is moved in only where the engine owns it alone") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2})), y = tape.leaf(vector({3, 4}));
  const Tensor gradient = vector({10, 20});
  // Both x and y are handed the same tensor, then x gets more: neither y's gradient nor the caller's tensor may change.
  const Var sum = plus(x, y);
  const Var more = plus(sum, x);
  tape.backward(more, gradient);
  CHECK(tape.grad(x).at({0}) == 20);
  CHECK(tape.grad(y).at({0}) == 10);
  CHECK(gradient.at({0}) == 10);
}

TEST_CASE("an outer product of a gradient starts from any shape") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2}));
  const Var y = times(x, x);
  CHECK_THROWS_AS(tape.backward(y), ShapeError);
  CHECK_THROWS_AS(tape.backward(y, vector({1, 2, 3})), ShapeError);
  tape.backward(y, vector({1, -1}));
  CHECK(tape.grad(x).at({1}) == -4);
}

TEST_CASE("a second backward is an error that names the operation") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = times(x, x);
  tape.backward(y);
  CHECK(mentions(message_of([&] { tape.backward(y); }), "'times'"));
  // The error left the gradients out: a new computation on the same tape is right.
  tape.backward(plus(x, x));
  CHECK(tape.grad(x).item() == 2);
}

TEST_CASE("retain allows another backward, and each starts anew") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = times(x, x);
  tape.backward(y, {.retain = true});
  tape.backward(y);
  CHECK(tape.grad(x).item() == 4);
  CHECK_THROWS_AS(tape.backward(y), TapeError);
}

TEST_CASE("captures are released when their rule has run") {
  const auto current = [] { return memory_statistics().total.current; };
  Tape tape;
  const Var x = tape.leaf(Tensor::ones({1000}, f64));
  const std::int64_t before = current();
  Var y = total(exponential(exponential(x)));
  CHECK(current() - before >= 16000);
  tape.backward(y);
  CHECK(current() - before <= 8008 + 8);  // the leaf's gradient and y
}

TEST_CASE("a Var that outlives its tape keeps its value and can't be recorded with") {
  Var kept;
  {
    Tape tape;
    kept = times(tape.leaf(vector({2})), vector({3}));
  }
  CHECK(kept.item() == 6);
  CHECK(plus(kept, kept).item() == 12);  // nothing records
  Tape tape;
  const Var x = tape.leaf(vector({1}));
  const std::string message = message_of([&] { plus(x, kept); });
  CHECK(mentions(message, "[plus]"));
  CHECK(mentions(message, "detach()"));
  CHECK(plus(x, kept.detach()).item() == 7);
  CHECK_THROWS_AS(tape.backward(kept), TapeError);
  CHECK_THROWS_AS(tape.grad(kept), TapeError);
}

TEST_CASE("a Var of an outer tape must be handed to an inner one") {
  Tape outer;
  const Var x = outer.leaf(vector({2}));
  const Var y = times(x, x);
  {
    Tape inner;
    CHECK(mentions(message_of([&] { times(y, y); }), "outer tape"));
    const Var z = inner.leaf(y);
    inner.backward(times(z, z));
    CHECK(inner.grad(z).item() == 8);
  }
  outer.backward(times(y, y));  // the outer one records again
  CHECK(outer.grad(x).item() == 32);
}

TEST_CASE("an inner tape's Var is unknown to the outer one") {
  Tape outer;
  Var stray;
  {
    Tape inner;
    stray = inner.leaf(vector({1}));
    CHECK_THROWS_AS(outer.backward(stray), TapeError);
  }
  CHECK(mentions(message_of([&] { plus(stray, stray); }), "gone"));
}

TEST_CASE("a tape is refused by another thread and goes on in its own") {
  Tape tape;
  const Var x = tape.leaf(test::vector({1, 2})), y = test::total(test::times(x, x));
  std::string leaf, pass;
  std::thread other([&] {
    const auto message = [](const auto& act) -> std::string {
      try {
        act();
      } catch (const TapeError& error) {
        return error.what();
      }
      return "no error";
    };
    leaf = message([&] { tape.leaf(test::vector({1})); });
    pass = message([&] { tape.backward(y); });
  });
  other.join();
  CHECK(leaf.starts_with("[Tape::leaf] this tape was made by another thread"));
  CHECK(pass.starts_with("[backward] this tape was made by another thread"));
  tape.backward(y);
  CHECK(tape.grad(x).at({1}) == 4);
}

TEST_CASE("a tape that another thread ends is no longer its own thread's") {
  Tape outer;
  const Var x = outer.leaf(test::vector({3}));
  auto inner = std::make_unique<Tape>();
  const Var y = inner->leaf(test::vector({1}));
  auto innermost = std::make_unique<Tape>();
  std::thread([&] { inner.reset(); }).join();
  CHECK(Tape::recording() == innermost.get());
  CHECK(mentions(message_of([&] { plus(y, y); }), "gone"));
  std::thread([&] { innermost.reset(); }).join();
  CHECK(Tape::recording() == &outer);
  outer.backward(test::total(test::times(x, x)));
  CHECK(outer.grad(x).at({0}) == 6);
}

TEST_CASE("a tape outlives the thread that made it") {
  std::unique_ptr<Tape> tape;
  Var y;
  std::thread([&] {
    tape = std::make_unique<Tape>();
    y = test::times(tape->leaf(test::vector({1, 2})), tape->leaf(test::vector({3, 4})));
  }).join();
  CHECK(Tape::recording() == nullptr);
  CHECK(tape->size() == 1);
  CHECK_THROWS_AS(tape->backward(test::total(y)), TapeError);
  tape.reset();
  CHECK(y.value().at({1}) == 8);
}

TEST_CASE("nothing records under NoGrad or without a tape") {
  CHECK(Tape::recording() == nullptr);
  Tape tape;
  CHECK(Tape::recording() == &tape);
  const Var x = tape.leaf(vector({2}));
  {
    const NoGrad guard;
    const NoGrad nested;
    CHECK(Tape::recording() == nullptr);
    CHECK_FALSE(times(x, x).requires_grad());
  }
  CHECK(tape.size() == 0);
  CHECK(times(x, x).requires_grad());
  CHECK(mentions(message_of([&] { tape.backward(vector({1})); }), "doesn't depend"));
}

TEST_CASE("integers can't be leaves") {
  Tape tape;
  CHECK_THROWS_AS(tape.leaf(Tensor::zeros({2}, i64)), DTypeError);
  CHECK_THROWS_AS(tape.leaf(Tensor::zeros({2}, boolean)), DTypeError);
}

TEST_CASE("only leaves keep their gradients") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = times(x, x);
  tape.backward(y);
  CHECK_THROWS_AS(tape.grad(y), TapeError);
}

TEST_CASE("a value changed in place after it was saved is refused") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const Var y = times(x, x);
  Tensor same = x.value();
  same.fill(7);
  CHECK(mentions(message_of([&] { tape.backward(total(y)); }), "changed"));

  Tape other;
  const Var z = other.leaf(vector({2, 3}));
  const Var w = plus(z, z);  // saves nothing
  Tensor also = z.value();
  also.slice(0, 0, 1).fill(7);
  other.backward(total(w));
  CHECK(other.grad(z).at({0}) == 2);
}

TEST_CASE("errors in backward say where in the model the operation stood") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  Var y;
  {
    const ScopeGuard scope(intern("encoder.layers.1"));
    y = times(x, x);
  }
  Tensor same = x.value();
  same.fill(1);
  CHECK(mentions(message_of([&] { tape.backward(y); }), "encoder.layers.1"));
}

TEST_CASE("size 0 passes through") {
  Tape tape;
  const Var x = tape.leaf(Tensor::zeros({0, 3}, f64)), b = tape.leaf(Tensor::ones({3}, f64));
  const Var y = times(x, b);
  CHECK(y.shape() == Shape{0, 3});
  tape.backward(total(y));
  CHECK(tape.grad(x).shape() == Shape{0, 3});
  CHECK(tape.grad(b).shape() == Shape{3});
  CHECK(tape.grad(b).at({2}) == 0);
}

TEST_CASE("f32 is recorded as f32, and gradients of another type are refused") {
  Tape tape;
  const Var x = tape.leaf(Tensor::ones({2}));
  const Var y = exponential(x);
  CHECK_THROWS_AS(tape.backward(y, vector({1, 1})), DTypeError);
  const Var z = exponential(x);
  tape.backward(z, Tensor::ones({2}));
  CHECK(tape.grad(x).dtype() == f32);
}

TEST_CASE("a rule that counts its operation's inputs or outputs wrongly is told so") {
  const auto run = [](auto rule) {
    Tape tape;
    const Var x = tape.leaf(test::vector({1, 2}));
    tape.backward(test::total(record("mine", x.value().clone(), {&x}, rule)));
  };
  CHECK_THROWS_WITH_AS(run([](Sink& s) { s.add(1, s.grad()); }),
                       doctest::Contains("the rule of 'mine' speaks of input 1; the operation has 1, counted from 0"),
                       IndexError);
  CHECK_THROWS_WITH_AS(run([](Sink& s) { s.add(-1, s.grad()); }), doctest::Contains("input -1"), IndexError);
  CHECK_THROWS_WITH_AS(run([](Sink& s) { s.add(0, s.grad(1)); }),
                       doctest::Contains("the rule of 'mine' speaks of output 1; the operation has 1"), IndexError);
  CHECK_THROWS_AS(run([](Sink& s) { s.has_grad(2); }), IndexError);
  CHECK_THROWS_AS(run([](Sink& s) { s.wants(7); }), IndexError);
}

TEST_CASE("a rule whose gradient doesn't fit its input is told which") {
  const auto run = [](Var gradient) {
    Tape tape;
    const Var x = tape.leaf(test::vector({1, 2}));
    tape.backward(test::total(record("mine", x.value().clone(), {&x}, [&](Sink& s) { s.add(0, gradient); })));
    return tape.grad(x);
  };
  CHECK_THROWS_WITH_AS(run({}), doctest::Contains("the rule of 'mine' gives input 0 an undefined gradient"), ValueError);
  CHECK_THROWS_WITH_AS(run(Tensor::ones({2}, f32)),
                       doctest::Contains("the rule of 'mine' gives input 0 a gradient f32[2]; the input is of f64"),
                       DTypeError);
  for (const Shape& shape : {Shape{3}, Shape{1}, Shape{}, Shape{2, 3}})
    CHECK_THROWS_WITH_AS(run(Tensor::ones(shape, f64)),
                         doctest::Contains(" that doesn't fit its shape [2]: give one of that shape"), ShapeError);
  CHECK(run(Tensor::ones({3, 2}, f64)).at({1}) == 3);
}

TEST_CASE("a rule whose part, rows or product don't fit their input is told which, in both kinds of pass") {
  for (const bool create_graph : {false, true}) {
    const auto run = [&](auto rule) {
      Tape tape;
      const Var x = tape.leaf(Tensor::zeros({2, 3}, f64));
      tape.backward(test::total(record("mine", x.value().clone(), {&x}, rule)), {.create_graph = create_graph});
    };
    const Tensor row = Tensor::ones({1, 3}, f64), index = Tensor::zeros({1}, i64);
    run([&](Sink& s) { s.add_slice(0, 0, 1, row); });
    for (const auto& [axis, start, shape] : {std::tuple(1, 0, Shape{1, 3}),
                                             {0, 2, Shape{1, 3}},
                                             {2, 0, Shape{2, 3}},
                                             {0, -1, Shape{1, 3}},
                                             {0, 0, Shape{3}},
                                             {0, 0, Shape{1, 2}}}) {
      const Tensor part = Tensor::ones(shape, f64);
      CHECK_THROWS_WITH_AS(run([axis = axis, start = start, &part](Sink& s) { s.add_slice(0, axis, start, part); }),
                           doctest::Contains("the rule of 'mine' gives input 0, from "), ShapeError);
    }
    CHECK_THROWS_WITH_AS(run([](Sink& s) { s.add_slice(0, 0, 0, Var()); }), doctest::Contains("an undefined gradient"),
                         ValueError);
    CHECK_THROWS_WITH_AS(run([](Sink& s) {
                           s.add_slice(0, 0, 0, Tensor::ones({1, 3}, f32));
                         }),
                         doctest::Contains("the rule of 'mine' gives input 0 a gradient f32[1, 3]; the input is of f64"),
                         DTypeError);
    run([&](Sink& s) { s.add_rows(0, index, row); });
    for (const Shape& shape : {Shape{1, 2}, Shape{2, 3}, Shape{3}, Shape{1, 1, 3}})
      CHECK_THROWS_WITH_AS(run([&](Sink& s) { s.add_rows(0, index, Tensor::ones(shape, f64)); }),
                           doctest::Contains("the rule of 'mine' gives rows i64[1] of input 0 a gradient"), ShapeError);
    CHECK_THROWS_AS(run([&](Sink& s) { s.add_rows(0, index, Var()); }), ValueError);
    CHECK_THROWS_AS(run([&](Sink& s) { s.add_rows(0, index, Tensor::ones({1, 3})); }), DTypeError);
  }
  const auto product = [](const Tensor& grad, const Tensor& x) {
    Tape tape;
    const Var w = tape.leaf(Tensor::zeros({2, 3}, f64));
    tape.backward(test::total(record("mine", w.value().clone(), {&w}, [&](Sink& s) { s.add_product(0, grad, x); })));
  };
  const auto ones = [](const Shape& shape) { return Tensor::ones(shape, f64); };
  product(ones({4, 2}), ones({4, 3}));
  for (const auto& [grad, x] :
       {std::pair(Shape{1, 2}, Shape{1, 4}), {{1, 3}, {1, 3}}, {{4, 2}, {5, 3}}, {{1, 1, 2}, {1, 1, 3}}, {{2}, {3}}})
    CHECK_THROWS_WITH_AS(product(ones(grad), ones(x)), doctest::Contains("the rule of 'mine' gives input 0 the product of"),
                         ShapeError);
  CHECK_THROWS_AS(product({}, ones({4, 3})), ValueError);
  CHECK_THROWS_AS(product(ones({4, 2}), Tensor::ones({4, 3})), DTypeError);
}
