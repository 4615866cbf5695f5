#include "weft/nn/module.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "support/space_limit.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/buffer.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/nn/weight.hpp"

using namespace weft;

namespace {

struct AffineOptions {
  std::int64_t size;
  bool bias = true;
};

class Affine : public nn::Module<Affine> {
 public:
  explicit Affine(const AffineOptions& o, const nn::Scope& scope = {})
      : Module(scope),
        weight(this, "weight", Shape{o.size}, nn::init::uniform(-1, 1)),
        bias(o.bias ? nn::Weight(this, "bias", Shape{o.size}, nn::init::zeros()) : nn::Weight()) {}
  Affine(const AffineOptions&, const nn::Weight& tied, const nn::Scope& scope) : Module(scope), weight(this, "weight", tied) {}

  // The operations come later; a module's value is enough here.
  Var forward(const Var& x) {
    path_seen = current_scope();
    return x;
  }

  nn::Weight weight, bias;
  std::string path_seen;
};

class Model : public nn::Module<Model> {
 public:
  explicit Model(nn::Scope scope = {})
      : Module(scope),
        first({.size = 3}, {this, "first"}),
        layers({this, "layers"}),
        last({.size = 3}, first.weight, {this, "last"}) {
    layers.emplace(AffineOptions{.size = 2});
    layers.emplace(AffineOptions{.size = 4, .bias = false});
  }
  Var forward(const Var& x) {
    Var y = first(x);
    for (auto& layer : layers) y = layer(y);
    return last(y);
  }

  Affine first;
  nn::List<Affine> layers;
  Affine last;
};

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const auto& named : all) names.push_back(named.name);
  return names;
}

class Failing : public nn::Module<Failing> {
 public:
  explicit Failing(bool fail, const nn::Scope& scope = {})
      : Module(scope), weight(this, "weight", Shape{1}, nn::init::zeros()) {
    if (fail) throw ValueError("no");
  }
  nn::Weight weight;
};

class Recorder : public nn::Observer {
 public:
  void entered(const nn::ModuleBase& module) override { seen.append("+").append(module.path()); }
  void left(const nn::ModuleBase&, const Var& output) override { seen.append("-").append(output.shape().str()); }
  std::string seen;
};

}  // namespace

TEST_CASE("children and parameters register under PyTorch's names, tied ones once in parameters") {
  Model model;
  const std::vector<std::string> all{"first.weight",  "first.bias",      "layers.0.weight",
                                     "layers.0.bias", "layers.1.weight", "last.weight"};
  CHECK(names_of(model.state_dict()) == all);
  CHECK(names_of(model.named_parameters()) == std::vector<std::string>(all.begin(), all.end() - 1));
  REQUIRE(model.parameters().size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(model.parameters()[i]->name() == all[i]);
  CHECK(model.num_parameters() == 3 + 3 + 2 + 2 + 4);
  CHECK(&*model.last.weight == &*model.first.weight);
  CHECK(names_of(model.layers.state_dict()) == std::vector<std::string>{"0.weight", "0.bias", "1.weight"});
  CHECK(&model.parameters() == &model.parameters());
}

TEST_CASE("paths and types name every module") {
  Model model;
  std::vector<std::string> paths, types;
  for (const nn::ModuleBase* module : model.modules()) {
    paths.emplace_back(module->path());
    types.push_back(module->type_name());
  }
  CHECK(paths == std::vector<std::string>{"", "first", "layers", "layers.0", "layers.1", "last"});
  CHECK(types == std::vector<std::string>{"Model", "Affine", "List<Affine>", "Affine", "Affine", "Affine"});
  struct Local : nn::Module<Local> {};
  CHECK(Local().type_name() == "Local");
}

TEST_CASE("a call runs in the module's path and tells observers") {
  Model model;
  Recorder recorder;
  const Var x = Tensor::zeros({2});
  CHECK(model(x).shape() == Shape{2});
  CHECK(model.layers[1].path_seen == "layers.1");
  CHECK(std::string(current_scope()).empty());
  CHECK(recorder.seen == "++first-[2]+layers.0-[2]+layers.1-[2]+last-[2]-[2]");
}

TEST_CASE("adding to a list refreshes what the root knows") {
  Model model;
  CHECK(model.parameters().size() == 5);
  model.layers.emplace(AffineOptions{.size = 2});
  CHECK(model.parameters().size() == 7);
  CHECK(model.layers.back().path() == std::string("layers.2"));
}

TEST_CASE("modes are recursive and inherited") {
  Model model;
  CHECK(model.layers[0].training());
  model.eval();
  CHECK(!model.training());
  CHECK(!model.layers[0].training());
  CHECK(!model.layers.emplace(AffineOptions{.size = 1}).training());
  model.first.train();
  CHECK(model.first.training());
  CHECK(!model.last.training());
}

TEST_CASE("names must be whole and free") {
  Model model;
  CHECK_THROWS_AS(Affine({.size = 1}, {&model, ""}), ValueError);
  CHECK_THROWS_AS(Affine({.size = 1}, {&model, "a.b"}), ValueError);
  CHECK_THROWS_WITH_AS(Affine({.size = 1}, {&model, "first"}), doctest::Contains("'first' is taken"), ValueError);
  CHECK_THROWS_AS(Affine({.size = 1}, {nullptr, "root"}), ValueError);
  CHECK_THROWS_AS(Affine({.size = 1}, {.owner = &model, .name = "x", .seed = 3}), ValueError);
  CHECK_THROWS_AS(nn::Weight(&model.first, "bias", Shape{1}, nn::init::zeros()), ValueError);
  CHECK_THROWS_AS(nn::Weight(&model, "tied", nn::Weight()), ValueError);
  CHECK(model.modules().size() == 6);
  CHECK(model.parameters().size() == 5);
}

TEST_CASE("a module that fails to be made leaves no trace") {
  class Root : public nn::Module<Root> {};
  Root root;
  nn::List<Failing> list({&root, "list"});
  list.emplace(false);
  CHECK_THROWS_AS(list.emplace(true), ValueError);
  CHECK(list.size() == 1);
  CHECK(names_of(root.state_dict()) == std::vector<std::string>{"list.0.weight"});
  list.emplace(false);
  CHECK(root.parameters().size() == 2);
}

TEST_CASE("to converts, zero_grad drops") {
  Model model;
  model.first.weight->add_grad(Tensor::ones({3}));
  const double before = model.first.weight->value().at({1});
  model.zero_grad();
  CHECK(!model.first.weight->grad().defined());
  model.to(f64);
  for (const Parameter* parameter : model.parameters()) CHECK(parameter->dtype() == f64);
  CHECK(model.last.weight->value().at({1}) == before);
  CHECK_THROWS_AS(model.to(i32), DTypeError);
}

namespace {

// Calls what stands elsewhere.
class Caller : public nn::Module<Caller> {
 public:
  explicit Caller(std::function<Var(const Var&)> function, const nn::Scope& scope = {})
      : Module(scope), own({.in_features = 2, .out_features = 2}, {this, "own"}), function_(std::move(function)) {}
  Var forward(const Var& x) { return own(function_(x)); }

  nn::Linear own;

 private:
  std::function<Var(const Var&)> function_;
};

class Outer : public nn::Module<Outer> {
 public:
  explicit Outer(std::function<Var(const Var&)> function) : Module(nn::Scope{}), inner(std::move(function), {this, "inner"}) {}
  Var forward(const Var& x) { return inner(x); }

  Caller inner;
};

}  // namespace

TEST_CASE("a module that was lost to its caller is an error where its parameters would be trained") {
  const Tensor x = Tensor::ones({1, 2});
  nn::Linear apart({.in_features = 2, .out_features = 2});
  Outer model([&](const Var& in) { return apart(in); });
  CHECK_NOTHROW(model(x));  // nothing records
  {
    Tape tape;
    CHECK_THROWS_WITH_AS(model(x), doctest::Contains("Linear is called by Caller 'inner' and isn't part of it"), ValueError);
    CHECK_NOTHROW(apart(x));  // not called by another
    CHECK_NOTHROW(model.inner.own(x));
    const NoGrad guard;
    CHECK_NOTHROW(model(x));
  }
  SUBCASE("a frozen teacher is in eval mode") {
    apart.eval();
    Tape tape;
    CHECK_NOTHROW(model(x));
  }
  SUBCASE("its forward may be called") {
    Outer other([&](const Var& in) { return apart.forward(in); });
    Tape tape;
    CHECK_NOTHROW(other(x));
  }
  SUBCASE("a hook may call what belongs to nobody") {
    Outer other([](const Var& in) { return in; });
    other.inner.on_output([&](const nn::ModuleBase&, const Var& output) { return apart(output); });
    Tape tape;
    CHECK_NOTHROW(other(x));
  }
  SUBCASE("a list of modules is lost as a whole") {
    nn::List<nn::Linear> list;
    list.emplace(nn::LinearOptions{.in_features = 2, .out_features = 2});
    Outer other([&](const Var& in) { return list[0](in); });
    Tape tape;
    CHECK_THROWS_WITH_AS(other(x), doctest::Contains("List<Linear> is called by Caller 'inner'"), ValueError);
  }
  SUBCASE("a part of another model, and what has nothing to train, may be called") {
    Outer other([&](const Var& in) { return model.inner.own(in); });
    nn::Dropout dropout({.p = 0.5});
    Outer third([&](const Var& in) { return dropout(in); });
    Generator generator(1);
    Tape tape(generator);
    CHECK_NOTHROW(other(x));
    CHECK_NOTHROW(third(x));
  }
  SUBCASE("weights that the caller's tree has are trained") {
    std::unique_ptr<nn::Linear> tied;
    Outer other([&](const Var& in) { return (*tied)(in); });
    tied = std::make_unique<nn::Linear>(nn::LinearOptions{.in_features = 2, .out_features = 2, .bias = false},
                                        other.inner.own.weight);
    Tape tape;
    CHECK_NOTHROW(other(x));
  }
  Tape tape;
  CHECK_NOTHROW(apart(x));  // a call that threw leaves no caller behind
}

TEST_CASE("weights lie in blocks of their own size, not in larger ones that were kept") {
  if (test::pool_is_off()) return;
  constexpr std::int64_t mebi = 1 << 18;  // in elements
  trim_memory();
  const void* kept = Tensor::empty({9 * mebi}).raw();
  CHECK(Tensor::empty({5 * mebi}).raw() == kept);
  nn::Linear layer({.in_features = 5 * 512, .out_features = 512});
  CHECK(layer.weight->value().raw() != kept);
  CHECK(memory_statistics().by_category[static_cast<std::size_t>(MemoryCategory::parameters)].current >= 5 * mebi * 4);
  CHECK(Tensor::empty({9 * mebi}).raw() == kept);
}

TEST_CASE("items that a list hasn't are refused, and parameters without an owner") {
  Model model;
  CHECK(&model.layers.back() == &model.layers[1]);
  CHECK_THROWS_WITH_AS(model.layers[2], "[List] 'layers' has no item 2; its 2 are 0 to 1", IndexError);
  CHECK_THROWS_WITH_AS(model.layers[0UL - 1], "[List] 'layers' has no item -1; its 2 are 0 to 1", IndexError);
  nn::List<Affine> none;
  CHECK_THROWS_WITH_AS(none.back(), "[List] List<Affine> is empty", IndexError);
  CHECK_THROWS_WITH_AS(nn::Weight(nullptr, "w", Shape{2}, nn::init::zeros()),
                       "[Weight] 'w' has no owner; construct it with {this, \"w\", ...}", ValueError);
  CHECK_THROWS_AS(nn::Weight(nullptr, "w", nn::Weight()), ValueError);
  CHECK_THROWS_AS(nn::Buffer(nullptr, "b", Shape{2}, 0), ValueError);
}
