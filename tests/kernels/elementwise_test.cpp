#include "kernels/elementwise.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/elementwise_rows.hpp"
#include "kernels/isa_support.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"

namespace weft {
namespace {

using kernels::Binary;
using kernels::Unary;

constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();

Tensor random(const Shape& shape, std::uint64_t seed, DType dtype = f32) {
  Generator generator(seed);
  Tensor x = Tensor::empty(shape, f64);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.mutable_data<double>()[i] = 6 * generator.uniform() - 3;
  return is_integer(dtype) ? kernels::binary(Binary::mul, x, 100.0).to(dtype) : x.to(dtype);
}

// Every second element along the last axis of a wider tensor, and the like.
Tensor strided(const Tensor& x) {
  Shape wide = x.shape().with_inserted(x.rank(), 2);
  Tensor room = Tensor::full(wide, 7, x.dtype());
  Tensor view = room.select(x.rank(), 1);
  view.copy_from(x);
  return view;
}
Tensor turned(const Tensor& x) { return x.transpose(0, 1).contiguous().transpose(0, 1); }
Tensor flipped(const Tensor& x) { return x.flip(-1).contiguous().flip(-1); }

void check_close(const Tensor& got, const Tensor& wanted, double tolerance, double absolute = 1e-37) {
  REQUIRE(got.shape() == wanted.shape());
  const Tensor a = got.to(f64).contiguous(), b = wanted.to(f64).contiguous();
  std::int64_t wrong = 0, first = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const double x = a.data<double>()[i], y = b.data<double>()[i];
    if (x != y && !(std::isnan(x) && std::isnan(y)) && !(std::abs(x - y) <= tolerance * std::abs(y) + absolute) && wrong++ == 0)
      first = i;
  }
  CHECK_MESSAGE(wrong == 0, wrong, " elements differ, the first at ", first, ": ", a.data<double>()[first], " instead of ",
                b.data<double>()[first], ", allowed are ", tolerance, " of it");
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.is_contiguous() && b.is_contiguous() &&
         std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

const std::vector<Unary> all_unary = {
    Unary::neg,     Unary::exp,        Unary::log,   Unary::sqrt,      Unary::square,    Unary::abs,   Unary::tanh,
    Unary::sigmoid, Unary::relu,       Unary::gelu,  Unary::gelu_tanh, Unary::sign,      Unary::cos,   Unary::sin,
    Unary::erf,     Unary::reciprocal, Unary::rsqrt, Unary::log1p,     Unary::expm1,     Unary::floor, Unary::ceil,
    Unary::round,   Unary::silu,       Unary::mish,  Unary::softsign,  Unary::logsigmoid};
const std::vector<Binary> floating_binary = {Binary::add,          Binary::sub,
                                             Binary::mul,          Binary::div,
                                             Binary::pow,          Binary::maximum,
                                             Binary::minimum,      Binary::guarded_mul,
                                             Binary::guarded_div,  Binary::tanh_grad,
                                             Binary::sigmoid_grad, Binary::relu_grad,
                                             Binary::gelu_grad,    Binary::gelu_tanh_grad,
                                             Binary::silu_grad,    Binary::softplus,
                                             Binary::elu,          Binary::leaky_relu};
const std::vector<Binary> comparisons = {Binary::eq, Binary::ne, Binary::lt, Binary::le, Binary::gt, Binary::ge};

TEST_CASE("functions of one argument match the reference on every instruction set, for all shapes and views") {
  std::vector<Tensor> inputs = {random({}, 1),
                                random({0, 3}, 2),
                                random({1}, 3),
                                random({3}, 4),
                                random({8}, 5),
                                random({17}, 6),
                                random({67}, 7),
                                random({1000}, 8),
                                turned(random({5, 9}, 9)),
                                strided(random({4, 7}, 10)),
                                flipped(random({3, 33}, 11)),
                                random({3, 1}, 12).expand({3, 5}),
                                random({2, 3, 4}, 13).permute({2, 0, 1})};
  test::on_each_isa([&] {
    for (const Unary function : all_unary)
      for (const Tensor& x : inputs) {
        INFO(kernels::name_of(function), " of ", x.describe());
        check_close(kernels::unary(function, x), kernels::reference::unary(function, x.to(f64)), 3e-6);
      }
  });
}

TEST_CASE("functions of two arguments match the reference on every instruction set, for all shapes and views") {
  const std::vector<std::pair<Tensor, Tensor>> inputs = {
      {random({}, 1), random({}, 2)},
      {random({0, 3}, 1), random({3}, 2)},
      {random({1}, 1), random({1}, 2)},
      {random({67}, 1), random({67}, 2)},
      {random({5, 33}, 1), random({33}, 2)},
      {random({33}, 1), random({5, 33}, 2)},
      {random({5, 1}, 1), random({5, 19}, 2)},
      {random({5, 19}, 1), random({5, 1}, 2)},
      {random({5, 1}, 1), random({1, 19}, 2)},
      {random({2, 1, 9}, 1), random({4, 1}, 2)},
      {random({4, 9}, 1), random({}, 2)},
      {turned(random({5, 9}, 1)), random({5, 9}, 2)},
      {random({5, 9}, 1), turned(random({5, 9}, 2))},
      {turned(random({5, 9}, 1)), turned(random({5, 9}, 2))},
      {strided(random({5, 9}, 1)), flipped(random({5, 9}, 2))},
      {random({5, 1}, 1).expand({5, 9}), random({5, 1}, 2).expand({5, 9})},
  };
  test::on_each_isa([&] {
    for (const auto& pair : inputs) {
      const Tensor &a = pair.first, &b = pair.second;
      const Tensor wide_a = a.to(f64), wide_b = b.to(f64);
      for (const Binary function : floating_binary) {
        INFO(kernels::name_of(function), " of ", a.describe(), " and ", b.describe());
        check_close(kernels::binary(function, a, b, "f"), kernels::reference::binary(function, wide_a, wide_b, "f"), 3e-6,
                    1e-6);
      }
      for (const Binary function : comparisons)
        CHECK(same_bits(kernels::binary(function, a, b, "f"), kernels::reference::binary(function, a, b, "f")));
    }
    const Tensor x = random({3, 7}, 3), number = Tensor::full({}, 0.625);
    for (const Binary function : floating_binary) {
      CHECK(same_bits(kernels::binary(function, x, 0.625), kernels::binary(function, x, number, "f")));
      CHECK(same_bits(kernels::binary(function, 0.625, x), kernels::binary(function, number, x, "f")));
    }
  });
}

TEST_CASE("NaN and infinities come through; a gradient of 0 stays 0") {
  const Tensor edges = Tensor::from<float>({nan, inf, -inf, 0.0f, -0.0f, 1.5f, -2.5f, 3e38f, 1e-40f}, {9});
  const Tensor left = edges.unsqueeze(1), zeros = Tensor::zeros({9});
  test::on_each_isa([&] {
    for (const Binary function : {Binary::add, Binary::sub, Binary::mul, Binary::div, Binary::maximum, Binary::minimum,
                                  Binary::guarded_mul, Binary::guarded_div, Binary::relu_grad})
      check_close(kernels::binary(function, left, edges, "f"), kernels::reference::binary(function, left, edges, "f"), 0);
    for (const Binary function : {Binary::maximum, Binary::minimum})
      for (std::int64_t i = 0; i < 9; ++i) {
        CHECK(std::isnan(kernels::binary(function, left, edges, "f").at({0, i})));
        CHECK(std::isnan(kernels::binary(function, left, edges, "f").at({i, 0})));
      }
    for (const Binary function : {Binary::guarded_mul, Binary::guarded_div, Binary::tanh_grad, Binary::sigmoid_grad,
                                  Binary::relu_grad, Binary::gelu_grad, Binary::gelu_tanh_grad, Binary::silu_grad})
      for (std::int64_t i = 0; i < 9; ++i) CHECK(kernels::binary(function, zeros, edges, "f").at({i}) == 0);
  });
}

TEST_CASE("other element types") {
  const Tensor a = random({4, 3}, 1, i32), b = random({3}, 2, i32);
  for (const Binary function : {Binary::add, Binary::sub, Binary::mul, Binary::maximum, Binary::minimum, Binary::lt})
    CHECK(
        same_bits(kernels::binary(function, a, b, "f").to(i64), kernels::binary(function, a.to(i64), b.to(i64), "f").to(i64)));
  CHECK(kernels::binary(Binary::add, Tensor::full({1}, 2147483647, i32), 1.0).item() == -2147483648.0);
  CHECK(kernels::unary(Unary::abs, Tensor::from<std::int64_t>({-5}, {1})).item() == 5);
  CHECK(kernels::unary(Unary::neg, Tensor::from<std::int64_t>({-5}, {1})).item() == 5);
  const Tensor yes = Tensor::full({2}, 1, boolean), no = Tensor::zeros({2}, boolean);
  CHECK(kernels::binary(Binary::ne, yes, no, "f").at({0}) == 1);
  CHECK(
      same_bits(kernels::unary(Unary::gelu, random({9}, 1, f64)), kernels::reference::unary(Unary::gelu, random({9}, 1, f64))));

  CHECK_THROWS_AS(kernels::binary(Binary::add, yes, no, "add"), DTypeError);
  CHECK_THROWS_AS(kernels::binary(Binary::div, a, a, "div"), DTypeError);
  CHECK_THROWS_AS(kernels::unary(Unary::exp, a), DTypeError);
  CHECK_THROWS_AS(kernels::binary(Binary::add, a, 0.5), ValueError);
  CHECK_THROWS_WITH_AS(kernels::binary(Binary::add, a, a.to(f32), "add"),
                       doctest::Contains("[add] dtypes differ: i32[4, 3] and f32[4, 3]"), DTypeError);
  CHECK_THROWS_AS(kernels::binary(Binary::add, random({2, 3}, 1), random({2}, 1), "add"), ShapeError);
}

TEST_CASE("where selects and broadcasts") {
  const Tensor condition = Tensor::from<bool>({true, false, true}, {3});
  const Tensor a = random({2, 3}, 1), b = random({2, 1}, 2), number = Tensor::full({}, nan);
  const Tensor y = kernels::where(condition, a, b, "where");
  CHECK(y.at({1, 0}) == a.at({1, 0}));
  CHECK(y.at({1, 1}) == b.at({1, 0}));
  CHECK(kernels::where(condition, a, number, "where").at({0, 2}) == a.at({0, 2}));
  CHECK(kernels::where(condition, number, turned(a), "where").at({0, 1}) == a.at({0, 1}));
  CHECK(kernels::where(condition, Tensor::zeros({0, 3}), number, "where").shape() == Shape{0, 3});
  CHECK_THROWS_AS(kernels::where(a, a, b, "where"), DTypeError);
  CHECK_THROWS_AS(kernels::where(condition, a, b.to(f64), "where"), DTypeError);
}

TEST_CASE("add_into, copy_into, scale_into and lerp_into change the elements that a view shows and no others") {
  test::on_each_isa([&] {
    for (const DType type : {f32, f64, i32, i64}) {
      Tensor room = Tensor::zeros({6, 7}, type), view = room.slice(0, 1, 5).slice(1, 2, 6);
      const Tensor row = random({4}, 1, type), column = random({4, 1}, 2, type);
      kernels::copy_into(row, view);
      kernels::add_into(view, column);
      check_close(view, kernels::binary(Binary::add, row, column, "f"), 0);
      CHECK(room.at({0, 3}) == 0);
      CHECK(room.at({2, 6}) == 0);
      Tensor across = view.transpose(0, 1);
      kernels::add_into(across, row);
      check_close(view, kernels::binary(Binary::add, kernels::binary(Binary::add, row, column, "f"), row.unsqueeze(1), "f"), 0);
    }
    Tensor x = random({3, 5}, 3), twice = kernels::add(x, x), part = x.slice(1, 1, 4);
    kernels::scale_into(part, 2);
    check_close(part, twice.slice(1, 1, 4), 0);
    check_close(x.slice(1, 0, 1), random({3, 5}, 3).slice(1, 0, 1), 0);
    for (const DType type : {f32, f64}) {
      Tensor room = random({6, 7}, 1, type), view = room.slice(1, 2, 6).transpose(0, 1);
      const Tensor before = room.clone(), to = random({6}, 2, type);
      kernels::lerp_into(view, to, 0.25);
      for (std::int64_t i = 0; i < 6; ++i)
        for (std::int64_t j = 0; j < 7; ++j) {
          const double was = before.at({i, j}), expected = j >= 2 && j < 6 ? was + 0.25 * (to.at({i}) - was) : was;
          CHECK(room.at({i, j}) == doctest::Approx(expected).epsilon(type == f32 ? 1e-6 : 1e-15));
        }
    }
  });
  Tensor small = Tensor::zeros({3});
  CHECK_THROWS_AS(kernels::add_into(small, Tensor::zeros({2, 3})), ShapeError);
  CHECK_THROWS_AS(kernels::lerp_into(small, Tensor::zeros({2, 3}), 0.5), ShapeError);
  Tensor whole = Tensor::zeros({3}, i64);
  CHECK_THROWS_AS(kernels::lerp_into(whole, whole, 0.5), DTypeError);
  CHECK_THROWS_AS(kernels::copy_into(Tensor::zeros({3}, f64), small), DTypeError);
}

TEST_CASE("copies of turned tensors of all sizes") {
  for (const DType type : {f32, f64, boolean})
    for (const Shape& shape : {Shape{1, 5}, {3, 4}, {63, 65}, {64, 64}, {130, 70}, {3, 66, 5}, {2, 5, 300}, {300, 2, 200}}) {
      const Tensor x = random(shape, 1).to(type);
      Tensor back = Tensor::empty(x.transpose(0, -1).shape(), type);
      back.copy_from(x.transpose(0, -1));
      CHECK(same_bits(kernels::dense(x.transpose(0, -1)), back));
      CHECK(same_bits(kernels::dense(x.flip(0)), x.flip(0).contiguous()));
      if (x.rank() == 3) CHECK(same_bits(kernels::dense(x.permute({1, 0, 2})), x.permute({1, 0, 2}).contiguous()));
      if (x.rank() == 3) CHECK(same_bits(kernels::dense(x.permute({1, 2, 0})), x.permute({1, 2, 0}).contiguous()));
    }
}

TEST_CASE("the same bits for any number of threads") {
  const Tensor a = random({300, 171}, 1), b = random({171}, 2);
  const int threads = num_threads();
  std::vector<Tensor> results;
  for (const int n : {1, 2, 3, 5}) {
    set_num_threads(n);
    Tensor sum = kernels::unary(Unary::tanh, a);
    kernels::add_into(sum, kernels::binary(Binary::mul, a, b, "mul"));
    kernels::add_into(sum, kernels::dense(turned(a)));
    results.push_back(sum);
  }
  set_num_threads(threads);
  for (const Tensor& result : results) CHECK(same_bits(result, results[0]));
}

}  // namespace
}  // namespace weft
