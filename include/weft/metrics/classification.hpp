#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::metrics {

/// Shares of counts, 0 to 1; a share of nothing is 0, as scikit-learn has it.
struct ClassScore {
  double precision = 0;      // right ones among those predicted to be of the class
  double recall = 0;         // and among those that are of the class
  double f1 = 0;             // 2 * right / (predicted + in the class)
  std::int64_t support = 0;  // examples that are of the class
};

/// How often examples of one class were taken for another, and what is computed of it.
class ConfusionMatrix {
 public:
  /// ValueError for less than one class.
  explicit ConfusionMatrix(std::int64_t classes);

  /// Counts examples: their classes and what was predicted. ValueError for different numbers of both, IndexError for a class
  /// that isn't one of 0 to classes - 1; nothing is counted then.
  void add(std::span<const std::int64_t> targets, std::span<const std::int64_t> predictions);

  std::int64_t classes() const { return classes_; }
  std::int64_t examples() const;
  /// Examples of class `target` that were predicted to be of class `predicted`. IndexError for a class there isn't.
  std::int64_t count(std::int64_t target, std::int64_t predicted) const;

  /// Share of the examples that were predicted right; 0 without examples.
  double accuracy() const;
  /// Of one class. IndexError if there isn't such a class.
  ClassScore of_class(std::int64_t index) const;
  /// Unweighted means over the classes that occur as a target or a prediction, as scikit-learn's.
  ClassScore macro() const;
  /// Of the counts summed over the classes: with one class an example, all three are the accuracy.
  ClassScore micro() const;

  /// Rows of targets, columns of predictions, with the classes' numbers.
  std::string str() const;

 private:
  std::int64_t predicted(std::int64_t index) const;
  std::int64_t in_class(std::int64_t index) const;

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;  // [target, predicted]
};

}  // namespace weft::metrics
