#include "weft/report/report.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "report/sample.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using report::Report;

namespace {

/// The figures' data, as a reader of JSON has them.
nlohmann::json data_of(const Report& page) {
  const std::string html = page.html();
  const std::string open = "<script id=\"data\" type=\"application/json\">";
  const std::size_t begin = html.find(open) + open.size();
  return nlohmann::json::parse(html.substr(begin, html.find("</script>", begin) - begin));
}

Tensor matrix(std::int64_t rows, std::int64_t columns) { return Tensor::ones({rows, columns}); }

}  // namespace

TEST_CASE("a page is written whole or not at all") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "page.html";
  test::sample_report().write(path);
  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == test::sample_report().html());
  CHECK_THROWS_AS(test::sample_report().write(folder.path() / "missing" / "page.html"), IoError);
  CHECK_THROWS_AS(test::sample_report().write(folder.path()), IoError);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("weights of views, f64 and of one layer come out in their order") {
  Report page("p");
  page.attention({.title = "t",
                  .rows = {"a", "b"},
                  .columns = {"x", "y", "z"},
                  .weights = Tensor::from<double>({1, 4, 2, 5, 3, 6}, {3, 2}).transpose(0, 1)});
  const auto figure = data_of(page)[0];
  CHECK(figure["weights"] == nlohmann::json({1, 2, 3, 4, 5, 6}));
  CHECK(figure["shape"] == nlohmann::json({1, 1, 2, 3}));
}

TEST_CASE("words stand apart, characters don't") {
  Report page("p");
  page.shaded_text({.title = "w", .lines = {{.words = {"a", "b"}, .weights = {1, -1}}}});
  page.shaded_text({.title = "c", .lines = {{.words = {"a", "b"}, .weights = {1, -1}}}, .between = ""});
  const auto data = data_of(page);
  CHECK(data[0]["between"] == " ");
  CHECK(data[1]["between"] == "");
}

TEST_CASE("a long title is cut in its heading and whole as its tooltip") {
  std::string eighty;
  for (int i = 0; i < 40; ++i) eighty += "aé";
  Report page("p");
  page.shaded_text({.title = eighty}).shaded_text({.title = eighty + "<b"});
  const std::string html = page.html();
  CHECK(html.find("<figcaption>" + eighty + "</figcaption>") != std::string::npos);
  CHECK(html.find("<figcaption title=\"" + eighty + "&lt;b\">" + eighty + "…</figcaption>") != std::string::npos);
}

TEST_CASE("the x of curves are whole, their y have 4 digits") {
  Report page("p");
  page.curve({.title = "c", .series = {{"a", {123456, 123457.25}, {0.123456, 1e-7}}}});
  const auto line = data_of(page)[0]["series"][0];
  CHECK(line["x"] == nlohmann::json({123456, 123457.25}));
  CHECK(line["y"] == nlohmann::json({0.1235, 1e-7}));
}

TEST_CASE("images and sounds as bytes from black to white, the highest band first") {
  Report page("p");
  page.over_spectrogram(
      {.title = "s", .outputs = {"a"}, .spectrogram = Tensor::from<float>({0, 1, 0.5, 0}, {2, 2}), .weights = matrix(1, 2)});
  page.over_frames({.title = "f",
                    .outputs = {"a"},
                    .frames = Tensor::from<float>({2, 4, 3, 2}, {1, 2, 2}),
                    .weights = Tensor::from<float>({0.25f, 0.5f}, {1, 1, 1, 2})});
  const auto data = data_of(page);
  CHECK(data[0]["spectrogram"] == "/wAAgA==");  // 255 0 0 128
  CHECK(data[0]["columns"] == nlohmann::json({"0 s", "0.01 s"}));
  CHECK(data[1]["images"] == "AP+AAA==");  // 0 255 128 0
  CHECK(data[1]["weights"] == nlohmann::json({0.75}));
  CHECK(data[1]["parts"] == nlohmann::json({0.25, 0.5}));
}

TEST_CASE("a spectrogram without weights stands alone") {
  Report page("p");
  page.over_spectrogram({.title = "s", .spectrogram = Tensor::from<float>({0, 1, 0.5, 0}, {2, 2})});
  page.over_spectrogram({.title = "long", .spectrogram = Tensor::ones({600, 2})});
  const auto data = data_of(page);
  CHECK(data[0]["kind"] == "sound");
  CHECK_FALSE(data[0].contains("empty"));
  CHECK(data[0]["spectrogram"] == "/wAAgA==");
  CHECK(data[0]["rows"].empty());
  CHECK(data[0]["weights"].empty());
  CHECK(data[0]["columns"] == nlohmann::json({"0 s", "0.01 s"}));
  CHECK(data[1]["note"] == "Each point of the spectrogram is the mean of 1 down and 2 across.");
  CHECK_THROWS_WITH_AS(
      page.over_spectrogram({.title = "s", .outputs = {"a"}, .spectrogram = matrix(4, 3)}),
      "[report::over_spectrogram] weights (undefined) are not [outputs, frames] for 1 outputs and the spectrogram f32[4, 3]",
      ShapeError);
  CHECK_THROWS_WITH_AS(page.over_spectrogram({.title = "s"}),
                       "[report::over_spectrogram] spectrogram (undefined) is not [frames, bands]", ShapeError);
}

TEST_CASE("what is too large for a page is thinned, and the figure says by how much") {
  Report page("p");
  page.over_frames({.title = "grids",
                    .outputs = std::vector<std::string>(30, "a"),
                    .frames = Tensor::ones({40, 2, 260}),
                    .weights = Tensor::ones({30, 40, 64, 130})});
  page.over_frames(
      {.title = "small", .outputs = {"a"}, .frames = Tensor::ones({1, 2, 2}), .weights = Tensor::ones({1, 1, 2, 2})});
  page.over_frames({.title = "many",
                    .outputs = std::vector<std::string>(600, "a"),
                    .frames = Tensor::ones({600, 1, 1}),
                    .weights = Tensor::ones({600, 600, 3, 5})});
  page.over_spectrogram(
      {.title = "s", .outputs = {"a"}, .spectrogram = Tensor::ones({4, 300}), .weights = Tensor::ones({1, 4})});
  const auto data = data_of(page);
  CHECK(data[0]["grid"] == nlohmann::json({32, 22}));  // 30 * 40 * 32 * 22 cells; twice as many are more than 2^20
  CHECK(data[0]["parts"].size() == std::size_t{30 * 40 * 32 * 22});
  CHECK(data[0]["note"] ==
        "Each pixel is the mean of 3 down and 3 across. Each part of a frame is the mean of 2 down and 6 across.");
  CHECK(data[1]["note"] == "");
  CHECK(data[2]["parts"].size() <= std::size_t{1 << 20});
  CHECK(data[3]["note"] == "Each point of the spectrogram is the mean of 3 down and 1 across.");
  CHECK(data[3]["bands"] == 100);
}

TEST_CASE("what doesn't fit is refused, with both sizes") {
  Report page("p");
  CHECK_THROWS_WITH_AS(page.curve({.title = "c", .series = {{"a", {1, 2}, {1}}}}),
                       "[report::curve] the series 'a' has 2 x and 1 y", ShapeError);
  CHECK_THROWS_WITH_AS(
      page.attention({.title = "m", .rows = {"a"}, .columns = {"b"}, .weights = matrix(1, 2)}),
      "[report::attention] weights f32[1, 2] are not [rows, columns], [heads, ...] or [layers, heads, ...] for 1 "
      "rows and 1 columns",
      ShapeError);
  CHECK_THROWS_AS(page.attention({.title = "m", .rows = {"a"}, .columns = {"b"}}), ShapeError);
  CHECK_THROWS_AS(page.attention({.title = "m", .rows = {"a"}, .columns = {"b"}, .weights = Tensor::ones({1, 1}, i64)}),
                  DTypeError);
  CHECK_THROWS_WITH_AS(page.shaded_text({.title = "t", .lines = {{.words = {"a"}, .weights = {}}}}),
                       "[report::shaded_text] line 1 has 1 words and 0 weights", ShapeError);
  CHECK_THROWS_AS(page.table({"a", "b"}, {{"c"}}), ShapeError);
  CHECK_THROWS_WITH_AS(
      page.over_spectrogram({.title = "s", .outputs = {"a"}, .spectrogram = matrix(4, 3), .weights = matrix(1, 3)}),
      "[report::over_spectrogram] weights f32[1, 3] are not [outputs, frames] for 1 outputs and the spectrogram f32[4, 3]",
      ShapeError);
  CHECK_THROWS_AS(
      page.over_spectrogram(
          {.title = "s", .outputs = {"a"}, .spectrogram = matrix(4, 3), .weights = matrix(1, 4), .seconds_per_frame = 0}),
      ValueError);
  CHECK_THROWS_AS(page.over_frames({.title = "f", .outputs = {"a"}, .frames = matrix(4, 3), .weights = matrix(1, 4)}),
                  ShapeError);
  CHECK_THROWS_WITH_AS(page.over_frames({.title = "f", .outputs = {"a"}, .weights = matrix(1, 4)}),
                       "[report::over_frames] the frames are undefined", ShapeError);
  CHECK_THROWS_WITH_AS(page.over_frames({.title = "f", .outputs = {"a"}, .frames = Tensor::ones({4, 3, 3})}),
                       "[report::over_frames] the weights are undefined", ShapeError);
  CHECK_THROWS_AS(
      page.over_frames({.title = "f", .outputs = {"a"}, .frames = Tensor::ones({2, 4, 4, 2}), .weights = matrix(1, 2)}),
      ShapeError);
  CHECK_THROWS_AS(
      page.over_frames({.title = "f", .outputs = {"a"}, .frames = Tensor::ones({2, 4, 4}), .weights = matrix(1, 3)}),
      ShapeError);
  CHECK(page.html().find("<figure") == std::string::npos);  // none of it has left anything
}
