#include "weft/train/training_log.hpp"

#include <cerrno>
#include <fstream>
#include <functional>
#include <regex>
#include <string>
#include <system_error>

#include "base/fail.hpp"
#include "base/last_error.hpp"

namespace weft {
namespace {

constexpr const char* op = "read_training_log";

/// A number as fmt writes it, nan and inf included.
double number(const std::ssub_match& text) { return std::strtod(text.str().c_str(), nullptr); }

/// A count; 0 where it is beyond all counts.
std::int64_t whole(const std::ssub_match& text) { return std::strtoll(text.str().c_str(), nullptr, 10); }

template <class Line>
report::Series series_of(const char* name, const std::vector<Line>& lines,
                         const std::function<std::optional<double>(const Line&)>& value) {
  report::Series series{.name = name, .x = {}, .y = {}};
  for (const Line& line : lines) {
    if (const auto y = value(line)) {
      series.x.push_back(static_cast<double>(line.update));
      series.y.push_back(*y);
    }
  }
  return series;
}

}  // namespace

TrainingLog read_training_log(const std::filesystem::path& path) {
  static const std::regex window(
      R"(update (\d+) epoch (\d+) loss (\S+)(?: perplexity \S+)? (\S+)/s (\S+) gradient norm (\S+) lr (\S+)(?: memory (\S+) MiB)?(?: .*)?)");
  static const std::regex validation(
      R"(update (\d+) epoch (\d+) validation loss (\S+)(?: perplexity \S+)?(?: score (\S+))?( \(best\))?(?: .*)?)");
  errno = 0;
  std::ifstream file(path);
  check<IoError>(static_cast<bool>(file), op, "can't read '{}': {}", path.string(),
                 std::generic_category().message(last_error()));
  TrainingLog log;
  std::string line;
  while (std::getline(file, line)) {
    constexpr std::size_t longest = 1000;  // of the trainer's lines; longer ones would cost a regex its stack
    std::smatch m;
    if (line.size() > longest) continue;
    if (std::regex_match(line, m, window)) {
      const std::int64_t update = whole(m[1]);
      // A run that started anew behind another.
      if (!log.windows.empty() && update <= log.windows.back().update) log = {};
      log.unit = m[4].str();
      log.windows.push_back({update, whole(m[2]), number(m[3]), number(m[5]), number(m[6]), number(m[7]),
                             m[8].matched ? std::optional(number(m[8])) : std::nullopt});
    } else if (std::regex_match(line, m, validation)) {
      const std::int64_t update = whole(m[1]);
      if (!log.validations.empty() && update < log.validations.back().update) log = {};
      log.validations.push_back(
          {update, whole(m[2]), number(m[3]), m[4].matched ? std::optional(number(m[4])) : std::nullopt, m[5].matched});
    }
  }
  check<IoError>(!file.bad(), op, "can't read '{}'", path.string());
  check<FormatError>(!log.windows.empty() || !log.validations.empty(), op, "'{}' has no line of a training run", path.string());
  return log;
}

void report_training(report::Report& page, const TrainingLog& log) {
  using Window = TrainingLog::Window;
  using Validation = TrainingLog::Validation;
  page.section("Training");
  page.curve({.title = "Loss",
              .series = {series_of<Window>("training", log.windows, [](const Window& w) { return w.loss; }),
                         series_of<Validation>("validation", log.validations, [](const Validation& v) { return v.loss; })},
              .y_axis = "loss"});
  const auto curve = [&](const char* title, const std::string& axis, report::Series series) {
    if (!series.x.empty()) page.curve({.title = title, .series = {std::move(series)}, .y_axis = axis});
  };
  const auto windows = [&](const char* name, const std::function<std::optional<double>(const Window&)>& value) {
    return series_of<Window>(name, log.windows, value);
  };
  curve("Score", "score", series_of<Validation>("validation", log.validations, [](const Validation& v) { return v.score; }));
  curve("Learning rate", "rate", windows("learning rate", [](const Window& w) { return w.lr; }));
  curve("Speed", log.unit + "/s", windows("training", [](const Window& w) { return w.words_per_second; }));
  curve("Gradient norm before clipping", "norm", windows("all parameters", [](const Window& w) { return w.gradient_norm; }));
  curve("Memory", "MiB", windows("peak of all tensors", [](const Window& w) { return w.memory; }));
}

}  // namespace weft
