#pragma once
#include <cstdint>

#include "weft/autograd/parameter.hpp"

namespace weft::nn {

/// How a parameter gets its first values; made by the functions of nn::init.
struct Init {
  enum class Kind { constant, uniform, normal, xavier_uniform, xavier_normal, kaiming_uniform };
  Kind kind = Kind::constant;
  double a = 0;
  double b = 0;
};

/// Fans are those of a weight [out, in, ...]: fan_in = in * ..., fan_out = out * ...
namespace init {

inline Init constant(double value) { return {Init::Kind::constant, value}; }
inline Init zeros() { return constant(0); }
inline Init ones() { return constant(1); }
inline Init uniform(double low, double high) { return {Init::Kind::uniform, low, high}; }
inline Init normal(double mean = 0, double deviation = 1) { return {Init::Kind::normal, mean, deviation}; }
/// Glorot & Bengio 2010: uniform within gain * sqrt(6 / (fan_in + fan_out)), normal with gain * sqrt(2 / (fan_in + fan_out)).
inline Init xavier_uniform(double gain = 1) { return {Init::Kind::xavier_uniform, gain}; }
inline Init xavier_normal(double gain = 1) { return {Init::Kind::xavier_normal, gain}; }
/// He et al. 2015 for a leaky ReLU of slope a: uniform within sqrt(6 / ((1 + a^2) fan_in)).
inline Init kaiming_uniform(double a = 0) { return {Init::Kind::kaiming_uniform, a}; }

}  // namespace init

/// Gives every element its first value: a function of (seed, the parameter's name, the element's place) alone.
/// Throws ValueError for a range or deviation that is none, ShapeError where a fan is asked of a vector.
void initialise(Parameter& parameter, const Init& init, std::uint64_t seed = 0);

}  // namespace weft::nn
