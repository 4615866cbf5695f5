// What an operation costs beyond its arithmetic: a chain of 1,000 times y = y w; y = y + x on 64 floats, forward and backward.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "weft/autograd/tape.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/elementwise.hpp"

using namespace weft;

namespace {

constexpr int links = 1000, operations = 2 * links, rounds = 200;

double seconds_of_one_round(const Tensor& start, const Tensor& factor, const Tensor& term, const Tensor& cotangent) {
  const auto begin = std::chrono::steady_clock::now();
  {
    Tape tape;
    const Var w = tape.leaf(factor), x = tape.leaf(term);
    Var y = start;
    for (int i = 0; i < links; ++i) {
      y = y * w;
      y = y + x;
    }
    tape.backward(y, cotangent);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main() {
  set_num_threads(1);
  const Tensor start = Tensor::full({64}, 0.5), factor = Tensor::full({64}, 0.999), term = Tensor::full({64}, 0.001);
  const Tensor cotangent = Tensor::ones({64});
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) times.push_back(seconds_of_one_round(start, factor, term, cotangent));
  std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
  fmt::print("{:.0f} ns per operation\n", times[rounds / 2] / operations * 1e9);
}
