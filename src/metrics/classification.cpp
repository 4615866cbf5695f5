#include "weft/metrics/classification.hpp"

#include <algorithm>
#include <numeric>

#include "base/fail.hpp"

namespace weft::metrics {
namespace {

void check_class(const char* op, const char* what, std::int64_t index, std::int64_t classes) {
  check<IndexError>(index >= 0 && index < classes, op, "{} is {}; there are classes 0 to {}", what, index, classes - 1);
}

ClassScore from_counts(std::int64_t right, std::int64_t predicted, std::int64_t support) {
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  return {.precision = share(right, predicted),
          .recall = share(right, support),
          .f1 = share(2 * right, predicted + support),
          .support = support};
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  constexpr std::int64_t most = 1 << 15;  // 8 GiB of counts
  check<ValueError>(classes > 0, "ConfusionMatrix", "classes is {}; it must be at least 1", classes);
  check<ValueError>(classes <= most, "ConfusionMatrix", "classes is {}; it must be at most {}", classes, most);
  counts_.assign(static_cast<std::size_t>(classes * classes), 0);
}

void ConfusionMatrix::add(std::span<const std::int64_t> targets, std::span<const std::int64_t> predictions) {
  constexpr const char* op = "ConfusionMatrix::add";
  check<ValueError>(targets.size() == predictions.size(), op, "{} targets, but {} predictions", targets.size(),
                    predictions.size());
  for (const std::int64_t target : targets) check_class(op, "a target", target, classes_);
  for (const std::int64_t prediction : predictions) check_class(op, "a prediction", prediction, classes_);
  for (std::size_t i = 0; i < targets.size(); ++i) ++counts_[static_cast<std::size_t>(targets[i] * classes_ + predictions[i])];
}

std::int64_t ConfusionMatrix::examples() const { return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}); }

std::int64_t ConfusionMatrix::count(std::int64_t target, std::int64_t predicted) const {
  check_class("ConfusionMatrix::count", "the target", target, classes_);
  check_class("ConfusionMatrix::count", "the prediction", predicted, classes_);
  return counts_[static_cast<std::size_t>(target * classes_ + predicted)];
}

double ConfusionMatrix::accuracy() const { return micro().recall; }

ClassScore ConfusionMatrix::of_class(std::int64_t index) const {
  check_class("ConfusionMatrix::of_class", "the class", index, classes_);
  return from_counts(count(index, index), predicted(index), in_class(index));
}

ClassScore ConfusionMatrix::macro() const {
  ClassScore sum;
  double occurring = 0;
  for (std::int64_t c = 0; c < classes_; ++c) {
    if (predicted(c) + in_class(c) == 0) continue;
    const ClassScore score = of_class(c);
    sum.precision += score.precision;
    sum.recall += score.recall;
    sum.f1 += score.f1;
    sum.support += score.support;
    ++occurring;
  }
  if (occurring == 0) return sum;
  for (double* part : {&sum.precision, &sum.recall, &sum.f1}) *part /= occurring;
  return sum;
}

ClassScore ConfusionMatrix::micro() const {
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < classes_; ++c) right += count(c, c);
  return from_counts(right, examples(), examples());
}

std::int64_t ConfusionMatrix::predicted(std::int64_t index) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += count(c, index);
  return sum;
}

std::int64_t ConfusionMatrix::in_class(std::int64_t index) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += count(index, c);
  return sum;
}

std::string ConfusionMatrix::str() const {
  const std::int64_t largest = std::max(*std::max_element(counts_.begin(), counts_.end()), classes_ - 1);
  const std::size_t width = fmt::to_string(largest).size() + 1;
  std::string result(width, ' ');
  for (std::int64_t c = 0; c < classes_; ++c) result += fmt::format("{:>{}}", c, width);
  result += '\n';
  for (std::int64_t target = 0; target < classes_; ++target) {
    result += fmt::format("{:>{}}", target, width);
    for (std::int64_t c = 0; c < classes_; ++c) result += fmt::format("{:>{}}", count(target, c), width);
    result += '\n';
  }
  return result;
}

}  // namespace weft::metrics
