// Time and memory of every kind of attention by the length of the sequence, forward alone and with backward: tables, and where
// they are asked for a plot and JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "attention/kinds.hpp"
#include "attention/log_plot.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/tensor/memory.hpp"
#include "work/median.hpp"
#include "work/program.hpp"

namespace po = boost::program_options;
using namespace weft;

namespace {

/// What a call costs: the median time, and the most memory that was in use beyond what was there before (x and parameters).
struct Cost {
  double milliseconds = 0, mebibytes = 0;
};

struct Costs {
  Cost forward;   // without a tape
  Cost training;  // forward and backward, with the gradients of x and of the parameters
};

struct Command {
  bench::FamilySizes sizes;
  std::vector<std::int64_t> lengths;
  std::vector<std::string> kinds;
  int threads = 0, rounds = 0;
  double seconds = 0, gib = 0;
  std::string json, plot;
};

/// Short calls are made for so long at least.
constexpr double least_milliseconds = 50;
/// A thread's bytes count, by purpose, when they have moved by 256 KiB: less than this says little.
constexpr double least_mebibytes = 0.5;

std::string in_mebibytes(const Cost& cost) {
  return cost.mebibytes < least_mebibytes ? fmt::format("< {}", least_mebibytes) : fmt::format("{:.3g}", cost.mebibytes);
}

std::string in_milliseconds(const Cost& cost) { return fmt::format("{:.3g}", cost.milliseconds); }

template <class Call>
Cost measure(int rounds, const Call& call) {
  const std::int64_t before = memory_statistics().total.current;
  reset_peak_memory();
  call();  // what is made once, as oneDNN's primitives, isn't in the time
  Cost cost{.mebibytes = static_cast<double>(memory_statistics().total.peak - before) / (1 << 20)};
  std::vector<double> times;
  double sum = 0;
  while (times.size() < static_cast<std::size_t>(rounds) || sum < least_milliseconds) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    sum += times.back();
  }
  cost.milliseconds = bench::median(std::move(times));
  return cost;
}

/// The costs of one kind by length, where they are within the limits.
class Measured {
 public:
  Measured(const bench::AttentionKind& kind, const Command& command) : kind_(kind), command_(command) {}

  /// None where a quarter of the length says that it would take too long or too much: all kinds grow with the square at most.
  std::optional<Costs> at(std::int64_t length) {
    if (const auto known = known_.find(length); known != known_.end()) return known->second;
    std::optional<Costs> costs;
    if (length <= 64 || fits(length)) costs = run(length);
    return known_[length] = costs;
  }

 private:
  bool fits(std::int64_t length) {
    auto before = known_.lower_bound(length);
    const bool near = before != known_.begin() && (--before)->first >= length / 4;
    const std::int64_t from = near ? before->first : length / 4;
    const std::optional<Costs> costs = at(from);
    if (!costs) return false;
    const double times = static_cast<double>(length) / static_cast<double>(from), square = times * times;
    return square * costs->training.milliseconds <= 1000 * command_.seconds &&
           square * costs->training.mebibytes <= 1024 * command_.gib;
  }

  Costs run(std::int64_t length) const {
    Generator generator(1);
    const Tensor x = Tensor::randn({command_.sizes.batch, length, command_.sizes.width}, generator);
    const bench::AttentionCall attention = kind_.make(command_.sizes, length);
    Costs costs;
    costs.forward = measure(command_.rounds, [&] {
      const NoGrad no_grad;
      attention(x);
    });
    // The gradients of parameters stay from the first call on, so this one counts them.
    costs.training = measure(command_.rounds, [&] {
      Tape tape;
      tape.backward(mean(attention(tape.leaf(x))));
    });
    trim_memory();
    return costs;
  }

  const bench::AttentionKind& kind_;
  const Command& command_;
  std::map<std::int64_t, std::optional<Costs>> known_;
};

/// Markdown tables with a row for each kind and a column for each length: time and memory, forward and with backward.
class Tables {
 public:
  explicit Tables(const Command& command) : command_(command) {
    std::string head = "| kind |", rule = "|---|";
    for (const std::int64_t length : command.lengths) {
      head += fmt::format(" {} |", length);
      rule += "---|";
    }
    for (Table& table : tables_) table.rows = head + '\n' + rule;
  }

  void begin(const std::string& kind) {
    for (Table& table : tables_) table.rows += fmt::format("\n| {} |", kind);
  }

  void add(const std::optional<Costs>& costs) {
    left_out_ = left_out_ || !costs;
    for (Table& table : tables_) table.rows += fmt::format(" {} |", costs ? table.cell(*costs) : "–");
  }

  void print() const {
    for (const Table& table : tables_) fmt::print("\n{}:\n\n{}\n", table.title, table.rows);
    if (left_out_) fmt::print("\n–: would take more than {} s or {} GiB\n", command_.seconds, command_.gib);
  }

 private:
  struct Table {
    std::string title;
    std::string (*cell)(const Costs& costs);
    std::string rows = {};
  };

  const Command& command_;
  bool left_out_ = false;
  std::array<Table, 4> tables_ = {{
      {"Forward and backward, ms", [](const Costs& costs) { return in_milliseconds(costs.training); }},
      {"Forward and backward, MiB", [](const Costs& costs) { return in_mebibytes(costs.training); }},
      {"Forward, ms", [](const Costs& costs) { return in_milliseconds(costs.forward); }},
      {"Forward, MiB", [](const Costs& costs) { return in_mebibytes(costs.forward); }},
  }};
};

/// Before minutes are spent on what goes there.
void check_writable(const std::filesystem::path& path) {
  if (path.empty()) return;
  if (std::filesystem::is_directory(path)) throw std::runtime_error(path.string() + " can't be written: it is a folder");
  std::filesystem::path changed = path;  // the file, or the folder that gets it
  const bool is_new = !std::filesystem::exists(path);
  if (is_new) changed = path.has_parent_path() ? path.parent_path() : ".";
  if (::access(changed.c_str(), is_new ? W_OK | X_OK : W_OK) != 0)
    throw std::runtime_error(path.string() + " can't be written: " + std::strerror(errno));
}

/// None where help was asked for.
std::optional<Command> read(int argc, char** argv) {
  Command command;
  po::options_description options("attention_family [options]");
  options.add_options()("help", "this text")(
      "lengths",
      po::value(&command.lengths)->multitoken()->default_value({32, 64, 128, 256, 512, 1024, 2048, 4096}, "32 64 ... 4096"),
      "places of a sequence")("kinds", po::value(&command.kinds)->multitoken(), "some of them; all unless given")(
      "threads", po::value(&command.threads)->default_value(num_threads()), "threads that work")(
      "batch", po::value(&command.sizes.batch)->default_value(1), "sequences")(
      "width", po::value(&command.sizes.width)->default_value(256), "of a place")(
      "heads", po::value(&command.sizes.heads)->default_value(4), "of kinds that have several")(
      "rounds", po::value(&command.rounds)->default_value(5), "the median of so many calls at least is given")(
      "seconds", po::value(&command.seconds)->default_value(5), "what would take longer for one call is left out")(
      "gib", po::value(&command.gib)->default_value(2), "what would take more memory is left out")(
      "json", po::value(&command.json), "a file to write, a line for each kind and length")(
      "plot", po::value(&command.plot), "an SVG file to write: time and memory of forward and backward by length");
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(options).run(), given);
  if (given.count("help") != 0) {
    std::cout << options;
    return {};
  }
  po::notify(given);
  const bench::FamilySizes& s = command.sizes;
  if (s.batch < 1 || s.width < 1 || s.heads < 1 || s.width % (2 * s.heads) != 0)
    throw po::error("--batch, --width and --heads must be positive, and twice the heads must divide the width");
  bench::check_threads(command.threads);
  if (command.rounds < 1) throw po::error("--rounds must be at least 1");
  if (!(command.seconds > 0 && command.gib > 0)) throw po::error("--seconds and --gib must be positive");
  for (const std::int64_t length : command.lengths)
    if (length < 1) throw po::error("--lengths must be positive");
  std::sort(command.lengths.begin(), command.lengths.end());
  command.lengths.erase(std::unique(command.lengths.begin(), command.lengths.end()), command.lengths.end());
  std::string names;
  for (const bench::AttentionKind& kind : bench::attention_kinds()) names += (names.empty() ? "" : ", ") + kind.name;
  for (const std::string& wanted : command.kinds) {
    const auto same = [&](const bench::AttentionKind& kind) { return kind.name == wanted; };
    if (std::none_of(bench::attention_kinds().begin(), bench::attention_kinds().end(), same))
      throw po::error("--kinds must be some of " + names + ", not '" + wanted + "'");
  }
  for (const std::string& path : {command.json, command.plot}) check_writable(path);
  if (!command.json.empty() && command.json == command.plot) throw po::error("--json and --plot must be two files");
  return command;
}

void write(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw std::runtime_error(path + " can't be written");
}

int run(int argc, char** argv) {
  const std::optional<Command> given = read(argc, argv);
  if (!given) return 0;
  const Command& command = *given;
  set_num_threads(command.threads);
  Tables tables(command);
  bench::Panel times{.title = "forward and backward, ms", .lines = {}},
      memory{.title = "forward and backward, MiB", .lines = {}};
  std::string json;
  for (const bench::AttentionKind& kind : bench::attention_kinds()) {
    const auto& wanted = command.kinds;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), kind.name) == wanted.end()) continue;
    std::cerr << kind.name << '\n';  // some minutes for all of them
    tables.begin(kind.name);
    times.lines.push_back({kind.name, {}});
    memory.lines.push_back({kind.name, {}});
    Measured measured(kind, command);
    for (const std::int64_t length : command.lengths) {
      const std::optional<Costs> costs = measured.at(length);
      tables.add(costs);
      if (!costs) continue;
      const Cost &forward = costs->forward, &training = costs->training;
      const auto x = static_cast<double>(length);
      times.lines.back().points.emplace_back(x, training.milliseconds);
      if (training.mebibytes >= least_mebibytes) memory.lines.back().points.emplace_back(x, training.mebibytes);
      const nlohmann::ordered_json line = {{"kind", kind.name},
                                           {"length", length},
                                           {"batch", command.sizes.batch},
                                           {"width", command.sizes.width},
                                           {"heads", command.sizes.heads},
                                           {"threads", command.threads},
                                           {"forward_ms", forward.milliseconds},
                                           {"training_ms", training.milliseconds},
                                           {"forward_mib", forward.mebibytes},
                                           {"training_mib", training.mebibytes}};
      json += line.dump() + '\n';
    }
  }
  fmt::print(
      "x [{}, length, {}], {} heads, {} thread{}; median of {} calls or more, memory at most beyond x and the parameters\n",
      command.sizes.batch, command.sizes.width, command.sizes.heads, command.threads, command.threads == 1 ? "" : "s",
      command.rounds);
  tables.print();
  write(command.json, json);
  write(command.plot, bench::log_plot_svg("length", {times, memory}));
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return bench::program("attention_family", argc, argv, run); }
