#include "kernels/onednn.hpp"

#include <omp.h>

#include <array>
#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>

#include "base/fail.hpp"
#include "weft/base/threads.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::kernels::onednn {
namespace {

// Primitives that one thread keeps; oneDNN's own cache shares the code between threads.
constexpr std::size_t capacity = 512;

thread_local int depth = 0;

struct Inside {
  Inside() { ++depth; }
  ~Inside() { --depth; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

// oneDNN takes its threads from OpenMP's setting for the calling thread; ours stands there only during the call.
class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()), now_(count) {
    if (now_ != before_) omp_set_num_threads(now_);
  }
  ~Threads() {
    if (now_ != before_) omp_set_num_threads(before_);
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  int count() const { return now_; }

 private:
  int before_, now_;
};

const dnnl::engine& cpu() {
  static const auto* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);  // outlives every thread's primitives
  return *engine;
}

using Key = std::array<std::int64_t, 14>;

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const std::int64_t part : key) hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(hash ^ hash >> 29);
  }
};

struct Primitive {
  dnnl::matmul matmul;
  dnnl::memory a, b, c, bias, scratch;
  std::size_t scratch_bytes;
  std::uint64_t last_use;
};

struct Cache {
  std::unordered_map<Key, Primitive, KeyHash> primitives;
  std::uint64_t uses = 0;
  dnnl::stream stream{cpu()};
};

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
  return {dnnl::matmul(descriptor), handle(a),          handle(b), handle(c), p.bias != nullptr ? handle(bias) : dnnl::memory(),
          handle(scratch),          scratch.get_size(), 0};
}

void forget_oldest(Cache& local) {
  auto oldest = local.primitives.begin();
  for (auto it = local.primitives.begin(); it != local.primitives.end(); ++it)
    if (it->second.last_use < oldest->second.last_use) oldest = it;
  local.primitives.erase(oldest);
}

Primitive& find(Cache& local, const Product& p, int threads) {
  const Key key = {p.batch,
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
  auto found = local.primitives.find(key);
  if (found == local.primitives.end()) {
    if (local.primitives.size() >= capacity) forget_oldest(local);
    found = local.primitives.emplace(key, create(p)).first;
  }
  found->second.last_use = ++local.uses;
  return found->second;
}

void set(const dnnl::memory& memory, const void* data) {
  memory.set_data_handle(const_cast<void*>(data));  // NOLINT(cppcoreguidelines-pro-type-const-cast): oneDNN's sources are void*
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
      set(primitive.scratch, scratch.raw());
    }
    set(primitive.a, product.a.data);
    set(primitive.b, product.b.data);
    set(primitive.c, product.c);
    if (product.bias != nullptr) set(primitive.bias, product.bias);
    const std::array<dnnl_exec_arg_t, 5> arguments = {
        {{DNNL_ARG_SRC, primitive.a.get()},
         {DNNL_ARG_WEIGHTS, primitive.b.get()},
         {DNNL_ARG_DST, primitive.c.get()},
         {DNNL_ARG_SCRATCHPAD, primitive.scratch.get()},
         {DNNL_ARG_BIAS, product.bias != nullptr ? primitive.bias.get() : nullptr}}};
    const int count = product.bias != nullptr ? 5 : 4;
    dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.matmul.get(), local.stream.get(), count, arguments.data()),
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
void multiply(const Product& product) { execute(product, omp_in_parallel() ? 1 : num_threads()); }
void multiply_serial(const Product& product) { execute(product, 1); }

}  // namespace weft::kernels::onednn
