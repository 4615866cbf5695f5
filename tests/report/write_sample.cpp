// Writes pages for page_test.py, browser_test.py and screenshots.py beside it: write_sample sample|hostile PATH.
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "report/sample.hpp"
#include "weft/base/random.hpp"

using namespace weft;

namespace {

/// What could do harm, break the drawing or not fit.
report::Report hostile_report() {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const std::string script = "</script><script>window.harmed = true</script>";
  const std::string picture = "<img src=x onerror='window.harmed = true'>&\"";
  // A character of two, joined; U+2028, which ends a line of JavaScript; NUL.
  const std::string odd = "\U0001F469\u200D\U0001F33E\u2028" + std::string("a\0b", 3);
  const std::vector<std::string> words = {script, picture, "\xff\xfe", "\x01\x02", "{{}}${1}`", "", odd};
  report::Report page(script);
  page.section(picture).text(script + picture + odd).table({picture, script}, {{"&amp;", "<b>"}});
  page.curve({.title = script,
              .series = {{script, {1, 2, 3, 4}, {nan, infinity, 2, -1e300}}, {picture, {5}, {1e-300}}},
              .x_axis = picture,
              .y_axis = script});
  page.attention({.title = picture,
                  .rows = words,
                  .columns = {script, "b"},
                  .weights = Tensor::from<double>({nan, 1, infinity, -0.5, 0, 0.25, 1e-300, 0, 1, 0, 0, 0, 0, 1}, {7, 2}),
                  .row_axis = script,
                  .column_axis = picture});
  page.shaded_text(
      {.title = script, .lines = {{.words = words, .weights = {1, nan, -infinity, 0, -1, 2, 1}, .weight = nan}, {}}});
  page.over_spectrogram({.title = picture,
                         .outputs = {script},
                         .spectrogram = Tensor::from<double>({nan, 1, infinity, 0}, {2, 2}),
                         .weights = Tensor::from<double>({nan, 0}, {1, 2})});
  page.over_spectrogram({.title = script, .spectrogram = Tensor::from<double>({nan, 1, infinity, 0}, {2, 2})});
  page.over_frames(
      {.title = script, .outputs = {picture}, .frames = Tensor::full({1, 1, 1}, nan), .weights = Tensor::zeros({1, 1})});
  page.over_frames({.title = "one coloured image",
                    .outputs = {"a"},
                    .frames = Tensor::ones({1, 3, 200, 3}),
                    .weights = Tensor::ones({1, 1, 1, 2})});

  page.section("Nothing").curve({.title = "no series"}).curve({.title = "no finite point", .series = {{"a", {1}, {nan}}}});
  page.attention({.title = "no words"}).shaded_text({.title = "no text"}).table({"a"}, {});
  page.over_spectrogram({.title = "no sound", .spectrogram = Tensor::zeros({0, 3}), .weights = Tensor::zeros({0, 0})});
  page.over_frames({.title = "no frames", .frames = Tensor::zeros({0, 3, 3}), .weights = Tensor::zeros({0, 0})});

  Generator generator(1);
  std::vector<std::string> many;
  for (int i = 0; i < 1500; ++i) many.push_back("word" + std::to_string(i));
  page.section("Much").attention(
      {.title = "1,500 words, 2 heads", .rows = many, .columns = many, .weights = Tensor::rand({2, 1500, 1500}, generator)});
  report::Series points{.name = "noise", .x = {}, .y = {}};
  for (int i = 0; i < 100000; ++i) {
    points.x.push_back(i);
    points.y.push_back(std::sin(i));
  }
  page.curve({.title = "100,000 points", .series = {points}});
  page.over_spectrogram({.title = "a minute of sound",
                         .outputs = many,
                         .spectrogram = Tensor::rand({6000, 200}, generator),
                         .weights = Tensor::rand({1500, 6000}, generator)});
  return page;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string which = argv[1];
  (which == "hostile" ? hostile_report() : test::sample_report()).write(argv[2]);
  return 0;
}
