#include "weft/report/attention_summary.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <string>

#include "golden/golden.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/explain/attention_rollout.hpp"
#include "weft/explain/head_entropy.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;

namespace {

Tensor random_weights(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  return softmax(Tensor::randn(shape, generator), -1).value();
}

std::string drawn(const report::HeadEntropies& entropies) {
  report::Report page("p");
  entropies.draw(page);
  const std::string html = page.html();
  const std::size_t begin = html.find("<table>");
  return begin == std::string::npos ? std::string() : html.substr(begin, html.find("</table>", begin) - begin);
}

}  // namespace

TEST_CASE("a map's rollout is that of its layers") {
  const report::AttentionMap map = {
      .title = "all", .rows = {"a", "b", "c"}, .columns = {"a", "b", "c"}, .weights = random_weights({2, 4, 3, 3}, 1)};
  const report::AttentionMap rolled = report::rollout(map, "rolled");
  CHECK(rolled.title == "rolled");
  CHECK(rolled.rows == map.rows);
  CHECK(rolled.row_axis == map.row_axis);
  const Tensor expected =
      explain::attention_rollout({map.weights.slice(0, 0, 1), map.weights.slice(0, 1, 2)}).value().select(0, 0);
  CHECK(test::relative_error(rolled.weights, expected) < 1e-6);
  // Weights of another scale say the same.
  report::AttentionMap scaled = map;
  scaled.weights = map.weights.clone();
  for (std::int64_t i = 0; i < scaled.weights.numel(); ++i) scaled.weights.mutable_data<float>()[i] *= 0.01f;
  CHECK(test::relative_error(report::rollout(scaled, "rolled").weights, expected) < 1e-5);
  report::Report("p").attention(rolled);
}

TEST_CASE("entropies of heads over several texts, and what even weights would have") {
  const Tensor one = random_weights({2, 3, 4, 5}, 2), two = random_weights({2, 3, 2, 6}, 3);
  report::HeadEntropies entropies;
  entropies.add("target to source", one);
  entropies.add("target to source", two);
  entropies.add("nothing", Tensor());
  const std::string table = drawn(entropies);
  CHECK(table.find("<th scope=\"col\">head 3</th><th scope=\"col\">if all alike</th>") != std::string::npos);
  CHECK(table.find("nothing") == std::string::npos);
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    const Tensor first = explain::head_entropy(one.slice(0, layer, layer + 1)).value(),
                 second = explain::head_entropy(two.slice(0, layer, layer + 1)).value();
    std::string row = fmt::format("<tr><td>target to source</td><td>{}</td>", layer + 1);
    for (std::int64_t head = 0; head < 3; ++head)
      row += fmt::format("<td>{:.3f}</td>", (4 * first.at({head}) + 2 * second.at({head})) / 6);
    row += fmt::format("<td>{:.3f}</td></tr>", (4 * std::log(5) + 2 * std::log(6)) / 6);
    INFO(table);
    CHECK(table.find(row) != std::string::npos);
  }
}

TEST_CASE("what no head may look at doesn't count as alike, and kinds with fewer heads have gaps") {
  report::HeadEntropies entropies;
  // Each place sees itself and those before it; of a gated unit, whose weights are no shares.
  entropies.add("gated", Tensor::from<float>({3, 0, 0, 0.2f, 0.2f, 0, 0, 0, 0}, {1, 1, 3, 3}));
  entropies.add("two", Tensor::from<double>({1, 0, 0.5, 0.5}, {1, 2, 1, 2}));
  const std::string table = drawn(entropies);
  INFO(table);
  const std::string gated = fmt::format("{:.3f}", std::log(2) / 3), two = fmt::format("{:.3f}", std::log(2));
  CHECK(table.find("<td>gated</td><td>1</td><td>" + gated + "</td><td></td><td>" + gated + "</td>") != std::string::npos);
  CHECK(table.find("<td>two</td><td>1</td><td>0.000</td><td>" + two + "</td><td>" + two + "</td>") != std::string::npos);
}

TEST_CASE("weights that can't be summed up are refused; without any there is no table") {
  CHECK(drawn({}).empty());
  report::HeadEntropies entropies;
  CHECK_THROWS_WITH_AS(entropies.add("a", Tensor::ones({2, 3, 3})),
                       "[report::HeadEntropies] weights f32[2, 3, 3] are not [layers, heads, queries, keys]", ShapeError);
  entropies.add("a", Tensor::ones({2, 3, 4, 4}));
  CHECK_THROWS_WITH_AS(entropies.add("a", Tensor::ones({3, 2, 4, 4})),
                       "[report::HeadEntropies] weights f32[3, 2, 4, 4] don't have the layers and heads of those before",
                       ShapeError);
  CHECK_THROWS_WITH_AS(report::rollout({.title = "m", .rows = {"a"}, .columns = {"a"}}, "r"),
                       "[report::rollout] weights (undefined) are not [layers, heads, places, places]", ShapeError);
  CHECK_THROWS_AS(report::rollout({.title = "m", .weights = Tensor::ones({2, 2, 3, 4})}, "r"), ShapeError);
}
