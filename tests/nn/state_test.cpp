#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>
#include <string>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/list.hpp"
#include "weft/nn/weight.hpp"

using namespace weft;

namespace {

class Table : public nn::Module<Table> {
 public:
  explicit Table(Shape shape, const nn::Scope& scope = {})
      : Module(scope), weight(this, "weight", shape, nn::init::uniform(-1, 1)) {}
  Table(const nn::Weight& tied, const nn::Scope& scope) : Module(scope), weight(this, "weight", tied) {}
  nn::Weight weight;
};

class Model : public nn::Module<Model> {
 public:
  explicit Model(const nn::Scope& scope = {})
      : Module(scope), a({2, 3}, {this, "a"}), b({4}, {this, "b"}), c(a.weight, {this, "c"}) {}
  Table a, b, c;
};

StateDict copy_of(const nn::ModuleBase& model) { return weft::copy_of(model.state_dict()); }

bool same(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NamedTensor& x, const NamedTensor& y) {
    return x.name == y.name && std::memcmp(x.tensor.raw(), y.tensor.raw(), static_cast<std::size_t>(x.tensor.numel()) * 4) == 0;
  });
}

}  // namespace

TEST_CASE("a state goes from model to model by name, in any order") {
  Model from({.seed = 1}), to({.seed = 2});
  auto state = from.state_dict();
  CHECK(!same(state, to.state_dict()));
  std::swap(state[0], state[1]);
  const Tensor kept = to.a.weight->value();
  const auto report = to.load_state_dict(state);
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(same(from.state_dict(), to.state_dict()));
  CHECK(kept.is_same(to.a.weight->value()));
  CHECK(!kept.same_buffer(from.a.weight->value()));
}

TEST_CASE("a state of the same names behind a prefix is told, and nothing less") {
  Model model;
  const auto message = [&model](const StateDict& state, const nn::LoadOptions& options = {}) -> std::string {
    try {
      model.load_state_dict(state, options);
    } catch (const ValueError& error) {
      return error.what();
    }
    return "no error";
  };
  const auto told = [](const std::string& text) {
    return text.find("behind 'model.': load part_of(state, \"model.\")") != std::string::npos;
  };
  StateDict state = {{"average.a.weight", Tensor::zeros({1})}};  // ends with a name of the model's, too
  add_part(state, "model.", copy_of(model));
  CHECK(told(message(state)));
  CHECK_FALSE(told(message({state[0], state[1]})));
  state.push_back(state[1]);
  CHECK_FALSE(told(message(state, {.strict = false})));  // given twice is what is wrong
  StateDict but_one = copy_of(model);
  but_one.back().name = "c." + but_one.back().name;
  CHECK(message(but_one).find("behind") == std::string::npos);
  CHECK(message(part_of(state, "model")).find("\n  all of them are there behind a dot, which belongs to the prefix") !=
        std::string::npos);
  CHECK(message(part_of(state, "modell.")).find("\n  the state is empty: part_of gives") != std::string::npos);
}

TEST_CASE("everything that doesn't fit is listed in one error, and the model stays as it was") {
  Model model;
  const auto before = copy_of(model);
  StateDict state{{"a.weight", Tensor::zeros({3, 2})}, {"b.weight", Tensor::zeros({4}, f64)}, {"d.weight", Tensor::zeros({1})}};
  try {
    model.load_state_dict(state);
    FAIL("no error");
  } catch (const ValueError& error) {
    const std::string text = error.what();
    CAPTURE(text);
    CHECK(text.find("different: a.weight is f32[2, 3] in the model and f32[3, 2]") != std::string::npos);
    CHECK(text.find("different: b.weight is f32[4] in the model and f64[4]") != std::string::npos);
    CHECK(text.find("missing: c.weight") != std::string::npos);
    CHECK(text.find("unexpected: d.weight") != std::string::npos);
  }
  CHECK(same(before, model.state_dict()));

  // One good entry among the bad ones isn't loaded either.
  state = {{"a.weight", Tensor::zeros({2, 3})}, {"b.weight", Tensor::zeros({5})}};
  CHECK_THROWS_AS(model.load_state_dict(state, {.strict = false}), ValueError);
  state = {{"a.weight", Tensor::zeros({2, 3})}, {"a.weight", Tensor::zeros({2, 3})}};
  CHECK_THROWS_WITH_AS(model.load_state_dict(state, {.strict = false}), doctest::Contains("given twice: a.weight"), ValueError);
  CHECK_THROWS_AS(model.load_state_dict(StateDict{{"a.weight", Tensor()}}, {.strict = false}), ValueError);
  CHECK(same(before, model.state_dict()));

  StateDict many;
  for (int i = 0; i < 30; ++i) many.push_back({fmt::format("x{}", i), Tensor::zeros({1})});
  CHECK_THROWS_WITH_AS(model.load_state_dict(many), doctest::Contains("missing: c.weight\n"), ValueError);
  CHECK_THROWS_WITH_AS(model.load_state_dict(many), doctest::Contains("unexpected: x19\n  unexpected: and 10 more"),
                       ValueError);
}

TEST_CASE("without strict the intersection is loaded and the rest reported") {
  Model model;
  const auto report = model.load_state_dict(
      StateDict{{"z", Tensor::zeros({1})}, {"b.weight", Tensor::full({4}, 7)}, {"y", Tensor::zeros({1})}}, {.strict = false});
  CHECK(report.missing == std::vector<std::string>{"a.weight", "c.weight"});
  CHECK(report.unexpected == std::vector<std::string>{"z", "y"});
  CHECK(model.b.weight->value().at({3}) == 7);
}

TEST_CASE("tied names must agree") {
  Model model;
  auto state = copy_of(model);
  state[2].tensor.fill(5);
  CHECK_THROWS_WITH_AS(model.load_state_dict(state), doctest::Contains("a.weight and c.weight are tied"), ValueError);
  state[0].tensor.fill(5);
  model.load_state_dict(state);
  CHECK(model.c.weight->value().at({1, 1}) == 5);
}

TEST_CASE("models are saved and loaded, tied tensors under each name") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  Model from({.seed = 1}), to({.seed = 2});
  nn::save(from, path, {{"epoch", "3"}});
  const SafetensorsFile file = load_safetensors(path);
  CHECK(file.metadata == Metadata{{"epoch", "3"}, {"format", "pt"}});
  CHECK(same(file.tensors, from.state_dict()));
  nn::load(to, path);
  CHECK(same(from.state_dict(), to.state_dict()));

  Table other({2});
  CHECK_THROWS_WITH_AS(nn::load(other, path), doctest::Contains("model.safetensors"), ValueError);
  CHECK(nn::load(other, path, {.strict = false}).unexpected.size() == 3);
}
