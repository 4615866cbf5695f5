// How fast a trained translator translates: translate_speed FOLDER TEXT prints a JSON line for each number of threads, batch
// size and beam. FOLDER is that of a training run, TEXT has a sentence a line (plain or gzip).
#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"
#include "weft/data/lines.hpp"
#include "weft/seq2seq/translator.hpp"
#include "work/median.hpp"
#include "work/program.hpp"

namespace po = boost::program_options;
using namespace weft;

namespace {

struct Speed {
  double seconds = 0;
  std::int64_t tokens = 0;  // of the translations, their ends included
};

Speed translate(seq2seq::Translator& translator, std::span<const std::string> lines, std::int64_t batch, std::int64_t beam) {
  const auto begin = std::chrono::steady_clock::now();
  const auto translations = translator.translate(lines, {.search = {.beam = beam}, .batch = batch});
  Speed speed{std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
  for (const seq2seq::Translation& translation : translations)
    speed.tokens += static_cast<std::int64_t>(translation.target_words.size());
  return speed;
}

std::vector<std::string> read_lines(const std::string& path, std::size_t most) {
  std::vector<std::string> lines;
  data::LineReader reader{std::filesystem::path(path)};
  for (std::string line; lines.size() < most && reader.next(line);) lines.push_back(line);
  if (lines.empty()) throw ValueError(path + " has no lines");
  return lines;
}

int run(int argc, char** argv) {
  std::string folder, text;
  std::vector<int> threads;
  std::vector<std::int64_t> batches, beams;
  std::size_t sentences = 0;
  int rounds = 0;
  po::options_description options("translate_speed FOLDER TEXT [options]");
  options.add_options()("help", "this text")("folder", po::value(&folder)->required(), "a training run's folder")(
      "text", po::value(&text)->required(), "sentences to translate")("sentences", po::value(&sentences)->default_value(256),
                                                                      "the first so many of them")(
      "rounds", po::value(&rounds)->default_value(3), "the median of so many is given")(
      "threads", po::value(&threads)->multitoken()->default_value({1, 2}, "1 2"), "numbers of threads")(
      "batch", po::value(&batches)->multitoken()->default_value({1, 64}, "1 64"), "sentences at a time")(
      "beam", po::value(&beams)->multitoken()->default_value({1, 5}, "1 5"), "1 is greedy");
  po::positional_options_description first;
  first.add("folder", 1).add("text", 1);
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(options).positional(first).run(), given);
  if (given.count("help") != 0 || argc == 1) {
    std::cout << options;
    return argc == 1 ? 2 : 0;
  }
  po::notify(given);
  for (const int n : threads) bench::check_threads(n);
  for (const std::int64_t n : batches)
    if (n < 1) throw po::error("--batch must be at least 1");
  for (const std::int64_t n : beams)
    if (n < 1) throw po::error("--beam must be at least 1");
  if (rounds < 1 || sentences < 1) throw po::error("--rounds and --sentences must be at least 1");
  const auto translator = seq2seq::Translator::load(folder);
  const std::vector<std::string> lines = read_lines(text, sentences);
  for (const int n : threads)
    for (const std::int64_t batch : batches)
      for (const std::int64_t beam : beams) {
        set_num_threads(n);
        translate(*translator, std::span(lines).first(std::min<std::size_t>(lines.size(), 64)), batch, beam);  // to warm up
        std::vector<double> seconds;
        std::int64_t tokens = 0;  // of each round
        for (int round = 0; round < rounds; ++round) {
          const Speed speed = translate(*translator, lines, batch, beam);
          seconds.push_back(speed.seconds);
          tokens = speed.tokens;
        }
        const double median = bench::median(std::move(seconds));
        const auto per_second = [&](double count) { return std::round(10 * count / median) / 10; };
        const nlohmann::ordered_json line = {{"name", "translate"},
                                             {"threads", n},
                                             {"batch", batch},
                                             {"beam", beam},
                                             {"sentences_per_s", per_second(static_cast<double>(lines.size()))},
                                             {"tokens_per_s", per_second(static_cast<double>(tokens))}};
        std::cout << line.dump() << std::endl;
      }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return bench::program("translate_speed", argc, argv, run); }
