#include "weft/nn/batch_norm.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "golden/module_golden.hpp"
#include "support/lengths.hpp"
#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/recompute.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using doctest::Contains;
using test::Golden;
using test::lengths_of;
using test::relative_error;
using test::uniform;

namespace {

// Two steps of training and one of evaluation, as the golden file has them.
template <class Module>
void check_golden(const Golden& golden, Module& norm, const Tensor& lengths) {
  norm.to(f64);
  norm.load_state_dict(StateDict{{"weight", golden["weight"]}, {"bias", golden["bias"]}}, {.strict = false});
  for (std::int64_t step = 0; step < 3; ++step) {
    CAPTURE(step);
    const std::string number = std::to_string(step) + ".";
    norm.train(step < 2);
    Tape tape;
    const Var x = tape.leaf(golden[number + "input"]), y = norm(x, lengths);
    CHECK(relative_error(y.value(), golden[number + "output"]) <= 1e-12);
    tape.backward(sum(y * golden[number + "cotangent.output"]));
    CHECK(relative_error(tape.grad(x), golden[number + "grad.input"]) <= 1e-12);
    CHECK(relative_error(norm.weight->grad(), golden[number + "grad.weight"]) <= 1e-12);
    CHECK(relative_error(norm.bias->grad(), golden[number + "grad.bias"]) <= 1e-12);
    CHECK(relative_error(norm.running_mean.value(), golden[number + "running_mean"]) <= 1e-12);
    CHECK(relative_error(norm.running_var.value(), golden[number + "running_var"]) <= 1e-12);
    norm.zero_grad();
  }
  CHECK(norm.num_batches_tracked.value().item() == 2);
}

}  // namespace

TEST_CASE("BatchNorm1d equals PyTorch's over the frames within lengths, running values as plain means") {
  const Golden golden = Golden::load("batch_norm_1d");
  nn::BatchNorm1d norm({.num_features = 4, .momentum = std::nullopt});
  check_golden(golden, norm, golden["lengths"]);
}

TEST_CASE("BatchNorm2d equals PyTorch's") {
  nn::BatchNorm2d norm({.num_features = 3, .eps = 1e-3, .momentum = 0.2});
  check_golden(Golden::load("batch_norm"), norm, Tensor());
}

TEST_CASE("a batch normalisation has PyTorch's names, and its running values are saved and restored") {
  const test::TemporaryFolder folder;
  class Model : public nn::Module<Model> {
   public:
    Model() : Module(nn::Scope{}), norm({.num_features = 3}, {this, "norm"}) {}
    nn::BatchNorm1d norm;
  };
  Model model, other;
  {
    Tape tape;
    model.norm(uniform({5, 3}, -1, 4, 1, f32));
  }
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.state_dict()) names.push_back(name + " " + tensor.describe());
  CHECK(names == std::vector<std::string>{"norm.weight f32[3]", "norm.bias f32[3]", "norm.running_mean f32[3]",
                                          "norm.running_var f32[3]", "norm.num_batches_tracked i64[]"});
  CHECK(model.parameters().size() == 2);
  CHECK(model.num_parameters() == 6);
  nn::save(model, folder.path() / "model.safetensors");
  CHECK(test::largest_difference(model.norm.running_mean.value(), other.norm.running_mean.value()) > 0);
  nn::load(other, folder.path() / "model.safetensors");
  model.eval();
  other.eval();
  const Tensor x = uniform({2, 3}, -1, 1, 2, f32);
  CHECK(test::largest_difference(model.norm(x).value(), other.norm(x).value()) == 0);
  CHECK(other.norm.num_batches_tracked.value().item() == 1);
  CHECK_THROWS_WITH_AS(other.load_state_dict(StateDict{{"norm.running_mean", Tensor::zeros({2})}}, {.strict = false}),
                       Contains("norm.running_mean is f32[3] in the model"), ValueError);
  other.to(f64);
  CHECK(other.norm.running_var.value().dtype() == f64);
  CHECK(other.norm.num_batches_tracked.value().dtype() == i64);
  CHECK_THROWS_AS(nn::Buffer(&model.norm, "running_mean", Shape{1}, 0), ValueError);
  CHECK_THROWS_AS(nn::Buffer(&model.norm, "weight", Shape{1}, 0), ValueError);
}

TEST_CASE("what stands behind the lengths is in no statistic, in no gradient and comes out as zeros") {
  nn::BatchNorm1d one({.num_features = 2});
  nn::BatchNorm2d two({.num_features = 2});
  one.to(f64);
  two.to(f64);
  const Tensor lengths = lengths_of({4, 1, 0});
  Tensor x = uniform({3, 2, 4, 3}, -1, 1, 1);
  const Tensor clean = x.clone();
  for (const std::int64_t row : {1, 2}) {
    Tensor behind = x.select(0, row).slice(1, row == 1 ? 1 : 0, 4);
    behind.fill(std::numeric_limits<double>::quiet_NaN());
  }
  Tape tape;
  const Var leaf = tape.leaf(x), y = two(leaf, lengths), z = one(select(leaf, 3, 0), lengths);
  tape.backward(sum(square(y) * y) + sum(square(z) * z));
  for (const Tensor& padded : {y.value(), z.value().unsqueeze(3), tape.grad(leaf)}) {
    CHECK(test::largest(padded) > 0);  // no NaN
    CHECK(test::largest(padded.select(0, 1).slice(1, 1, 4)) == 0);
    CHECK(test::largest(padded.select(0, 2)) == 0);
  }
  // In evaluation each row gives what it gives alone.
  two.eval();
  const Tensor all = two(x, lengths).value(), alone = two(clean.slice(0, 1, 2).slice(2, 0, 1)).value();
  CHECK(test::largest_difference(all.slice(0, 1, 2).slice(2, 0, 1), alone) <= 1e-12);
}

TEST_CASE("running values move once a recorded call in training, not otherwise") {
  nn::BatchNorm1d norm({.num_features = 2});
  norm.to(f64);
  const Tensor x = uniform({4, 2}, 1, 2, 1);
  const auto tracked = [&] { return norm.num_batches_tracked.value().item(); };
  norm(x);
  CHECK(tracked() == 0);
  {
    Tape tape;
    const Var leaf = tape.leaf(x), y = recompute([&](const std::vector<Var>&in) { return norm(in[0]); }, {leaf});
    tape.backward(sum(square(y)));
  }
  const Tensor mean = norm.running_mean.value().clone();
  norm.eval();
  {
    Tape tape;
    norm(x);
  }
  CHECK(test::largest_difference(mean, norm.running_mean.value()) == 0);

  nn::BatchNorm1d plain({.num_features = 2, .affine = false, .track_running_stats = false});
  CHECK(plain.state_dict().empty());
  const Tensor by_batch = plain(x).value();
  plain.eval();
  CHECK(test::largest_difference(by_batch, plain(x).value()) == 0);
  CHECK(test::largest(mean) > 0);
}

TEST_CASE("batch normalisations pass the gradient checks of both orders, in training and evaluation") {
  for (const bool training : {true, false}) {
    nn::BatchNorm1d one({.num_features = 3});
    nn::BatchNorm2d two({.num_features = 2});
    one.to(f64);
    two.to(f64);
    one.train(training);
    two.train(training);
    const Tensor x = uniform({3, 3, 4}, -1, 1, 1), image = uniform({2, 2, 3, 2}, -1, 1, 2), lengths = lengths_of({4, 2, 0});
    const auto first = [&](const std::vector<Var>& in) { return one(in[0], lengths); };
    const auto second = [&](const std::vector<Var>& in) { return two(in[0], lengths_of({3, 2})); };
    gradcheck(first, {x}).require();
    gradgradcheck(first, {x}).require();
    gradcheck(second, {image}).require();
    gradgradcheck(second, {image}).require();
    const auto loss = [&] { return sum(square(one(x, lengths)) * one(x, lengths)); };
    gradcheck_parameters(loss, one.parameters()).require();
    gradgradcheck_parameters(loss, one.parameters()).require();
  }
}

TEST_CASE("what doesn't fit a batch normalisation is refused with its name and shapes") {
  nn::BatchNorm1d one({.num_features = 3});
  nn::BatchNorm2d two({.num_features = 3});
  CHECK_THROWS_WITH_AS(one(Tensor::zeros({2, 4})), Contains("[BatchNorm1d] input f32[2, 4] is neither [N, 3] nor [N, 3, L]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(two(Tensor::zeros({2, 3, 4})), Contains("[BatchNorm2d] input f32[2, 3, 4] is not [N, 3, H, W]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(one(Tensor::zeros({2, 3}), lengths_of({1, 1})), Contains("has no steps"), ShapeError);
  CHECK_THROWS_WITH_AS(one(Tensor::zeros({2, 3, 4}), lengths_of({5, 1})), Contains("[BatchNorm1d] length 5 of row 0"),
                       ValueError);
  CHECK_THROWS_AS(one(Tensor::zeros({2, 3, 4}), lengths_of({1})), ShapeError);
  CHECK_THROWS_AS(one(Var()), ValueError);
  CHECK_THROWS_AS(two(Var()), ValueError);
  CHECK_THROWS_AS(one(Tensor::zeros({2, 3}, f64)), DTypeError);
  CHECK_THROWS_WITH_AS(one(Tensor::zeros({1, 3})), Contains("one value a channel"), ValueError);
  CHECK_THROWS_AS(one(Tensor::zeros({2, 3, 4}), lengths_of({1, 0})), ValueError);  // one frame in all
  CHECK(test::largest(one(Tensor::zeros({2, 3, 4}), lengths_of({0, 0})).value()) == 0);
  CHECK(one(Tensor::zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(one.num_batches_tracked.value().item() == 0);
  CHECK_THROWS_WITH_AS(nn::BatchNorm1d({}), Contains("[BatchNorm1d] num_features is 0"), ValueError);
  CHECK_THROWS_WITH_AS(nn::BatchNorm2d({.num_features = 3, .eps = -1}), Contains("eps is -1"), ValueError);
  CHECK_THROWS_WITH_AS(nn::BatchNorm2d({.num_features = 3, .momentum = 2}), Contains("momentum is 2"), ValueError);
}
