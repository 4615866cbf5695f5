#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

/// Seconds on a clock that only goes forward; where it starts doesn't matter.
using Clock = std::function<double()>;
double steady_seconds();

/// "0:43", "12:05", "1:02:03"; "-:--" for what is negative, not finite or beyond 10,000 hours.
std::string format_duration(double seconds);
/// "8,123"
std::string format_count(std::int64_t count);
/// "1 thread", "8,123 threads"
std::string format_count(std::int64_t count, std::string_view noun);

/// Whether the file descriptor is a terminal, and how many columns it has (80 where that isn't known).
bool is_terminal(int descriptor);
int terminal_width(int descriptor);

/// How far a job is.
struct ProgressState {
  std::string_view label;  ///< "epoch 2"
  double done = 0;         ///< in any unit: updates, epochs, seconds
  double total = 0;        ///< in the same unit; 0 when unknown: no bar, no time left
  std::optional<double> loss;
  std::int64_t words = 0;           ///< handled since the bar was made
  std::string_view unit = "words";  ///< what they are
};

struct ProgressOptions {
  bool terminal = false;        ///< redraw one line; otherwise write lines now and then
  int width = 80;               ///< columns of the terminal
  double start = 0;             ///< `done` at the beginning: not 0 for a job that is taken up again
  double redraw_seconds = 0.1;  ///< least time between two redraws
  double line_seconds = 30;     ///< least time between two lines where there is no terminal
  Clock clock = steady_seconds;
};

/// Shows how far a long job is:
///   epoch 2 [=====>      ] 42 % loss 1.234 8,123 words/s 0:43 left
class ProgressBar {
 public:
  explicit ProgressBar(std::ostream& out, ProgressOptions options = {});
  /// Ends the line, as `finish`.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Takes note of the state, and draws if it is time to.
  void update(const ProgressState& state);
  /// Writes a line of its own above the bar.
  void print(std::string_view line);
  /// Draws the last state and ends the line; what comes after starts anew.
  void finish();

  /// From the beginning to the last update, by the clock.
  double words_per_second() const;
  /// Time left if the rest goes as the part since `start` did; nothing before there is a part to go by.
  std::optional<double> seconds_left() const;

 private:
  std::string line(int width) const;
  void draw();

  std::ostream& out_;
  ProgressOptions options_;
  double started_, now_, drawn_;
  std::string label_, unit_;
  ProgressState state_;  // its texts are those above
  bool pending_ = false, on_screen_ = false;
};

}  // namespace weft
