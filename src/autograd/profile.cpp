#include "weft/autograd/profile.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weft {
namespace {

void add(ProfileWork& sum, const ProfileWork& work) {
  sum.calls += work.calls;
  sum.seconds += work.seconds;
  sum.multiply_adds += work.multiply_adds;
}

double seconds_of(const ProfileRow& row) { return row.forward.seconds + row.backward.seconds; }

std::string name_of(const ProfileRow& row) {
  if (row.module.empty()) return row.operation.empty() ? "(top)" : row.operation;
  return row.operation.empty() ? row.module : fmt::format("{}: {}", row.module, row.operation);
}

std::string columns(const ProfileWork& work) {
  return fmt::format("  {:>8} {:>10.2f} {:>8}", work.calls, work.seconds * 1e3,
                     work.multiply_adds == 0 ? "-" : fmt::format("{:.1f}", work.gflops()));
}

}  // namespace

double ProfileWork::gflops() const { return seconds > 0 ? 2e-9 * static_cast<double>(multiply_adds) / seconds : 0; }

ProfileTable Profile::table(bool by_operation, bool by_module) const {
  ProfileTable result;
  result.rows_are = !by_module ? "operation" : by_operation ? "module: operation" : "module";
  std::map<std::pair<std::string, std::string>, ProfileRow> rows;
  for (const auto& [key, entry] : entries_) {
    const std::string operation = by_operation ? key.first : "", module = by_module ? key.second : "";
    ProfileRow& row = rows.try_emplace({operation, module}, ProfileRow{operation, module, {}, {}, 0}).first->second;
    for (ProfileRow* sum : {&row, &result.total}) {
      add(sum->forward, entry.forward);
      add(sum->backward, entry.backward);
    }
  }
  const double all = seconds_of(result.total);
  result.total.share = all > 0 ? 1 : 0;
  for (auto& [key, row] : rows) {
    row.share = all > 0 ? seconds_of(row) / all : 0;
    result.rows.push_back(std::move(row));
  }
  std::stable_sort(result.rows.begin(), result.rows.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.share > b.share; });
  return result;
}

std::string ProfileTable::str() const {
  std::vector<std::pair<std::string, const ProfileRow*>> lines;
  for (const ProfileRow& row : rows) lines.emplace_back(name_of(row), &row);
  lines.emplace_back("total", &total);
  std::size_t width = rows_are.size();
  for (const auto& [name, row] : lines) width = std::max(width, name.size());
  const std::string headings = fmt::format("  {:>8} {:>10} {:>8}", "calls", "ms", "GFLOP/s");
  std::string text = fmt::format("{:<{}} {:>10} {:>8}  {:>28}  {:>28}\n", "", width, "", "", "forward", "backward") +
                     fmt::format("{:<{}} {:>10} {:>8}{}{}\n", rows_are, width, "ms", "share", headings, headings);
  for (const auto& [name, row] : lines)
    text += fmt::format("{:<{}} {:>10.2f} {:>6.1f} %{}{}\n", name, width, seconds_of(*row) * 1e3, row->share * 100,
                        columns(row->forward), columns(row->backward));
  return text;
}

ProfileTable Profile::by_operation() const { return table(true, false); }
ProfileTable Profile::by_module() const { return table(false, true); }
ProfileTable Profile::by_both() const { return table(true, true); }
std::string Profile::str() const { return by_operation().str() + '\n' + by_module().str(); }

}  // namespace weft
