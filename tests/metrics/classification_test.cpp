#include "weft/metrics/classification.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

namespace {

ConfusionMatrix counted(std::int64_t classes, const std::vector<std::int64_t>& targets,
                        const std::vector<std::int64_t>& predictions) {
  ConfusionMatrix matrix(classes);
  matrix.add(targets, predictions);
  return matrix;
}

}  // namespace

TEST_CASE("scikit-learn's example has its scores") {
  // f1_score's documentation: macro 0.26..., micro 0.33..., by class 0.8, 0, 0.
  const auto matrix = counted(3, {0, 1, 2, 0, 1, 2}, {0, 2, 1, 0, 0, 1});
  CHECK(matrix.accuracy() == Approx(1.0 / 3));
  CHECK(matrix.of_class(0).f1 == Approx(0.8));
  CHECK(matrix.of_class(0).precision == Approx(2.0 / 3));
  CHECK(matrix.of_class(0).recall == 1);
  CHECK(matrix.of_class(1).f1 == 0);
  CHECK(matrix.of_class(2).support == 2);
  CHECK(matrix.macro().f1 == Approx(0.8 / 3));
  CHECK(matrix.macro().precision == Approx(2.0 / 9));
  CHECK(matrix.macro().recall == Approx(1.0 / 3));
  CHECK(matrix.macro().support == 6);
  for (const double share : {matrix.micro().precision, matrix.micro().recall, matrix.micro().f1})
    CHECK(share == Approx(1.0 / 3));
  CHECK(matrix.str() == "   0 1 2\n 0 2 0 0\n 1 1 0 1\n 2 0 2 0\n");
}

TEST_CASE("batches add up") {
  ConfusionMatrix matrix(2);
  CHECK(matrix.examples() == 0);
  CHECK(matrix.accuracy() == 0);
  CHECK(matrix.macro().f1 == 0);
  matrix.add(std::vector<std::int64_t>{0, 1, 1}, std::vector<std::int64_t>{0, 1, 0});
  matrix.add(std::vector<std::int64_t>{1}, std::vector<std::int64_t>{1});
  matrix.add({}, {});
  CHECK(matrix.examples() == 4);
  CHECK(matrix.count(1, 0) == 1);
  CHECK(matrix.count(0, 1) == 0);
  CHECK(matrix.accuracy() == 0.75);
  CHECK(matrix.of_class(1).f1 == Approx(0.8));  // right 2, predicted 2, in the class 3
}

TEST_CASE("classes that don't occur are no part of the means") {
  const auto matrix = counted(5, {0, 0, 1}, {0, 1, 1});
  // Class 0: P 1, R 1/2; class 1: P 1/2, R 1; each F1 2/3.
  CHECK(matrix.macro().f1 == Approx(2.0 / 3));
  CHECK(matrix.macro().precision == Approx(0.75));
  CHECK(matrix.of_class(4).f1 == 0);
  CHECK(counted(12, {11}, {11}).str().starts_with("     0  1  2"));
}

TEST_CASE("classes there aren't are refused, and nothing of their batch is counted") {
  ConfusionMatrix matrix(2);
  const std::vector<std::int64_t> fine = {0, 1}, high = {0, 2}, low = {-1, 0}, one = {0};
  CHECK_THROWS_WITH_AS(matrix.add(fine, high), "[ConfusionMatrix::add] a prediction is 2; there are classes 0 to 1",
                       IndexError);
  CHECK_THROWS_WITH_AS(matrix.add(low, fine), "[ConfusionMatrix::add] a target is -1; there are classes 0 to 1", IndexError);
  CHECK_THROWS_WITH_AS(matrix.add(fine, one), "[ConfusionMatrix::add] 2 targets, but 1 predictions", ValueError);
  CHECK(matrix.examples() == 0);
  CHECK_THROWS_AS(matrix.of_class(2), IndexError);
  CHECK_THROWS_AS(matrix.count(0, -1), IndexError);
  CHECK_THROWS_WITH_AS(ConfusionMatrix(0), "[ConfusionMatrix] classes is 0; it must be at least 1", ValueError);
  CHECK_THROWS_WITH_AS(ConfusionMatrix(std::int64_t{1} << 32),
                       "[ConfusionMatrix] classes is 4294967296; it must be at most 32768", ValueError);
}
