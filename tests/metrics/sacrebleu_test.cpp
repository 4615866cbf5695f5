#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/support.hpp"
#include "weft/metrics/bleu.hpp"
#include "weft/metrics/chrf.hpp"
#include "weft/metrics/ter.hpp"

using namespace weft;
using namespace weft::metrics;
using nlohmann::json;

namespace {

constexpr double tolerance = 1e-6;

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool near(double a, double b) { return std::abs(a - b) <= tolerance; }

/// "bleu tok=13a lc=0 smooth=exp" gives {tok: 13a, lc: 0, smooth: exp}.
std::map<std::string, std::string> settings(const std::string& key) {
  std::map<std::string, std::string> result;
  std::istringstream words(key);
  for (std::string word; words >> word;)
    if (const auto equals = word.find('='); equals != std::string::npos)
      result[word.substr(0, equals)] = word.substr(equals + 1);
  return result;
}

void check_bleu(const BleuScore& score, const json& expected) {
  CHECK(near(score.score, expected["score"].get<double>()));
  CHECK(near(score.brevity_penalty, expected["bp"].get<double>()));
  CHECK(score.hypothesis_length == expected["sys_len"].get<std::int64_t>());
  CHECK(score.reference_length == expected["ref_len"].get<std::int64_t>());
  REQUIRE(score.precisions.size() == expected["precisions"].size());
  for (std::size_t n = 0; n < score.precisions.size(); ++n)
    CHECK(near(score.precisions[n], expected["precisions"][n].get<double>()));
  const auto without_version = [](std::string signature) { return signature.substr(0, signature.rfind(':')); };
  CHECK(without_version(score.signature) == without_version(expected["signature"].get<std::string>()));
}

}  // namespace

TEST_CASE("BLEU, chrF and TER equal sacreBLEU's on its fixtures") {
  const auto folder = test::shared_path("fixtures/metrics");
  if (!folder) return;
  json expected;
  std::ifstream(*folder / "expected.json") >> expected;
  int compared = 0;
  for (const auto& text : expected["cases"].items()) {
    const std::string& name = text.key();
    const json& entry = text.value();
    CAPTURE(name);
    const auto hypotheses = read_lines(*folder / (name + ".hyp.txt"));
    std::vector<std::vector<std::string>> references;
    for (int r = 0; r < entry["refs"].get<int>(); ++r)
      references.push_back(read_lines(*folder / (name + ".ref" + std::to_string(r) + ".txt")));
    REQUIRE(hypotheses.size() == entry["lines"].get<std::size_t>());
    for (const auto& metric : entry["results"].items()) {
      const std::string& key = metric.key();
      const json& result = metric.value();
      CAPTURE(key);
      auto set = settings(key);
      if (key.starts_with("bleu ")) {
        check_bleu(bleu(hypotheses, references,
                        {.tokenize = parse_tokenization(set["tok"]),
                         .lowercase = set["lc"] == "1",
                         .smooth = parse_smoothing(set["smooth"])}),
                   result);
      } else if (key.starts_with("chrf ")) {
        const auto score =
            chrf(hypotheses, references, {.word_order = std::stoi(set["word_order"]), .lowercase = set["lc"] == "1"});
        CHECK(near(score.score, result["score"].get<double>()));
      } else if (key.starts_with("ter ")) {
        const auto score = ter(hypotheses, references, {.normalized = set["normalized"] == "1"});
        CHECK(near(score.score, result["score"].get<double>()));
      } else if (key.starts_with("sentence bleu ")) {
        for (std::size_t i = 0; i < result.size(); ++i) {
          std::vector<std::string> these;
          for (const auto& stream : references) these.push_back(stream[i]);
          CHECK(near(sentence_bleu(hypotheses[i], these).score, result[i].get<double>()));
        }
      } else {
        continue;
      }
      ++compared;
    }
  }
  CHECK(compared == 7 * 18);
}
