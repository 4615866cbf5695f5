#include "kernels/onednn_convolution.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "kernels/onednn_support.hpp"
#include "weft/base/threads.hpp"

namespace weft::kernels::onednn {
namespace {

using Dims = dnnl::memory::dims;
using Pass = ConvolutionPass;

struct Primitive {
  dnnl::primitive convolution;
  dnnl::memory first, second, bias, result, scratch;
  std::size_t scratch_bytes;
};

using Cache = PrimitiveCache<Primitive, 18>;

Cache& cache() {
  thread_local Cache local;
  return local;
}

// Padding behind the last row or column: what the output reaches beyond the input; negative where it stops before its end.
std::int64_t padding_behind(const Convolution& c, std::size_t i) {
  const std::int64_t reach = (c.output[i] - 1) * c.stride[i] + (c.kernel[i] - 1) * c.dilation[i] + 1;
  return reach - c.padding[i] - c.input[i];
}

// What a primitive's maker is given, in oneDNN's terms.
struct Description {
  dnnl::memory::desc x, weight, y, bias;
  Dims stride, dilation, before, behind;
  bool with_bias;
};

Description describe(const Convolution& c, bool with_bias) {
  using Tag = dnnl::memory::format_tag;
  constexpr auto type = dnnl::memory::data_type::f32;
  Description d;
  d.x = {{c.batch, c.in, c.input[0], c.input[1]}, type, Tag::nchw};
  d.y = {{c.batch, c.out, c.output[0], c.output[1]}, type, Tag::nchw};
  if (c.groups == 1) {
    d.weight = {{c.out, c.in, c.kernel[0], c.kernel[1]}, type, Tag::oihw};
  } else {
    d.weight = {{c.groups, c.out / c.groups, c.in / c.groups, c.kernel[0], c.kernel[1]}, type, Tag::goihw};
  }
  if (with_bias) d.bias = {{c.out}, type, Tag::a};
  d.stride = {c.stride[0], c.stride[1]};
  d.dilation = {c.dilation[0] - 1, c.dilation[1] - 1};
  d.before = {c.padding[0], c.padding[1]};
  d.behind = {padding_behind(c, 0), padding_behind(c, 1)};
  d.with_bias = with_bias;
  return d;
}

constexpr auto training = dnnl::prop_kind::forward_training;
constexpr auto direct = dnnl::algorithm::convolution_direct;

#if DNNL_VERSION_MAJOR >= 3
dnnl::convolution_forward::primitive_desc forward(const Description& d, const dnnl::primitive_attr& attributes) {
  using Made = dnnl::convolution_forward::primitive_desc;
  return d.with_bias
             ? Made(cpu(), training, direct, d.x, d.weight, d.bias, d.y, d.stride, d.dilation, d.before, d.behind, attributes)
             : Made(cpu(), training, direct, d.x, d.weight, d.y, d.stride, d.dilation, d.before, d.behind, attributes);
}

dnnl::convolution_backward_data::primitive_desc backward_data(const Description& d, const dnnl::primitive_attr& attributes) {
  return {cpu(), direct, d.x, d.weight, d.y, d.stride, d.dilation, d.before, d.behind, forward(d, attributes), attributes};
}

dnnl::convolution_backward_weights::primitive_desc backward_weights(const Description& d,
                                                                    const dnnl::primitive_attr& attributes) {
  return {cpu(), direct, d.x, d.weight, d.y, d.stride, d.dilation, d.before, d.behind, forward(d, attributes), attributes};
}
#else
dnnl::convolution_forward::primitive_desc forward(const Description& d, const dnnl::primitive_attr& attributes) {
  using Made = dnnl::convolution_forward::desc;
  const Made operation = d.with_bias
                             ? Made(training, direct, d.x, d.weight, d.bias, d.y, d.stride, d.dilation, d.before, d.behind)
                             : Made(training, direct, d.x, d.weight, d.y, d.stride, d.dilation, d.before, d.behind);
  return {operation, attributes, cpu()};
}

dnnl::convolution_backward_data::primitive_desc backward_data(const Description& d, const dnnl::primitive_attr& attributes) {
  const dnnl::convolution_backward_data::desc operation(direct, d.x, d.weight, d.y, d.stride, d.dilation, d.before, d.behind);
  return {operation, attributes, cpu(), forward(d, attributes)};
}

dnnl::convolution_backward_weights::primitive_desc backward_weights(const Description& d,
                                                                    const dnnl::primitive_attr& attributes) {
  const dnnl::convolution_backward_weights::desc operation(direct, d.x, d.weight, d.y, d.stride, d.dilation, d.before,
                                                           d.behind);
  return {operation, attributes, cpu(), forward(d, attributes)};
}
#endif

Primitive create(Pass pass, const Convolution& c, bool with_bias) {
  const Description d = describe(c, with_bias);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto handle = [](const dnnl::memory::desc& description) { return dnnl::memory(description, cpu(), nullptr); };
  const auto bundle = [&](const auto& made, const dnnl::primitive& primitive, const dnnl::memory::desc& first,
                          const dnnl::memory::desc& second, const dnnl::memory::desc& result) {
    const auto scratch = made.scratchpad_desc();
    return Primitive{primitive,      handle(first),   handle(second),    with_bias ? handle(d.bias) : dnnl::memory(),
                     handle(result), handle(scratch), scratch.get_size()};
  };
  switch (pass) {
    case Pass::y: {
      const auto made = forward(d, attributes);
      return bundle(made, dnnl::convolution_forward(made), d.x, d.weight, d.y);
    }
    case Pass::x: {
      const auto made = backward_data(d, attributes);
      return bundle(made, dnnl::convolution_backward_data(made), d.y, d.weight, d.x);
    }
    case Pass::weight: break;
  }
  const auto made = backward_weights(d, attributes);
  return bundle(made, dnnl::convolution_backward_weights(made), d.y, d.x, d.weight);
}

Primitive& find(Cache& local, Pass pass, const Convolution& c, bool with_bias, int threads) {
  const Cache::Key key = {static_cast<std::int64_t>(pass) * 2 + (with_bias ? 1 : 0),
                          c.batch,
                          c.groups,
                          c.in,
                          c.out,
                          c.input[0],
                          c.input[1],
                          c.kernel[0],
                          c.kernel[1],
                          c.output[0],
                          c.output[1],
                          c.stride[0],
                          c.stride[1],
                          c.padding[0],
                          c.padding[1],
                          c.dilation[0],
                          c.dilation[1],
                          threads};
  return local.find(key, [&] { return create(pass, c, with_bias); });
}

// The names of the first operand, the second and the result.
std::array<int, 3> arguments_of(Pass pass) {
  switch (pass) {
    case Pass::y: return {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    case Pass::x: return {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC};
    case Pass::weight: break;
  }
  return {DNNL_ARG_DIFF_DST, DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS};
}

}  // namespace

bool takes(const Convolution& c) {
  const auto positive = [](const std::array<std::int64_t, 2>& sizes) { return sizes[0] > 0 && sizes[1] > 0; };
  return c.batch > 0 && c.in > 0 && c.out > 0 && positive(c.input) && positive(c.kernel) && positive(c.output) &&
         padding_behind(c, 0) > -c.stride[0] && padding_behind(c, 1) > -c.stride[1];
}

void convolve(ConvolutionPass pass, const Convolution& c, const float* first, const float* second, const float* bias,
              float* result, bool serial) {
  try {
    const Inside guard;
    const Threads threads(serial || omp_in_parallel() ? 1 : num_threads());
    Cache& local = cache();
    const Primitive& primitive = find(local, pass, c, bias != nullptr, threads.count());
    Tensor scratch;
    if (primitive.scratch_bytes > 0) {
      const MemoryCategoryGuard category(MemoryCategory::scratch);
      scratch = Tensor::empty({static_cast<std::int64_t>(primitive.scratch_bytes)}, boolean);
      set_data(primitive.scratch, scratch.raw());
    }
    set_data(primitive.first, first);
    set_data(primitive.second, second);
    set_data(primitive.result, result);
    if (bias != nullptr) set_data(primitive.bias, bias);
    const auto names = arguments_of(pass);
    const std::array<dnnl_exec_arg_t, 5> arguments = {{{names[0], primitive.first.get()},
                                                       {names[1], primitive.second.get()},
                                                       {names[2], primitive.result.get()},
                                                       {DNNL_ARG_SCRATCHPAD, primitive.scratch.get()},
                                                       {DNNL_ARG_BIAS, bias != nullptr ? primitive.bias.get() : nullptr}}};
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive.convolution.get(), local.stream().get(), bias != nullptr ? 5 : 4, arguments.data()),
        "could not execute a convolution");
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw LibraryError(fmt::format("[convolution] oneDNN failed with status {} ({}) for input {}, weight {}, output {}",
                                   static_cast<int>(error.status), error.what(), c.x_shape(), c.weight_shape(), c.y_shape()),
                       static_cast<int>(error.status));
  }
}

}  // namespace weft::kernels::onednn
