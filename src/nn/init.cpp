#include "weft/nn/init.hpp"

#include <cmath>

#include "base/draws.hpp"
#include "base/fail.hpp"
#include "weft/base/random.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "initialise";

struct Fans {
  double in, out;
};

Fans fans_of(const Parameter& parameter) {
  const Shape& shape = parameter.shape();
  check<ShapeError>(shape.rank() >= 2, op, "'{}' has shape {}; only a weight [out, in, ...] has fans", parameter.name(), shape);
  double window = 1;
  for (int i = 2; i < shape.rank(); ++i) window *= static_cast<double>(shape[i]);
  return {static_cast<double>(shape[1]) * window, static_cast<double>(shape[0]) * window};
}

/// The same in terms of constant, uniform (low, high) and normal (mean, deviation).
Init resolve(const Init& init, const Parameter& parameter) {
  switch (init.kind) {
    case Init::Kind::constant:
    case Init::Kind::uniform:
    case Init::Kind::normal: return init;
    case Init::Kind::xavier_uniform: {
      const Fans fans = fans_of(parameter);
      const double bound = init.a * std::sqrt(6 / (fans.in + fans.out));
      return init::uniform(-bound, bound);
    }
    case Init::Kind::xavier_normal: {
      const Fans fans = fans_of(parameter);
      return init::normal(0, init.a * std::sqrt(2 / (fans.in + fans.out)));
    }
    case Init::Kind::kaiming_uniform: {
      const double bound = std::sqrt(6 / ((1 + init.a * init.a) * fans_of(parameter).in));
      return init::uniform(-bound, bound);
    }
  }
  return init;
}

template <class T>
void fill(T* to, std::int64_t count, const Init& init, std::uint64_t seed, std::uint64_t name) {
  if (init.kind == Init::Kind::constant) {
    std::fill_n(to, count, static_cast<T>(init.a));
    return;
  }
  for (std::int64_t i = 0; i < count; i += 2) {
    const detail::Draws uniform = detail::uniform_draws(seed, name, static_cast<std::uint64_t>(i) / 2);
    const bool normal = init.kind == Init::Kind::normal;
    const detail::Draws draws = normal ? detail::normal_draws(uniform, init.b) : uniform;
    const double factor = normal ? 1 : init.b - init.a;
    to[i] = static_cast<T>(init.a + factor * draws.first);
    if (i + 1 < count) to[i + 1] = static_cast<T>(init.a + factor * draws.second);
  }
}

}  // namespace

void initialise(Parameter& parameter, const Init& init, std::uint64_t seed) {
  Tensor& value = parameter.mutable_value();
  if (value.numel() == 0) return;
  const Init resolved = resolve(init, parameter);
  check<ValueError>(resolved.kind != Init::Kind::uniform || resolved.a <= resolved.b, op, "'{}': {} to {} is no range",
                    parameter.name(), resolved.a, resolved.b);
  check<ValueError>(resolved.kind != Init::Kind::normal || resolved.b >= 0, op, "'{}': {} is no standard deviation",
                    parameter.name(), resolved.b);
  const std::uint64_t name = hash_of(parameter.name().c_str());
  if (value.dtype() == f32)
    fill(value.mutable_data<float>(), value.numel(), resolved, seed, name);
  else
    fill(value.mutable_data<double>(), value.numel(), resolved, seed, name);
}

}  // namespace weft::nn
