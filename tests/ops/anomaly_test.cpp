#include "weft/autograd/anomaly.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string>

#include "ops/cases.hpp"
#include "weft/autograd/record.hpp"
#include "weft/base/error.hpp"
#include "weft/base/scope.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using namespace weft::test;

namespace {

Tensor with_nan(const Tensor& x) {
  Tensor result = x.clone();
  result.mutable_data<double>()[result.numel() - 1] = std::numeric_limits<double>::quiet_NaN();
  return result;
}

Var planted(const Var& x) {
  const ScopeGuard scope(intern("model.garden"));
  return record("planted", with_nan(x.value()), {&x}, [](Sink& s) { s.add(0, s.grad()); });
}

Var planted_behind(const Var& x) {
  const ScopeGuard scope(intern("model.garden"));
  return record("planted_behind", x.value().clone(), {&x}, [](Sink& s) { s.add(0, with_nan(s.grad().value())); });
}

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const NumericError& error) {
    return error.what();
  }
  return "";
}

// One evaluation of a row's function, of what comes before it and behind it, and of its gradients.
class Evaluation {
 public:
  explicit Evaluation(const Case& row) : row_(row) {}

  template <class Before, class Behind>
  std::string operator()(const Before& before, const Behind& behind) {
    Generator generator(1);
    Tape tape(generator);
    const std::string message = message_of([&] {
      const DetectAnomaly guard;
      std::vector<Var> inputs;
      for (const Tensor& input : row_.inputs) inputs.push_back(tape.leaf(input));
      inputs[0] = before(inputs[0]);
      const Var y = behind(row_.function(inputs));
      if (y.requires_grad()) tape.backward(y, Tensor::ones(y.shape(), y.dtype()), {.retain = true});
    });
    graph = tape.to_dot();
    return message;
  }
  std::string graph;

 private:
  const Case& row_;
};

bool usable(const Case& row) {
  if (row.inputs.empty() || row.inputs[0].numel() == 0) return false;
  Generator generator(1);
  Tape tape(generator);
  std::vector<Var> inputs;
  for (const Tensor& input : row.inputs) inputs.push_back(tape.leaf(input));
  const Var y = row.function(inputs);
  return y.numel() > 0 && y.requires_grad() && y.dtype() == f64;
}

}  // namespace

TEST_CASE("a NaN planted before or behind any operation, forward or backward, is found where it was planted") {
  const auto nothing = [](const Var& x) { return x; };
  const std::string place = "(in model.garden)";
  std::set<std::string> seen;
  for (const Case& row : cases()) {
    if (seen.count(row.op) != 0 || !usable(row)) continue;
    INFO(row.op, ": ", row.variant);
    Evaluation evaluate(row);
    if (evaluate(nothing, nothing) != "") continue;  // its own value is infinite; another row will do
    seen.insert(row.op);
    for (const std::string& message : {evaluate(planted, nothing), evaluate(nothing, planted)}) {
      CHECK_MESSAGE(message.find("[planted] forward made 1 of ") == 0, message);
      CHECK_MESSAGE(message.find(place) != std::string::npos, message);
    }
    for (const std::string& message : {evaluate(planted_behind, nothing), evaluate(nothing, planted_behind)}) {
      // Rows whose first input gets no gradient have nothing that could be planted behind it.
      if (message.empty()) continue;
      CHECK_MESSAGE(message.find("[planted_behind] backward made 1 of ") == 0, message);
      CHECK_MESSAGE(message.find(place) != std::string::npos, message);
    }
    // In the data: the operation says that it was given, and the one that says so stands in the graph.
    Case poisoned = row;
    poisoned.inputs[0] = with_nan(row.inputs[0]);
    Evaluation with_data(poisoned);
    const std::string message = with_data(nothing, nothing);
    if (message.empty()) continue;  // what it doesn't select
    CHECK_MESSAGE(message.find(" was given ") != std::string::npos, message);
  }
  CHECK(seen.size() >= 50);
}

TEST_CASE("operations that make infinities themselves are named, forward and backward") {
  struct Maker {
    const char* name;
    Var (*f)(const Var&);
    double at;
    const char* start;
  };
  const auto scaled = [](const Var& x) { return x * 1e300; };
  const Maker makers[] = {
      {"log", [](const Var& x) { return log(x); }, 0, "[log] forward made 1 of 4"},
      {"log of a negative", [](const Var& x) { return log(x); }, -1, "[log] forward made 1 of 4"},
      {"div", [](const Var& x) { return 1.0 / x; }, 0, "[div] forward made 1 of 4"},
      {"exp", [](const Var& x) { return exp(x); }, 1000, "[exp] forward made 1 of 4"},
      {"square", [](const Var& x) { return square(x); }, 1e200, "[square] forward made 1 of 4"},
      {"pow", [](const Var& x) { return pow(x, -1); }, 0, "[pow] forward made 1 of 4"},
      {"sqrt of a negative", [](const Var& x) { return sqrt(x); }, -1, "[sqrt] forward made 1 of 4"},
      {"mul", +scaled, 1e300, "[mul] forward made 1 of 4"},
      {"sum", [](const Var& x) { return sum(x); }, 1.7e308, "[sum] forward made 1 of 1"},
      {"matmul",
       [](const Var& x) {
         return matmul(x, Tensor::full({2, 2}, 1e10, f64));
       },
       1e300, "[matmul] forward made 2 of 4"},
      {"sqrt", [](const Var& x) { return sqrt(x); }, 0, "[sqrt] backward made 1 of 4"},
      {"pow below 1", [](const Var& x) { return pow(x, 0.5); }, 0, "[pow] backward made 1 of 4"},
      {"masked away", [](const Var& x) { return sqrt(where(Tensor::full({1}, 0, f64).to(boolean), x, Var::scalar(1, f64))); },
       0, ""},
  };
  for (const Maker& maker : makers) {
    INFO(maker.name);
    Tape tape;
    const Tensor values = Tensor::from<double>({0.5, maker.at, 1.5, std::abs(maker.at) > 1e307 ? maker.at : 2}, {2, 2});
    const Var x = tape.leaf(values);
    const DetectAnomaly guard;
    const std::string message = message_of([&] { tape.backward(sum(maker.f(x))); });
    if (*maker.start == '\0') CHECK(message == "");
    CHECK_MESSAGE(message.find(maker.start) == 0, message);
  }
}
