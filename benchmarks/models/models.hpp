#pragma once
// The works in weft, one file each.
#include <string_view>

#include "weft/nn/module.hpp"
#include "weft/tensor/tensor.hpp"
#include "work/work.hpp"

namespace bench {

Work attention(const Settings& settings);
Work conv(const Settings& settings);
Work ctc(const Settings& settings);
Work gpt2(const Settings& settings);
Work lstm(const Settings& settings);
Work mlp(const Settings& settings);
Work ragged(const Settings& settings);
Work tape(const Settings& settings);
Work transformer(const Settings& settings);

inline weft::DType dtype_of(const Settings& settings) { return settings.f64 ? weft::f64 : weft::f32; }

/// Element i is `scale` times value_of(name, i).
weft::Tensor data(std::string_view name, const weft::Shape& shape, weft::DType dtype, double scale = 1);
/// Ids (i32) by token_of.
weft::Tensor tokens(const weft::Shape& shape, std::int64_t vocabulary, std::int64_t seed);
/// Gives every parameter its first values, in the settings' dtype.
void fill_parameters(weft::nn::ModuleBase& model, const Settings& settings);

}  // namespace bench
