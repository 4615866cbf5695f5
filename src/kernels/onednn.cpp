#include "kernels/onednn.hpp"

#include <algorithm>
#include <new>

#include "base/fail.hpp"
#include "kernels/onednn_support.hpp"

namespace weft::kernels::onednn {
namespace {

// oneDNN's letter and leading dimension of x [rows, columns]: at least what a line of it spans, where there is but one line
// too.
char letter(const Matrix& x) { return x.column == 1 ? 'N' : 'T'; }
std::int64_t leading(const Matrix& x, std::int64_t rows, std::int64_t columns) {
  return x.column == 1 ? std::max(x.row, columns) : std::max(x.column, rows);
}

}  // namespace

bool unpacked(std::int64_t m, std::int64_t n) {
  static const bool avx2 = dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx2;
  return avx2 && 1.0 / static_cast<double>(m) + 1.0 / static_cast<double>(n) >= 0.0038;  // its own rule
}

bool inside() { return depth > 0; }

// The function, not a matmul primitive: it is as fast for large products, twice as fast for small ones, and a new shape needs
// no primitive, which takes as long as a product of 150^3.
void multiply(const Product& p, int threads) {
  const Inside guard;
  const Threads ours(threads);
  const dnnl_status_t status = dnnl_sgemm(letter(p.a), letter(p.b), p.m, p.n, p.k, 1, p.a.data, leading(p.a, p.m, p.k),
                                          p.b.data, leading(p.b, p.k, p.n), p.accumulate ? 1.0f : 0.0f, p.c, p.c_row);
  if (status == dnnl_success) return;
  if (status == dnnl_out_of_memory)
    throw OutOfMemoryError(fmt::format(
        "[matmul] oneDNN has no memory left for [{}, {}] times [{}, {}]; smaller batches need less", p.m, p.k, p.k, p.n));
  throw LibraryError(fmt::format("[matmul] oneDNN failed with status {} for [{}, {}] times [{}, {}]", static_cast<int>(status),
                                 p.m, p.k, p.k, p.n),
                     static_cast<int>(status));
}

}  // namespace weft::kernels::onednn
