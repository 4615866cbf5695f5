#include "weft/train/heat_map.hpp"

#include <doctest/doctest.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

using boost::property_tree::ptree;

ptree parse(const std::string& svg) {
  std::istringstream in(svg);
  ptree tree;
  boost::property_tree::read_xml(in, tree);
  return tree.get_child("svg");
}

std::vector<ptree> elements(const ptree& svg, const std::string& name, const std::string& css_class) {
  std::vector<ptree> found;
  for (const auto& [tag, element] : svg) {
    if (tag == name && element.get("<xmlattr>.class", "") == css_class) found.push_back(element);
  }
  return found;
}

HeatMap two_by_three() {
  return {.title = "a title",
          .rows = {"le", "chat"},
          .columns = {"the", "black", "cat"},
          .weights = {0.9, 0.1, 0, 0.05, 0.2, 0.75}};
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a heat map has a cell with a tooltip for each pair of words") {
  const ptree svg = parse(heat_map_svg(two_by_three()));
  CHECK(svg.get<std::string>("title") == "a title");
  const auto cells = elements(svg, "rect", "cell");
  REQUIRE(cells.size() == 6);
  CHECK(cells[0].get<std::string>("title") == "le ← the: 0.900");
  CHECK(cells[5].get<std::string>("title") == "chat ← cat: 0.750");
  CHECK(cells[5].get<double>("<xmlattr>.fill-opacity") == 0.75);
  CHECK(cells[5].get<double>("<xmlattr>.x") - cells[3].get<double>("<xmlattr>.x") ==
        doctest::Approx(2 * cells[0].get<double>("<xmlattr>.width")));
  CHECK(cells[5].get<double>("<xmlattr>.y") > cells[2].get<double>("<xmlattr>.y"));
}

TEST_CASE("any text gives well-formed XML") {
  HeatMap map{
      .title = "<script>&\"'", .rows = {"a<b", "\x01\x1f", "\xff\xfe", ""}, .columns = {"]]>&amp;"}, .weights = {1, 0, 0, 0}};
  const auto cells = elements(parse(heat_map_svg(map)), "rect", "cell");
  REQUIRE(cells.size() == 4);
  CHECK(cells[0].get<std::string>("title") == "a<b ← ]]>&amp;: 1.000");
  CHECK(cells[1].get<std::string>("title") == "\uFFFD\uFFFD ← ]]>&amp;: 0.000");
  CHECK(cells[2].get<std::string>("title") == "\uFFFD\uFFFD ← ]]>&amp;: 0.000");
}

TEST_CASE("a long word is shortened on its axis and whole in the tooltip") {
  const std::string word = "Donaudampfschifffahrtsgesellschaftskapitän";
  const std::string svg = heat_map_svg({.rows = {"x"}, .columns = {word}, .weights = {1}});
  CHECK(svg.find(">Donaudampfschifffahrtsgesel…<") != std::string::npos);
  CHECK(svg.find("x ← " + word) != std::string::npos);
  CHECK(svg.find(">" + word) == std::string::npos);
}

TEST_CASE("a heat map that doesn't fit is refused") {
  HeatMap map = two_by_three();
  map.weights.pop_back();
  CHECK_THROWS_WITH_AS(heat_map_svg(map), "[heat_map_svg] 5 weights for 2 rows and 3 columns", ShapeError);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -0.1, 1.1}) {
    map.weights = {0, 0, 0, 0, bad, 0};
    CHECK_THROWS_AS(heat_map_svg(map), ValueError);
  }
  CHECK_THROWS_AS(heat_map_svg({}), ShapeError);
  map.weights = {1.0000001, 0, 0, 0, 0, -1e-9};  // rounding is no reason to refuse
  CHECK_NOTHROW(heat_map_svg(map));
}

TEST_CASE("a heat map is written whole or not at all") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "map.svg";
  HeatMap map = two_by_three();
  write_heat_map(path, map);
  CHECK(content(path) == heat_map_svg(map));

  map.weights[0] = -1;
  CHECK_THROWS_AS(write_heat_map(path, map), ValueError);
  CHECK(content(path) == heat_map_svg(two_by_three()));

  CHECK_THROWS_AS(write_heat_map(folder.path() / "missing" / "map.svg", two_by_three()), IoError);
  std::filesystem::create_directory(folder.path() / "taken");
  CHECK_THROWS_AS(write_heat_map(folder.path() / "taken", two_by_three()), IoError);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);  // the map and the folder
}
