// An operation of one's own, the cube root, with its gradient; a check that the gradient is right; and a wrong one, caught.
//
//   04_custom_operation
#include <fmt/format.h>

#include <cmath>
#include <weft/weft.hpp>

using namespace weft;

namespace {

// The value alone: a function of tensors that knows nothing of gradients.
template <class T>
Tensor roots(const Tensor& x) {
  const Tensor in = x.contiguous();
  Tensor out = in.empty_like();
  const T* from = in.data<T>();
  T* to = out.mutable_data<T>();
  for (std::int64_t i = 0; i < in.numel(); ++i) to[i] = std::cbrt(from[i]);
  return out;
}

Tensor roots(const Tensor& x) { return x.dtype() == f64 ? roots<double>(x) : roots<float>(x); }

// y = x^(1/3):  dx = dy / (3 y^2). The rule is written over Vars, so it can be differentiated as well.
Var cube_root(const Var& x) {
  const Tensor y = roots(x.value());
  return record("cube_root", y, {&x}, [y = Saved(y)](Sink& s) { s.add(0, s.grad() / (3 * square(s.output(y)))); });
}

// The same with its 3 forgotten.
Var wrong_cube_root(const Var& x) {
  const Tensor y = roots(x.value());
  return record("wrong_cube_root", y, {&x}, [y = Saved(y)](Sink& s) { s.add(0, s.grad() / square(s.output(y))); });
}

double second_derivative(double at) {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, at, f64));
  tape.backward(cube_root(x), {.create_graph = true});
  tape.backward(tape.grad_var(x));
  return tape.grad(x).item();
}

}  // namespace

int main() {
  const Tensor x = Tensor::from<double>({0.5, 1, -2, 3, -4, 8}, {2, 3});
  const auto right = gradcheck([](const std::vector<Var>& in) { return cube_root(in[0]); }, {x});
  const auto wrong = gradcheck([](const std::vector<Var>& in) { return wrong_cube_root(in[0]); }, {x});
  fmt::print("{}\n\n{}\n\n", right.str(), wrong.str());

  const double curvature = second_derivative(8);  // -2/9 x^(-5/3)
  fmt::print("second derivative at 8: {:.6f}\n", curvature);
  return right.ok() && !wrong.ok() && std::abs(curvature + 1.0 / 144) < 1e-12 ? 0 : 1;
}
