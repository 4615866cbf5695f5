#include "weft/train/progress.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <sstream>

using namespace weft;

TEST_CASE("durations and counts read well") {
  CHECK(format_duration(0) == "0:00");
  CHECK(format_duration(43.4) == "0:43");
  CHECK(format_duration(59.6) == "1:00");
  CHECK(format_duration(725) == "12:05");
  CHECK(format_duration(3723) == "1:02:03");
  CHECK(format_duration(360000) == "100:00:00");
  CHECK(format_duration(-1) == "-:--");
  CHECK(format_duration(std::nan("")) == "-:--");
  CHECK(format_duration(std::numeric_limits<double>::infinity()) == "-:--");
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(8123) == "8,123");
  CHECK(format_count(-123) == "-123");
  CHECK(format_count(-1234567) == "-1,234,567");
  CHECK(format_count(1, "thread") == "1 thread");
  CHECK(format_count(0, "thread") == "0 threads");
  CHECK(format_count(8123, "update") == "8,123 updates");
}

TEST_CASE("a bar on a terminal redraws one line, not more often than it should") {
  std::ostringstream out;
  double now = 100;
  {
    ProgressBar bar(out, {.terminal = true, .width = 62, .clock = [&] { return now; }});
    const auto at = [&](double seconds, double done, std::int64_t words) {
      now = 100 + seconds;
      out.str("");
      bar.update({.label = "epoch 2", .done = done, .total = 100, .loss = 1.2344, .words = words});
      return out.str();
    };
    CHECK(at(0, 0, 0) == "\repoch 2 [>                 ]  0 % loss 1.234 0 words/s\x1b[K");
    CHECK(at(0.05, 1, 10) == "");
    CHECK(at(42, 42, 341'166) == "\repoch 2 [====>      ] 42 % loss 1.234 8,123 words/s 0:58 left\x1b[K");
    CHECK(bar.words_per_second() == doctest::Approx(8123));
    CHECK(bar.seconds_left() == doctest::Approx(58));

    out.str("");
    bar.print("saved");
    CHECK(out.str() == "\r\x1b[Ksaved\n\repoch 2 [====>      ] 42 % loss 1.234 8,123 words/s 0:58 left\x1b[K");
    CHECK(at(42.05, 100, 400'000) == "");
    out.str("");
  }
  CHECK(out.str() == "\repoch 2 [==========] 100 % loss 1.234 9,512 words/s 0:00 left\x1b[K\n");
}

TEST_CASE("a narrow terminal loses the bar, then the end of the line") {
  std::ostringstream out;
  double now = 0;
  ProgressBar wide(out, {.terminal = true, .width = 45, .clock = [&] { return now; }});
  now = 1;
  wide.update({.label = "epoch 1", .done = 1, .total = 2, .loss = 0.5, .words = 7});
  CHECK(out.str() == "\repoch 1 50 % loss 0.500 7 words/s 0:01 left\x1b[K");
  out.str("");
  ProgressBar narrow(out, {.terminal = true, .width = 10, .clock = [&] { return now; }});
  narrow.update({.label = "epoch 1", .done = 1, .total = 2, .loss = 0.5, .words = 7});
  CHECK(out.str() == "\repoch 1 5\x1b[K");
}

TEST_CASE("without a terminal, lines come now and then, and the last state once") {
  std::ostringstream out;
  double now = 0;
  {
    ProgressBar bar(out, {.start = 10, .line_seconds = 30, .clock = [&] { return now; }});
    for (int i = 0; i <= 70; ++i) {
      now = i;
      bar.update({.label = "epoch 1", .done = 10.0 + i, .total = 110, .words = 100 * i});
    }
    bar.print("saved");
    bar.finish();
    bar.finish();
  }
  CHECK(out.str() ==
        "epoch 1 36 % 100 words/s 1:10 left\n"
        "epoch 1 63 % 100 words/s 0:40 left\n"
        "saved\n"
        "epoch 1 72 % 100 words/s 0:30 left\n");
}

TEST_CASE("a job of unknown length has neither bar nor time left") {
  std::ostringstream out;
  double now = 0;
  ProgressBar bar(out, {.terminal = true, .clock = [&] { return now; }});
  now = 2;
  bar.update({.label = "translating", .done = 3, .words = 2468});
  CHECK(out.str() == "\rtranslating 1,234 words/s\x1b[K");
  now = 3;
  bar.update({.label = "watching", .done = 4, .words = 4500, .unit = "frames"});
  CHECK(out.str().ends_with("\rwatching 1,500 frames/s\x1b[K"));
  CHECK_FALSE(bar.seconds_left().has_value());
}

TEST_CASE("a bar that was never updated leaves no trace") {
  std::ostringstream out;
  { const ProgressBar bar(out, {.terminal = true}); }
  CHECK(out.str().empty());
}

TEST_CASE("the steady clock goes forward") {
  const double before = steady_seconds();
  CHECK(steady_seconds() >= before);
}
