#include "kernels/convolution.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/onednn_convolution.hpp"
#include "kernels/work.hpp"
#include "support/random.hpp"
#include "weft/base/threads.hpp"

namespace weft {
namespace {

using kernels::Convolution;

// Small integers, so that sums are exact whatever their order.
Tensor whole_numbers(const Shape& shape, std::uint64_t seed) {
  Tensor x = test::integers(shape, 7, seed).to(f32);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.mutable_data<float>()[i] -= 3;
  return x;
}

std::string text(const Convolution& c) {
  return "x " + c.x_shape().str() + ", weight " + c.weight_shape().str() + ", y " + c.y_shape().str() + ", stride " +
         Shape(c.stride).str() + ", padding " + Shape(c.padding).str() + ", dilation " + Shape(c.dilation).str() + ", groups " +
         std::to_string(c.groups);
}

// Draws of a small linear congruential sequence.
struct Draw {
  std::uint64_t state;
  std::int64_t operator()(std::int64_t low, std::int64_t high) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return low + static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }
};

Convolution random_convolution(std::uint64_t seed) {
  Draw draw{seed * 977 + 1};
  Convolution c{};
  c.batch = draw(1, 3);
  const std::int64_t kind = draw(0, 3);  // dense, groups, depthwise, depthwise with a multiplier
  c.groups = kind == 0 ? 1 : kind == 1 ? draw(2, 3) : draw(3, 17);
  c.in = kind < 2 ? c.groups * draw(1, 9) : c.groups;
  c.out = kind < 2 ? c.groups * draw(1, 9) : kind == 2 ? c.groups : 2 * c.groups;
  for (std::size_t i = 0; i < 2; ++i) {
    c.kernel[i] = draw(0, 3) == 0 ? 1 : draw(1, 5);
    c.stride[i] = draw(1, 3);
    c.dilation[i] = draw(1, 3);
    c.padding[i] = draw(0, 4);
    const std::int64_t span = c.dilation[i] * (c.kernel[i] - 1) + 1;
    c.input[i] = std::max<std::int64_t>(1, span - 2 * c.padding[i]) + draw(0, 20);
    c.output[i] = (c.input[i] + 2 * c.padding[i] - span) / c.stride[i] + 1;
  }
  return c;
}

struct Maps {
  Tensor y, dx, dw;
};

Maps all_maps(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& g) {
  return {kernels::convolution(x, w, b, c), kernels::convolution_input(g, w, c), kernels::convolution_weight(g, x, c)};
}

Maps reference_maps(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& g) {
  return {kernels::reference::convolution(x, w, b, c), kernels::reference::convolution_input(g, w, c),
          kernels::reference::convolution_weight(g, x, c)};
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

bool same_bits(const Maps& a, const Maps& b) { return same_bits(a.y, b.y) && same_bits(a.dx, b.dx) && same_bits(a.dw, b.dw); }

// The definition, one element after another.
Tensor by_definition(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& b) {
  Tensor y = Tensor::empty(c.y_shape(), f64);
  auto* to = y.mutable_data<double>();
  const std::int64_t in = c.in / c.groups, out = c.out / c.groups;
  for (std::int64_t n = 0; n < c.batch; ++n)
    for (std::int64_t o = 0; o < c.out; ++o)
      for (std::int64_t p = 0; p < c.output[0]; ++p)
        for (std::int64_t q = 0; q < c.output[1]; ++q) {
          double sum = b.at({o});
          for (std::int64_t i = 0; i < in; ++i)
            for (std::int64_t kh = 0; kh < c.kernel[0]; ++kh)
              for (std::int64_t kw = 0; kw < c.kernel[1]; ++kw) {
                const std::int64_t row = p * c.stride[0] - c.padding[0] + kh * c.dilation[0];
                const std::int64_t column = q * c.stride[1] - c.padding[1] + kw * c.dilation[1];
                if (row >= 0 && row < c.input[0] && column >= 0 && column < c.input[1])
                  sum += w.at({o, i, kh, kw}) * x.at({n, o / out * in + i, row, column});
              }
          *to++ = sum;
        }
  return y;
}

double dot(const Tensor& a, const Tensor& b) {
  const Tensor left = a.to(f64).contiguous(), right = b.to(f64).contiguous();
  double sum = 0;
  for (std::int64_t i = 0; i < left.numel(); ++i) sum += left.data<double>()[i] * right.data<double>()[i];
  return sum;
}

TEST_CASE("oneDNN's convolutions equal the plain ones, bit for bit on whole numbers") {
  int through = 0;
  for (std::uint64_t seed = 0; seed < 160; ++seed) {
    const Convolution c = random_convolution(seed);
    INFO(text(c));
    if (c.work() > 2048 && kernels::onednn::takes(c)) ++through;
    const Tensor x = whole_numbers(c.x_shape(), seed), w = whole_numbers(c.weight_shape(), seed + 1),
                 b = whole_numbers({c.out}, seed + 2), g = whole_numbers(c.y_shape(), seed + 3);
    const Maps plain = reference_maps(c, x, w, b, g);
    CHECK(same_bits(all_maps(c, x, w, b, g), plain));
    deterministic(true);
    CHECK(same_bits(all_maps(c, x, w, b, g), plain));
    deterministic(false);
    CHECK(same_bits(kernels::convolution(x, w, {}, c), kernels::reference::convolution(x, w, {}, c)));
  }
  CHECK(through >= 100);
}

TEST_CASE("the plain convolution is what the definition says, the others are its transposed maps") {
  for (std::uint64_t seed = 200; seed < 220; ++seed) {
    const Convolution c = random_convolution(seed);
    INFO(text(c));
    const Tensor x = whole_numbers(c.x_shape(), seed).to(f64), w = whole_numbers(c.weight_shape(), seed + 1).to(f64),
                 b = whole_numbers({c.out}, seed + 2).to(f64), g = whole_numbers(c.y_shape(), seed + 3).to(f64);
    const Maps plain = reference_maps(c, x, w, b, g);
    CHECK(same_bits(plain.y, by_definition(c, x, w, b)));
    const double contracted = dot(kernels::reference::convolution(x, w, {}, c), g);
    CHECK(dot(plain.dx, x) == contracted);
    CHECK(dot(plain.dw, w) == contracted);
  }
}

TEST_CASE("what oneDNN doesn't take is computed all the same") {
  // A row more of input than the output sees, as a transposed convolution with output_padding 2 and dilation 3 has it.
  const Convolution c{2, 1, 5, 6, {13, 9}, {3, 3}, {3, 3}, {2, 1}, {0, 0}, {3, 3}};
  CHECK(!kernels::onednn::takes(c));
  const Tensor x = whole_numbers(c.x_shape(), 1), w = whole_numbers(c.weight_shape(), 2), b = whole_numbers({6}, 3),
               g = whole_numbers(c.y_shape(), 4);
  CHECK(same_bits(all_maps(c, x, w, b, g), reference_maps(c, x, w, b, g)));
  for (const Convolution& empty : {Convolution{0, 1, 2, 3, {5, 5}, {3, 3}, {3, 3}, {1, 1}, {0, 0}, {1, 1}},
                                   Convolution{2, 1, 0, 3, {5, 5}, {3, 3}, {3, 3}, {1, 1}, {0, 0}, {1, 1}},
                                   Convolution{2, 1, 2, 0, {5, 5}, {3, 3}, {3, 3}, {1, 1}, {0, 0}, {1, 1}}}) {
    INFO(text(empty));
    const Maps maps = all_maps(empty, Tensor::ones(empty.x_shape()), Tensor::ones(empty.weight_shape()),
                               Tensor::ones({empty.out}), Tensor::ones(empty.y_shape()));
    for (std::int64_t i = 0; i < maps.y.numel(); ++i) CHECK(maps.y.data<float>()[i] == 1);
    CHECK(test::largest(maps.dx) == 0);
    CHECK(test::largest(maps.dw) == 0);
  }
}

TEST_CASE("multiply-adds of the three maps are counted") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Convolution c = random_convolution(seed);
    const std::int64_t before = kernels::multiply_adds;
    all_maps(c, Tensor::ones(c.x_shape()), Tensor::ones(c.weight_shape()), Tensor(), Tensor::ones(c.y_shape()));
    CHECK(kernels::multiply_adds - before ==
          3 * c.batch * c.out * c.output[0] * c.output[1] * c.weight_shape().numel() / c.out);
  }
}

TEST_CASE("views are read as they stand") {
  const Convolution c{2, 1, 8, 8, {12, 10}, {3, 3}, {10, 8}, {1, 1}, {0, 0}, {1, 1}};
  const Tensor x = whole_numbers({10, 12, 8, 2}, 1).permute({3, 2, 1, 0}),
               w = whole_numbers({3, 3, 8, 8}, 2).permute({3, 2, 1, 0}), b = whole_numbers({16}, 3).slice(0, 4, 12).flip(0),
               g = whole_numbers({2, 8, 10, 9}, 4).slice(3, 1, 9);
  CHECK(same_bits(all_maps(c, x, w, b, g), reference_maps(c, x.contiguous(), w.contiguous(), b.contiguous(), g.contiguous())));
}

TEST_CASE("deterministic convolutions have the same bits for any number of threads") {
  const std::vector<Convolution> all = {{9, 1, 16, 24, {20, 18}, {3, 3}, {20, 18}, {1, 1}, {1, 1}, {1, 1}},
                                        {5, 2, 8, 12, {31, 17}, {3, 5}, {16, 9}, {2, 2}, {1, 2}, {1, 1}},
                                        {1, 16, 16, 16, {40, 40}, {3, 3}, {38, 38}, {1, 1}, {0, 0}, {1, 1}},
                                        {17, 1, 3, 8, {9, 33}, {1, 7}, {9, 9}, {1, 3}, {0, 0}, {1, 1}}};
  const int threads = num_threads();
  deterministic(true);
  for (const Convolution& c : all) {
    INFO(text(c));
    const Tensor x = test::uniform(c.x_shape(), -1, 1, 1, f32), w = test::uniform(c.weight_shape(), -1, 1, 2, f32),
                 b = test::uniform({c.out}, -1, 1, 3, f32), g = test::uniform(c.y_shape(), -1, 1, 4, f32);
    set_num_threads(1);
    const Maps one = all_maps(c, x, w, b, g);
    const Maps wide = reference_maps(c, x.to(f64), w.to(f64), b.to(f64), g.to(f64));
    CHECK(test::largest_difference(one.y.to(f64), wide.y) <= 1e-5 * test::largest(wide.y));
    CHECK(test::largest_difference(one.dx.to(f64), wide.dx) <= 1e-5 * test::largest(wide.dx));
    CHECK(test::largest_difference(one.dw.to(f64), wide.dw) <= 1e-5 * test::largest(wide.dw));
    for (const int n : {2, 3, 8}) {
      set_num_threads(n);
      CHECK(same_bits(all_maps(c, x, w, b, g), one));
    }
  }
  deterministic(false);
  set_num_threads(threads);
}

TEST_CASE("a NaN reaches every result that it belongs to, and no other") {
  const Convolution c{1, 1, 8, 8, {9, 9}, {3, 3}, {7, 7}, {1, 1}, {0, 0}, {1, 1}};
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Tensor x = test::uniform(c.x_shape(), 0.5, 1, 1, f32);
    const Tensor w = test::uniform(c.weight_shape(), 0.5, 1, 2, f32);
    x.mutable_data<float>()[0] = bad;  // in the window of the first element alone
    const Tensor y = kernels::convolution(x, w, {}, c), dx = kernels::convolution_input(y, w, c),
                 dw = kernels::convolution_weight(Tensor::ones(c.y_shape()), x, c);
    for (std::int64_t o = 0; o < 8; ++o) {
      CHECK(!std::isfinite(y.at({0, o, 0, 0})));
      CHECK(std::isfinite(y.at({0, o, 0, 1})));
      CHECK(std::isfinite(y.at({0, o, 6, 6})));
      CHECK(!std::isfinite(dw.at({o, 0, 0, 0})));
      CHECK(std::isfinite(dw.at({o, 0, 0, 1})));
      CHECK(std::isfinite(dw.at({o, 1, 0, 0})));
      CHECK(!std::isfinite(dx.at({0, o, 2, 2})));
      CHECK(std::isfinite(dx.at({0, o, 3, 0})));
    }
    Tensor weight = w.clone();
    weight.mutable_data<float>()[0] = bad;  // of the first output channel
    const Tensor z = kernels::convolution(Tensor::ones(c.x_shape()), weight, {}, c);
    CHECK(!std::isfinite(z.at({0, 0, 3, 3})));
    CHECK(std::isfinite(z.at({0, 1, 3, 3})));
  }
}

}  // namespace
}  // namespace weft
