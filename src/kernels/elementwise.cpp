#include "kernels/elementwise.hpp"

#include <cmath>
#include <cstring>

#include "base/fail.hpp"
#include "kernels/elementwise_functions.hpp"
#include "kernels/elementwise_rows.hpp"
#include "kernels/elementwise_walk.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

std::int64_t width(DType type) { return static_cast<std::int64_t>(size_of(type)); }
std::size_t unsign(std::int64_t n) { return static_cast<std::size_t>(n); }

void check_defined(const Tensor& x, const char* op) {
  check<ValueError>(x.defined(), op, "the operand is undefined; it needs a value");
}

void check_same_dtype(const Tensor& a, const Tensor& b, const char* op) {
  check<ValueError>(a.defined() && b.defined(), op, "the operands are {} and {}; both need a value", a, b);
  check<DTypeError>(a.dtype() == b.dtype(), op, "dtypes differ: {} and {}; convert one with to()", a, b);
}

bool dense_floats(const Tensor& x) { return x.defined() && x.dtype() == f32 && x.is_contiguous(); }

// body(begin, end) over [0, count): in one piece where that is a chunk at most.
template <class Body>
void flat(std::int64_t count, const Body& body) {
  if (count <= elements_per_chunk)
    body(std::int64_t{0}, count);
  else
    parallel_chunks(count, elements_per_chunk, body);
}

// A row whose operands step by 1 or 0.
void vector_row(Binary function, const VectorRows& rows, const float* a, const float* b, float* y, std::int64_t n,
                std::int64_t step_a, std::int64_t step_b) {
  if (step_a == 0 && step_b == 0) {
    std::fill_n(y, n, *a);
    a = y;
  }
  const Sides sides = step_b == 0 ? Sides::right_number : step_a == 0 ? Sides::left_number : Sides::both;
  rows.row(function, sides)(a, b, y, unsign(n));
}

// What a binary function works on; an operand that is null is the number.
struct Operands {
  const Tensor* a;
  const Tensor* b;
  double number;
};

void binary_vector(Binary function, const VectorRows& rows, const Operands& in, Tensor& out) {
  const auto number = static_cast<float>(in.number);
  const float* a = in.a != nullptr ? in.a->data<float>() : &number;
  const float* b = in.b != nullptr ? in.b->data<float>() : &number;
  auto* y = out.mutable_data<float>();
  const Tensor* whole = in.a == nullptr ? in.b : in.b == nullptr ? in.a : nullptr;  // the other operand of a number
  if (whole != nullptr && whole->is_contiguous()) {
    const bool number_left = in.a == nullptr;
    const BinaryVector row = rows.row(function, number_left ? Sides::left_number : Sides::right_number);
    return flat(out.numel(), [=](std::int64_t begin, std::int64_t end) {
      row(number_left ? a : a + begin, number_left ? b + begin : b, y + begin, unsign(end - begin));
    });
  }
  const Walk<3> walk(out.shape(), {&out, in.a, in.b});
  const auto& steps = walk.inner_steps();
  // Elements that stand apart are brought together first.
  if (steps[1] != 0 && steps[1] != 1) {
    const Tensor together = dense(*in.a);
    return binary_vector(function, rows, {&together, in.b, in.number}, out);
  }
  if (steps[2] != 0 && steps[2] != 1) {
    const Tensor together = dense(*in.b);
    return binary_vector(function, rows, {in.a, &together, in.number}, out);
  }
  walk.all([=, &rows, &steps](const auto& at, std::int64_t n) {
    vector_row(function, rows, a + at[1], b + at[2], y + at[0], n, steps[1], steps[2]);
  });
}

void binary_plain(Binary function, const Operands& in, DType type, Tensor& out) {
  alignas(8) std::byte number[8];
  if (in.a == nullptr || in.b == nullptr) store_double(type, number, in.number);
  const std::byte* left = in.a != nullptr ? in.a->raw() : number;
  const std::byte* right = in.b != nullptr ? in.b->raw() : number;
  std::byte* to = out.mutable_raw();
  const Walk<3> walk(out.shape(), {&out, in.a, in.b});
  const BinaryRow row = plain_row(function, type);
  walk.all([=, size = width(type), size_out = width(out.dtype()), &steps = walk.inner_steps()](const auto& at, std::int64_t n) {
    row(to + at[0] * size_out, left + at[1] * size, right + at[2] * size, n, steps[1], steps[2]);
  });
}

Tensor binary_any(Binary function, const Operands& in, const Shape& shape, DType type, const char* op) {
  const Tensor& operand = in.a != nullptr ? *in.a : *in.b;
  check<DTypeError>(scalar::takes(function, type), op, "elements of {} are not supported", operand);
  const double limit = type == DType::i32 ? 0x1p31 : 0x1p63;
  check<ValueError>(is_floating(type) || (in.number == std::floor(in.number) && std::abs(in.number) < limit), op,
                    "the number {} with elements of {}", in.number, operand);
  Tensor out = Tensor::empty(shape, scalar::is_comparison(function) ? boolean : type);
  if (out.numel() == 0) return out;
  if (type == f32) {
    const VectorRows& rows = vector_rows();
    if (rows.row(function, Sides::both) != nullptr) {
      binary_vector(function, rows, in, out);
      return out;
    }
  }
  binary_plain(function, in, type, out);
  return out;
}

template <class T>
void where_row(const bool* choice, const T* yes, const T* no, T* to, std::int64_t n, const Walk<4>::Offsets& steps) {
  if (steps[1] == 1 && steps[2] == 1 && steps[3] == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = choice[i] ? yes[i] : no[i];
  } else if (steps[1] == 1 && steps[2] == 1 && steps[3] == 0) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = choice[i] ? yes[i] : *no;
  } else if (steps[1] == 1 && steps[2] == 0 && steps[3] == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = choice[i] ? *yes : no[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = choice[i * steps[1]] ? yes[i * steps[2]] : no[i * steps[3]];
  }
}

// target = function(target, source) with the source broadcast: row(to, from, n, step_to, step_from) for each run.
template <class T, class Row>
void update(Tensor& target, const Tensor& source, const Row& row) {
  const Walk<2> walk(target.shape(), {&target, &source});
  auto* to = target.mutable_data<T>();
  const auto* from = source.data<T>();
  walk.all([=, &row, &steps = walk.inner_steps()](const auto& at, std::int64_t n) {
    row(to + at[0], from + at[1], n, steps[0], steps[1]);
  });
}

void check_update(const Tensor& target, const Tensor& source, const char* op) {
  check_same_dtype(target, source, op);
  check<ShapeError>(target.shape() == source.shape() || broadcast(target.shape(), source.shape(), op) == target.shape(), op,
                    "{} doesn't broadcast to {}", source, target);
}

struct AddVectors {
  const VectorRows& rows;
  void operator()(float* to, const float* from, std::int64_t n, std::int64_t step_to, std::int64_t step_from) const {
    if (step_to == 1 && (step_from == 1 || step_from == 0)) return vector_row(Binary::add, rows, to, from, to, n, 1, step_from);
    for (std::int64_t i = 0; i < n; ++i) to[i * step_to] += from[i * step_from];
  }
};

struct AddPlain {
  template <class T>
  void operator()(T* to, const T* from, std::int64_t n, std::int64_t step_to, std::int64_t step_from) const {
    for (std::int64_t i = 0; i < n; ++i) {
      T& sum = to[i * step_to];
      if constexpr (std::is_same_v<T, bool>)
        sum = sum || from[i * step_from];
      else
        sum = scalar::apply<Binary::add>(sum, from[i * step_from]);
    }
  }
};

struct LerpPlain {
  double share;
  template <class T>
  void operator()(T* to, const T* from, std::int64_t n, std::int64_t step_to, std::int64_t step_from) const {
    const auto part = static_cast<T>(share);
    if (step_to == 1 && step_from == 1) {
      for (std::int64_t i = 0; i < n; ++i) to[i] += part * (from[i] - to[i]);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) to[i * step_to] += part * (from[i * step_from] - to[i * step_to]);
  }
};

// Copies along the inner dimension, whose elements stand next to each other in the target but not in the source, and
// along the dimension `down`, where it is the other way round: square by square, through one that is at hand, as rows that
// are a power of two apart would push each other out of the cache.
template <class T>
void copy_crosswise(const Walk<2>& walk, std::size_t down, const T* from, T* to) {
  constexpr std::size_t width = sizeof(T) == 8 ? 32 : 64;
  constexpr auto side = static_cast<std::int64_t>(width);
  const std::int64_t to_row = walk.steps[down][0];
  const std::int64_t from_step = walk.inner_steps()[1], rows = walk.sizes[down], columns = walk.sizes[walk.inner];
  const Walk<2> outer = walk.without(down).without(walk.inner - 1);
  const std::int64_t strips = (rows + side - 1) / side;
  const std::int64_t chunk = std::max<std::int64_t>(1, elements_per_chunk / (side * columns));
  parallel_chunks(outer.count * strips, chunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t strip = begin; strip < end; ++strip) {
      const std::int64_t first = strip % strips * side, last = std::min(rows, first + side);
      outer.range(strip / strips, strip / strips + 1, [&](const auto& at, std::int64_t) {
        for (std::int64_t column = 0; column < columns; column += side) {
          const std::int64_t stop = std::min(columns, column + side);
          T square[width][width];
          for (std::int64_t j = column; j < stop; ++j)
            for (std::int64_t i = first; i < last; ++i) square[i - first][j - column] = from[at[1] + i + j * from_step];
          for (std::int64_t i = first; i < last; ++i)
            std::memcpy(to + at[0] + i * to_row + column, square[i - first], unsign(stop - column) * sizeof(T));
        }
      });
    }
  });
}

template <class T>
void copy(const Tensor& source, Tensor& target) {
  const Walk<2> walk(target.shape(), {&target, &source});
  auto* to = target.mutable_data<T>();
  const auto* from = source.data<T>();
  const auto& steps = walk.inner_steps();
  if (steps[0] == 1 && steps[1] != 1) {
    for (std::size_t d = 0; d < walk.inner; ++d)
      if (walk.steps[d][1] == 1) return copy_crosswise(walk, d, from, to);
  }
  walk.all([=, &steps](const auto& at, std::int64_t n) {
    if (steps[0] == 1 && steps[1] == 1)
      std::memcpy(to + at[0], from + at[1], unsign(n) * sizeof(T));
    else
      for (std::int64_t i = 0; i < n; ++i) to[at[0] + i * steps[0]] = from[at[1] + i * steps[1]];
  });
}

}  // namespace

Tensor unary(Unary function, const Tensor& x) {
  check_defined(x, name_of(function));
  check<DTypeError>(scalar::takes(function, x.dtype()), name_of(function), "the operand is {}; f32 or f64 is needed", x);
  if (const UnaryVector row = x.dtype() == f32 ? vector_rows().row(function) : nullptr) {
    Tensor out = x.is_contiguous() ? x.empty_like() : dense(x);  // a copy of scattered elements is changed in place
    const auto* from = x.is_contiguous() ? x.data<float>() : out.data<float>();
    auto* y = out.mutable_data<float>();
    flat(x.numel(), [=](std::int64_t begin, std::int64_t end) { row(from + begin, y + begin, unsign(end - begin)); });
    return out;
  }
  Tensor out = x.empty_like();
  if (out.numel() == 0) return out;
  const Walk<2> walk(x.shape(), {&out, &x});
  const UnaryRow row = plain_row(function, x.dtype());
  walk.all([=, size = width(x.dtype()), to = out.mutable_raw(), from = x.raw(), step = walk.inner_steps()[1]](
               const auto& at, std::int64_t n) { row(to + at[0] * size, from + at[1] * size, n, step); });
  return out;
}

Tensor binary(Binary function, const Tensor& a, const Tensor& b, const char* op) {
  if (dense_floats(a) && dense_floats(b) && a.shape() == b.shape()) {  // the common case, without detours
    if (const BinaryVector row = vector_rows().row(function, Sides::both)) {
      Tensor out = a.empty_like();
      flat(out.numel(),
           [row, x = a.data<float>(), z = b.data<float>(), y = out.mutable_data<float>()](
               std::int64_t begin, std::int64_t end) { row(x + begin, z + begin, y + begin, unsign(end - begin)); });
      return out;
    }
  }
  check_same_dtype(a, b, op);
  if (a.shape() == b.shape()) return binary_any(function, {&a, &b, 0}, a.shape(), a.dtype(), op);
  return binary_any(function, {&a, &b, 0}, broadcast(a.shape(), b.shape(), op), a.dtype(), op);
}

Tensor binary(Binary function, const Tensor& a, double b) {
  check_defined(a, name_of(function));
  return binary_any(function, {&a, nullptr, b}, a.shape(), a.dtype(), name_of(function));
}

Tensor binary(Binary function, double a, const Tensor& b) {
  check_defined(b, name_of(function));
  return binary_any(function, {nullptr, &b, a}, b.shape(), b.dtype(), name_of(function));
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b, const char* op) {
  for (const Tensor* operand : {&condition, &a, &b}) check_defined(*operand, op);
  check<DTypeError>(condition.dtype() == boolean, op, "the condition is {}, not bool: compare, as in ne(x, 0)", condition);
  check_same_dtype(a, b, op);
  const Shape shape = broadcast(broadcast(condition.shape(), a.shape(), op), b.shape(), op);
  Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() == 0) return out;
  const Walk<4> walk(shape, {&out, &condition, &a, &b});
  dispatch(a.dtype(), [&]<class T>() {
    auto* to = out.mutable_data<T>();
    const auto* choice = condition.data<bool>();
    const auto* yes = a.data<T>();
    const auto* no = b.data<T>();
    walk.all([=, &steps = walk.inner_steps()](const auto& at, std::int64_t n) {
      where_row(choice + at[1], yes + at[2], no + at[3], to + at[0], n, steps);
    });
  });
  return out;
}

void add_into(Tensor& target, const Tensor& source) {
  if (dense_floats(target) && dense_floats(source) && target.shape() == source.shape()) {
    const BinaryVector row = vector_rows().row(Binary::add, Sides::both);
    return flat(target.numel(),
                [row, from = source.data<float>(), to = target.mutable_data<float>()](std::int64_t begin, std::int64_t end) {
                  row(to + begin, from + begin, to + begin, unsign(end - begin));
                });
  }
  check_update(target, source, "add_into");
  if (target.numel() == 0) return;
  if (target.dtype() == f32) return update<float>(target, source, AddVectors{vector_rows()});
  dispatch(target.dtype(), [&]<class T>() { update<T>(target, source, AddPlain{}); });
}

void copy_into(const Tensor& source, Tensor target) {
  check_update(target, source, "copy_into");
  if (target.numel() == 0) return;
  dispatch(target.dtype(), [&]<class T>() { copy<T>(source, target); });
}

Tensor dense(const Tensor& x) {
  if (x.is_contiguous()) return x;
  Tensor out = x.empty_like();
  copy_into(x, out);
  return out;
}

void scale_into(Tensor& target, double factor) {
  check<DTypeError>(is_floating(target.dtype()), "scale_into", "elements of {} are not supported",
                    weft::name_of(target.dtype()));
  if (target.numel() == 0) return;
  const Walk<1> walk(target.shape(), {&target});
  const auto scale = [&]<class T>(T* to) {
    walk.all([=, step = walk.inner_steps()[0], by = static_cast<T>(factor)](const auto& at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) to[at[0] + i * step] *= by;
    });
  };
  if (target.dtype() == f32)
    scale(target.mutable_data<float>());
  else
    scale(target.mutable_data<double>());
}

void lerp_into(Tensor& target, const Tensor& source, double share) {
  check_update(target, source, "lerp_into");
  check<DTypeError>(is_floating(target.dtype()), "lerp_into", "elements of {} are not supported",
                    weft::name_of(target.dtype()));
  if (target.numel() == 0) return;
  if (target.dtype() == f32) return update<float>(target, source, LerpPlain{share});
  update<double>(target, source, LerpPlain{share});
}

}  // namespace weft::kernels
