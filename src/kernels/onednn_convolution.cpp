#include "kernels/onednn_convolution.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/fail.hpp"
#include "kernels/onednn_support.hpp"
#include "weft/base/threads.hpp"

namespace weft::kernels::onednn {
namespace {

using Dims = dnnl::memory::dims;
using Pass = ConvolutionPass;

// An array as it is given and as the convolution wants it: in blocks of channels, most of the time.
struct Operand {
  dnnl::memory given, wanted;
  dnnl::primitive reorder;  // between the two; none where they are the same
  bool same() const { return reorder.get(true) == nullptr; }
};

struct Primitive {
  dnnl::primitive convolution;
  Operand first, second, result;
  dnnl::memory bias, scratch;
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

using Tag = dnnl::memory::format_tag;
constexpr auto type = dnnl::memory::data_type::f32;

// What a primitive's maker is given, in oneDNN's terms; the layouts of x, weight and y are its choice.
struct Description {
  dnnl::memory::desc x, weight, y, bias;
  Dims stride, dilation, before, behind;
  bool with_bias;
};

dnnl::memory::desc weight_desc(const Convolution& c, Tag whole, Tag grouped) {
  if (c.groups == 1) return {{c.out, c.in, c.kernel[0], c.kernel[1]}, type, whole};
  return {{c.groups, c.out / c.groups, c.in / c.groups, c.kernel[0], c.kernel[1]}, type, grouped};
}

Description describe(const Convolution& c, bool with_bias) {
  Description d;
  d.x = {{c.batch, c.in, c.input[0], c.input[1]}, type, Tag::any};
  d.y = {{c.batch, c.out, c.output[0], c.output[1]}, type, Tag::any};
  d.weight = weight_desc(c, Tag::any, Tag::any);
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

dnnl::memory handle(const dnnl::memory::desc& description) { return {description, cpu(), nullptr}; }

Operand operand(const dnnl::memory::desc& given, const dnnl::memory::desc& wanted, bool is_result) {
  Operand o{handle(given), handle(wanted), {}};
  if (given == wanted) return o;
  o.reorder = is_result ? dnnl::reorder(o.wanted, o.given) : dnnl::reorder(o.given, o.wanted);
  return o;
}

Primitive create(Pass pass, const Convolution& c, bool with_bias) {
  const Description d = describe(c, with_bias);
  const dnnl::memory::desc x({c.batch, c.in, c.input[0], c.input[1]}, type, Tag::nchw),
      y({c.batch, c.out, c.output[0], c.output[1]}, type, Tag::nchw), weight = weight_desc(c, Tag::oihw, Tag::goihw);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  switch (pass) {
    case Pass::y: {
      const auto made = forward(d, attributes);
      return {dnnl::convolution_forward(made),
              operand(x, made.src_desc(), false),
              operand(weight, made.weights_desc(), false),
              operand(y, made.dst_desc(), true),
              with_bias ? handle(d.bias) : dnnl::memory(),
              handle(made.scratchpad_desc())};
    }
    case Pass::x: {
      const auto made = backward_data(d, attributes);
      return {dnnl::convolution_backward_data(made),
              operand(y, made.diff_dst_desc(), false),
              operand(weight, made.weights_desc(), false),
              operand(x, made.diff_src_desc(), true),
              {},
              handle(made.scratchpad_desc())};
    }
    case Pass::weight: break;
  }
  const auto made = backward_weights(d, attributes);
  return {dnnl::convolution_backward_weights(made),
          operand(y, made.diff_dst_desc(), false),
          operand(x, made.src_desc(), false),
          operand(weight, made.diff_weights_desc(), true),
          {},
          handle(made.scratchpad_desc())};
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

// Room for what a primitive wants beyond its arguments; undefined where that is nothing.
Tensor room_for(const dnnl::memory& memory) {
  const std::size_t bytes = memory.get_desc().get_size();
  if (bytes == 0) return {};
  const MemoryCategoryGuard category(MemoryCategory::scratch);
  Tensor room = Tensor::empty({static_cast<std::int64_t>(bytes)}, boolean);
  set_data(memory, room.raw());
  return room;
}

void execute(const dnnl::primitive& primitive, const dnnl::stream& stream, std::span<const dnnl_exec_arg_t> arguments) {
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(primitive.get(), stream.get(), static_cast<int>(arguments.size()), arguments.data()),
      "could not execute a convolution");
}

void reorder(const Operand& o, const dnnl::memory& from, const dnnl::memory& to, const dnnl::stream& stream) {
  const std::array<dnnl_exec_arg_t, 2> arguments = {{{DNNL_ARG_FROM, from.get()}, {DNNL_ARG_TO, to.get()}}};
  execute(o.reorder, stream, arguments);
}

// The data of an operand as it is wanted; the room that this takes.
Tensor give(const Operand& o, const float* data, const dnnl::stream& stream) {
  set_data(o.given, data);
  if (o.same()) {
    set_data(o.wanted, data);
    return {};
  }
  Tensor room = room_for(o.wanted);
  reorder(o, o.given, o.wanted, stream);
  return room;
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
    const Tensor scratch = room_for(primitive.scratch), first_room = give(primitive.first, first, local.stream()),
                 second_room = give(primitive.second, second, local.stream());
    set_data(primitive.result.given, result);
    Tensor result_room;
    if (primitive.result.same())
      set_data(primitive.result.wanted, result);
    else
      result_room = room_for(primitive.result.wanted);
    if (bias != nullptr) set_data(primitive.bias, bias);
    const auto names = arguments_of(pass);
    const std::array<dnnl_exec_arg_t, 5> arguments = {{{names[0], primitive.first.wanted.get()},
                                                       {names[1], primitive.second.wanted.get()},
                                                       {names[2], primitive.result.wanted.get()},
                                                       {DNNL_ARG_SCRATCHPAD, primitive.scratch.get()},
                                                       {DNNL_ARG_BIAS, bias != nullptr ? primitive.bias.get() : nullptr}}};
    execute(primitive.convolution, local.stream(), std::span(arguments).first(bias != nullptr ? 5 : 4));
    if (!primitive.result.same()) reorder(primitive.result, primitive.result.wanted, primitive.result.given, local.stream());
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory)
      throw OutOfMemoryError(
          fmt::format("[convolution] oneDNN has no memory left for input {}, weight {}, output {}; smaller batches need less",
                      c.x_shape(), c.weight_shape(), c.y_shape()));
    throw LibraryError(fmt::format("[convolution] oneDNN failed with status {} ({}) for input {}, weight {}, output {}",
                                   static_cast<int>(error.status), error.what(), c.x_shape(), c.weight_shape(), c.y_shape()),
                       static_cast<int>(error.status));
  }
}

}  // namespace weft::kernels::onednn
