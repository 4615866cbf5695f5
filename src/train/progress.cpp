#include "weft/train/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <ostream>

namespace weft {
namespace {

constexpr int shortest_bar = 10, longest_bar = 20;

/// "[=====>    ]" of `width` columns.
std::string bar(double fraction, int width) {
  const int inside = width - 2;
  const int filled = static_cast<int>(fraction * inside);
  std::string result(static_cast<std::size_t>(filled), '=');
  if (filled < inside) result += '>';
  result.resize(static_cast<std::size_t>(inside), ' ');
  return fmt::format("[{}]", result);
}

}  // namespace

double steady_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string format_duration(double seconds) {
  if (!(seconds >= 0 && seconds < 3.6e7)) return "-:--";
  const auto whole = std::llround(seconds);
  const auto h = whole / 3600, m = whole / 60 % 60, s = whole % 60;
  return h > 0 ? fmt::format("{}:{:02}:{:02}", h, m, s) : fmt::format("{}:{:02}", m, s);
}

std::string format_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = std::ssize(digits) - 3; at > (count < 0 ? 1 : 0); at -= 3) digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string format_count(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s");
}

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

int terminal_width(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

ProgressBar::ProgressBar(std::ostream& out, ProgressOptions options)
    : out_(out),
      options_(std::move(options)),
      started_(options_.clock()),
      now_(started_),
      drawn_(options_.terminal ? -std::numeric_limits<double>::infinity() : started_) {}

ProgressBar::~ProgressBar() {
  try {
    finish();
  } catch (...) {  // NOLINT(bugprone-empty-catch): a stream that throws must not end the process over a bar
  }
}

void ProgressBar::update(const ProgressState& state) {
  label_ = state.label;
  unit_ = state.unit;
  state_ = state;
  state_.label = label_;
  state_.unit = unit_;
  now_ = options_.clock();
  pending_ = true;
  if (now_ - drawn_ >= (options_.terminal ? options_.redraw_seconds : options_.line_seconds)) draw();
}

void ProgressBar::print(std::string_view line) {
  out_ << (on_screen_ ? "\r\x1b[K" : "") << line << '\n';
  if (on_screen_) draw();
  out_.flush();
}

void ProgressBar::finish() {
  if (pending_) draw();
  if (on_screen_) out_ << std::endl;
  on_screen_ = false;
}

double ProgressBar::words_per_second() const {
  const double elapsed = now_ - started_;
  return elapsed > 0 ? static_cast<double>(state_.words) / elapsed : 0;
}

std::optional<double> ProgressBar::seconds_left() const {
  const double part = state_.done - options_.start;
  if (!(state_.total > 0) || !(part > 0)) return std::nullopt;
  return (now_ - started_) / part * std::max(state_.total - state_.done, 0.0);
}

std::string ProgressBar::line(int width) const {
  std::string figures;
  const double fraction = state_.total > 0 ? std::clamp(state_.done / state_.total, 0.0, 1.0) : 0;
  // Rounded down: 100 % means done.
  if (state_.total > 0) figures += fmt::format(" {:2} %", static_cast<int>(fraction * 100));
  if (state_.loss) figures += fmt::format(" loss {:.3f}", *state_.loss);
  figures += fmt::format(" {} {}/s", format_count(std::llround(words_per_second())), state_.unit);
  if (const auto left = seconds_left()) figures += fmt::format(" {} left", format_duration(*left));

  std::string result = label_;
  const int room = width - static_cast<int>(label_.size() + figures.size()) - 1;
  if (state_.total > 0 && room >= shortest_bar) result += fmt::format(" {}", bar(fraction, std::min(room, longest_bar)));
  result += figures;
  return result;
}

void ProgressBar::draw() {
  if (options_.terminal) {
    // The last column stays free: writing there would wrap the line.
    const auto columns = static_cast<std::size_t>(std::max(options_.width - 1, 1));
    out_ << '\r' << line(static_cast<int>(columns)).substr(0, columns) << "\x1b[K" << std::flush;
    on_screen_ = true;
  } else {
    out_ << line(0) << std::endl;
  }
  drawn_ = now_;
  pending_ = false;
}

}  // namespace weft
