#include "optim/strong_wolfe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace weft::optim {
namespace {

constexpr double armijo = 1e-4, curvature = 0.9;
constexpr int most_tries = 25;

// The lowest place in [low, high] of the cubic through two points with their slopes.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const LinePoint &left = a.t <= b.t ? a : b, &right = a.t <= b.t ? b : a;
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (square >= 0) {
    const double d2 = std::sqrt(square);
    const double place = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
    if (std::isfinite(place)) return std::min(std::max(place, low), high);
  }
  return (low + high) / 2;
}

double cubic_minimum(const LinePoint& a, const LinePoint& b) {
  return cubic_minimum(a, b, std::min(a.t, b.t), std::max(a.t, b.t));
}

// Away from the bracket's ends, when the last place was near one too.
class Progress {
 public:
  double adjusted(double t, double low, double high) {
    const double margin = 0.1 * (high - low);
    if (std::min(high - t, t - low) >= margin) {
      insufficient_ = false;
    } else if (insufficient_ || t >= high || t <= low) {
      t = std::abs(t - high) < std::abs(t - low) ? high - margin : low + margin;
      insufficient_ = false;
    } else {
      insufficient_ = true;
    }
    return t;
  }

 private:
  bool insufficient_ = false;
};

}  // namespace

LinePoint strong_wolfe(const std::function<LinePoint(double t)>& evaluate, const LinePoint& start, double first, double d_norm,
                       double least_change) {
  const auto low_enough = [&](const LinePoint& p) { return p.loss <= start.loss + armijo * p.t * start.slope; };
  const auto flat_enough = [&](const LinePoint& p) { return std::abs(p.slope) <= -curvature * start.slope; };

  LinePoint before = start, now = evaluate(first);
  int tries = 0;
  for (; tries < most_tries; ++tries) {
    if (!low_enough(now) || (tries > 1 && now.loss >= before.loss)) break;
    if (flat_enough(now)) return now;
    if (now.slope >= 0) break;
    const double t = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
    before = std::exchange(now, evaluate(t));
  }

  std::array<LinePoint, 2> bracket = {tries == most_tries ? start : before, now};
  const auto lowest = [&] { return bracket[1].loss < bracket[0].loss ? std::size_t{1} : std::size_t{0}; };
  std::size_t low = lowest();
  Progress progress;
  for (; tries < most_tries; ++tries) {
    LinePoint &lower = bracket[low], &higher = bracket[1 - low];
    if (std::abs(bracket[1].t - bracket[0].t) * d_norm < least_change) break;
    const double t = cubic_minimum(bracket[0], bracket[1]);
    now = evaluate(progress.adjusted(t, std::min(lower.t, higher.t), std::max(lower.t, higher.t)));
    if (!low_enough(now) || now.loss >= lower.loss) {
      higher = now;
      low = lowest();
      continue;
    }
    if (flat_enough(now)) return now;
    if (now.slope * (higher.t - lower.t) >= 0) higher = lower;
    lower = now;
  }
  return bracket[low];
}

}  // namespace weft::optim
