#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

namespace weft::test {

/// max(scale x - t, 0)^power with the t that makes their sum 1, by bisection: sparsemax (scale 1, power 1) and 1.5-entmax
/// (1/2, 2) without sorting.
inline std::vector<double> plain_entmax(const std::vector<double>& x, double scale, double power) {
  const double most = scale * *std::max_element(x.begin(), x.end());
  const auto weight = [&](double score, double t) { return score > t ? std::pow(score - t, power) : 0.0; };
  double low = most - 1, high = most;
  for (int i = 0; i < 200; ++i) {
    const double t = (low + high) / 2;
    double total = 0;
    for (const double score : x) total += weight(scale * score, t);
    (total > 1 ? low : high) = t;
  }
  std::vector<double> y;
  for (const double score : x) y.push_back(weight(scale * score, (low + high) / 2));
  return y;
}

}  // namespace weft::test
