#pragma once
#include <cstdint>

#include "kernels/onednn.hpp"

namespace weft::kernels {

/// Our own products, for those that oneDNN's calls are too slow for: b goes in panels of this many columns, side by side for
/// each of the k rows, and sums stay in registers. Every sum runs over k in order, so bits depend on nothing but the shape and
/// the instruction set.
std::int64_t panel_width();

/// `columns` (at most panel_width()) of b [k, ...], from its first on, into a panel [k, panel_width()]; zeros behind the last.
/// Strides of b are positive.
void pack_panel(const onednn::Matrix& b, std::int64_t k, std::int64_t columns, float* panel);

/// c [m, columns] (+)= a [m, k] times a panel. Rows of c stand c_row apart.
void multiply_panel(std::int64_t m, std::int64_t k, const onednn::Matrix& a, const float* panel, float* c, std::int64_t c_row,
                    std::int64_t columns, bool accumulate);

/// Elements of b at most that are packed for a small product, which are on the stack.
inline constexpr std::int64_t most_packed = 2048;
/// Whether multiply_small is faster than a call of oneDNN: 1.1 to 6 times for at least 8 rows, a full panel and few columns.
bool is_small(const onednn::Product& product);
/// The product on this thread.
void multiply_small(const onednn::Product& product);

}  // namespace weft::kernels
