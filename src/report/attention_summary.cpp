#include "weft/report/attention_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "weft/explain/attention_rollout.hpp"
#include "weft/explain/head_entropy.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::report {
namespace {

/// Each row divided by its sum; a row of zeros stays.
Var shares(const Tensor& weights) {
  const Var sums = sum(Var(weights), {-1}, true);
  return Var(weights) / where(eq(sums, 0.0), Var(Tensor::ones(sums.shape(), sums.dtype())), sums);
}

}  // namespace

AttentionMap rollout(const AttentionMap& map, std::string_view title) {
  check<ShapeError>(map.weights.defined() && map.weights.rank() == 4, "report::rollout",
                    "weights {} are not [layers, heads, places, places]",
                    map.weights.defined() ? map.weights.describe() : "(undefined)");
  const Tensor weights = shares(map.weights).value();
  std::vector<Var> layers;
  for (std::int64_t layer = 0; layer < weights.size(0); ++layer) layers.emplace_back(weights.slice(0, layer, layer + 1));
  AttentionMap result = map;
  result.title = title;
  result.weights = explain::attention_rollout(layers).value().select(0, 0);
  return result;
}

void HeadEntropies::add(std::string_view of, const Tensor& weights) {
  constexpr const char* op = "report::HeadEntropies";
  if (!weights.defined()) return;
  check<ShapeError>(weights.rank() == 4, op, "weights {} are not [layers, heads, queries, keys]", weights);
  const std::int64_t layers = weights.size(0), heads = weights.size(1), queries = weights.size(2);
  auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& each) { return each.of == of; });
  if (kind == kinds_.end()) {
    kinds_.push_back({.of = std::string(of), .heads = heads});
    kind = kinds_.end() - 1;
    kind->sums.resize(static_cast<std::size_t>(layers * heads));
  }
  check<ShapeError>(heads == kind->heads && static_cast<std::size_t>(layers * heads) == kind->sums.size(), op,
                    "weights {} don't have the layers and heads of those before", weights);
  const Tensor entropies = sum(explain::attention_entropy(shares(weights)), {2}).value().to(f64).contiguous();
  for (std::size_t i = 0; i < kind->sums.size(); ++i) kind->sums[i] += entropies.data<double>()[i];
  const Tensor weighed = sum(Var(any(gt(Var(weights), 0.0), {0, 1})), {1}).value().contiguous();  // keys of each query
  for (std::int64_t query = 0; query < queries; ++query)
    kind->alike += std::log(static_cast<double>(std::max<std::int64_t>(weighed.data<std::int64_t>()[query], 1)));
  kind->queries += queries;
}

void HeadEntropies::draw(Report& page) const {
  std::int64_t most = 0;
  for (const Kind& kind : kinds_) most = std::max(most, kind.heads);
  std::vector<std::string> head = {"attention of", "layer"};
  for (std::int64_t i = 1; i <= most; ++i) head.push_back(fmt::format("head {}", i));
  head.emplace_back("if all alike");
  std::vector<std::vector<std::string>> rows;
  for (const Kind& kind : kinds_) {
    const auto mean = [&](double sum) {
      return kind.queries > 0 ? fmt::format("{:.3f}", sum / static_cast<double>(kind.queries)) : std::string();
    };
    for (std::size_t first = 0; first < kind.sums.size(); first += static_cast<std::size_t>(kind.heads)) {
      auto& row = rows.emplace_back();
      row = {kind.of, fmt::format("{}", first / static_cast<std::size_t>(kind.heads) + 1)};
      for (std::int64_t i = 0; i < most; ++i)
        row.push_back(i < kind.heads ? mean(kind.sums[first + static_cast<std::size_t>(i)]) : std::string());
      row.push_back(mean(kind.alike));
    }
  }
  if (rows.empty()) return;
  page.text(
      "How spread each head's weights are: their entropy in nats, the mean over all places of these texts. It is 0 where a "
      "place looks at one place alone; the last column has it for weights that are all alike.");
  page.table(head, rows);
}

}  // namespace weft::report
