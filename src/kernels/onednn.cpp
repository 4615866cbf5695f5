#include "kernels/onednn.hpp"

#include <array>

#include "base/fail.hpp"
#include "kernels/onednn_support.hpp"
#include "weft/base/threads.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::kernels::onednn {
namespace {

struct Primitive {
  dnnl::matmul matmul;
  dnnl::memory a, b, c, bias, scratch;
  std::size_t scratch_bytes;
};

using Cache = PrimitiveCache<Primitive, 14>;

// Below this many multiply-adds (some microseconds of one thread) a second thread costs more than it does.
constexpr std::int64_t least_parallel_work = 1 << 18;

Cache& cache() {
  thread_local Cache local;
  return local;
}

dnnl::memory::desc matrices(const Product& p, std::int64_t rows, std::int64_t columns, std::int64_t batch, std::int64_t row,
                            std::int64_t column) {
  using Dims = dnnl::memory::dims;
  constexpr auto type = dnnl::memory::data_type::f32;
  if (p.batch == 1) return {Dims{rows, columns}, type, Dims{row, column}};
  const std::int64_t repeats = batch == 0 ? 1 : p.batch;
  return {Dims{repeats, rows, columns}, type, Dims{batch == 0 ? rows * columns : batch, row, column}};
}

Primitive create(const Product& p) {
  const auto a = matrices(p, p.m, p.k, p.a.batch, p.a.row, p.a.column);
  const auto b = matrices(p, p.k, p.n, p.b.batch, p.b.row, p.b.column);
  const auto c = matrices(p, p.m, p.n, p.c_batch, p.c_row, 1);
  dnnl::memory::desc bias;
  if (p.bias != nullptr) {
    using Dims = dnnl::memory::dims;
    constexpr auto type = dnnl::memory::data_type::f32;
    bias = p.batch == 1 ? dnnl::memory::desc(Dims{1, p.n}, type, Dims{p.n, 1})
                        : dnnl::memory::desc(Dims{1, 1, p.n}, type, Dims{p.n, p.n, 1});
  }
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (p.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
#if DNNL_VERSION_MAJOR >= 3
  const auto descriptor = p.bias != nullptr ? dnnl::matmul::primitive_desc(cpu(), a, b, bias, c, attributes)
                                            : dnnl::matmul::primitive_desc(cpu(), a, b, c, attributes);
#else
  const auto operation = p.bias != nullptr ? dnnl::matmul::desc(a, b, bias, c) : dnnl::matmul::desc(a, b, c);
  const dnnl::matmul::primitive_desc descriptor(operation, attributes, cpu());
#endif
  const auto scratch = descriptor.scratchpad_desc();
  const auto handle = [](const dnnl::memory::desc& description) { return dnnl::memory(description, cpu(), nullptr); };
  return {dnnl::matmul(descriptor), handle(a),         handle(b), handle(c), p.bias != nullptr ? handle(bias) : dnnl::memory(),
          handle(scratch),          scratch.get_size()};
}

Primitive& find(Cache& local, const Product& p, int threads) {
  const Cache::Key key = {p.batch,
                          p.m,
                          p.n,
                          p.k,
                          p.a.batch,
                          p.a.row,
                          p.a.column,
                          p.b.batch,
                          p.b.row,
                          p.b.column,
                          p.c_row,
                          p.batch == 1 ? 0 : p.c_batch,
                          (p.bias != nullptr ? 2 : 0) + (p.accumulate ? 1 : 0),
                          threads};
  return local.find(key, [&p] { return create(p); });
}

void execute(const Product& product, int thread_count) {
  try {
    const Inside guard;
    const Threads threads(thread_count);
    Cache& local = cache();
    const Primitive& primitive = find(local, product, threads.count());
    Tensor scratch;
    if (primitive.scratch_bytes > 0) {
      const MemoryCategoryGuard category(MemoryCategory::scratch);
      scratch = Tensor::empty({static_cast<std::int64_t>(primitive.scratch_bytes)}, boolean);
      set_data(primitive.scratch, scratch.raw());
    }
    set_data(primitive.a, product.a.data);
    set_data(primitive.b, product.b.data);
    set_data(primitive.c, product.c);
    if (product.bias != nullptr) set_data(primitive.bias, product.bias);
    const std::array<dnnl_exec_arg_t, 5> arguments = {
        {{DNNL_ARG_SRC, primitive.a.get()},
         {DNNL_ARG_WEIGHTS, primitive.b.get()},
         {DNNL_ARG_DST, primitive.c.get()},
         {DNNL_ARG_SCRATCHPAD, primitive.scratch.get()},
         {DNNL_ARG_BIAS, product.bias != nullptr ? primitive.bias.get() : nullptr}}};
    const int count = product.bias != nullptr ? 5 : 4;
    dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.matmul.get(), local.stream().get(), count, arguments.data()),
                            "could not execute a matrix product");
  } catch (const dnnl::error& error) {
    const std::string message =
        fmt::format("[matmul] oneDNN failed with status {} ({}) for {} x [{}, {}] times [{}, {}]",
                    static_cast<int>(error.status), error.what(), product.batch, product.m, product.k, product.k, product.n);
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw LibraryError(message, static_cast<int>(error.status));
  }
}

}  // namespace

bool inside() { return depth > 0; }
void multiply(const Product& product) {
  const bool small = product.batch * product.m * product.n * product.k < least_parallel_work;
  execute(product, small || omp_in_parallel() ? 1 : num_threads());
}
void multiply_serial(const Product& product) { execute(product, 1); }

}  // namespace weft::kernels::onednn
