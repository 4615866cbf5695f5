// One training step of a model on made-up data: train_step lstm --threads N --steps N prints one JSON line; with --profile also
// where the time of the measured steps went.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "weft/autograd/profile.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/loss.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"
#include "weft/seq2seq/encoder_decoder.hpp"

using namespace weft;

namespace {

struct Settings {
  int threads, steps;
  double dropout;
  bool profile;
};

struct Measurement {
  double milliseconds;  // median of a step
  std::int64_t tokens;  // target tokens of a step
  double gflop;         // matrix work of a step by the model's formula
};

// Runs `step` a few times to warm up, then as often as asked for; the median in milliseconds.
template <class Step>
double median_milliseconds(const Settings& settings, const Step& step) {
  for (int i = 0; i < 3; ++i) step();
  std::vector<double> times;
  Profile profile;
  std::optional<Profiling> profiling;
  if (settings.profile) profiling.emplace(profile);
  for (int i = 0; i < settings.steps; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    step();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  profiling.reset();
  if (settings.profile) std::cerr << profile.str();
  std::nth_element(times.begin(), times.begin() + settings.steps / 2, times.end());
  return times[static_cast<std::size_t>(settings.steps) / 2];
}

// Row i has `length` tokens, of which the last i mod 5 are padding.
std::vector<seq2seq::TokenIds> made_up_rows(std::size_t rows, std::int32_t length, std::int32_t vocabulary, std::int32_t seed) {
  std::vector<seq2seq::TokenIds> result(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::int32_t used = length - static_cast<std::int32_t>(r % 5);
    for (std::int32_t t = 0; t < used; ++t) {
      const auto mixed = static_cast<std::int64_t>(r) * 7919 + t * 104729 + seed * 1299709;
      result[r].push_back(static_cast<std::int32_t>(4 + mixed % (vocabulary - 4)));
    }
  }
  return result;
}

std::vector<const seq2seq::TokenIds*> pointers(const std::vector<seq2seq::TokenIds>& rows) {
  std::vector<const seq2seq::TokenIds*> result;
  for (const auto& row : rows) result.push_back(&row);
  return result;
}

// The translator: batch 64, 20 source and 20 target tokens, embedding 256, encoder 2x256, decoder 512 with general attention
// and input feeding, vocabulary 8,000 untied, label smoothing 0.1, Adam, clipping at 1.
Measurement lstm(const Settings& settings) {
  constexpr std::int32_t batch_size = 64, length = 20, vocabulary = 8000, embedding = 256, hidden = 512;
  const auto source = made_up_rows(batch_size, length, vocabulary, 1);
  const auto target = made_up_rows(batch_size, length - 1, vocabulary, 2);  // with end_id: 20
  const seq2seq::Batch batch = seq2seq::make_batch(pointers(source), pointers(target));
  seq2seq::EncoderDecoder model({.source_vocabulary = vocabulary,
                                 .target_vocabulary = vocabulary,
                                 .embedding = embedding,
                                 .hidden = hidden,
                                 .attention = seq2seq::AttentionKind::general,
                                 .input_feeding = true,
                                 .dropout = settings.dropout});
  optim::Adam optimizer(model.parameters(), {.lr = 5e-4, .betas = {0.9, 0.98}, .eps = 1e-9});
  Generator generator(1);
  const double milliseconds = median_milliseconds(settings, [&] {
    Tape tape(generator);
    const Var loss = cross_entropy(model(batch), batch.target_out, {.ignore_index = seq2seq::pad_id, .label_smoothing = 0.1});
    tape.backward(loss);
    optim::clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
  });
  constexpr double encoder = 2.0 * 4 * (hidden / 2) * (embedding + hidden / 2),
                   decoder = 4.0 * hidden * (embedding + 2 * hidden);
  constexpr double attention = 1.0 * hidden * hidden + 2.0 * length * hidden + 2.0 * hidden * hidden,
                   output = 1.0 * hidden * vocabulary;
  constexpr double multiply_adds = batch_size * length * (encoder + decoder + attention + output);
  return {milliseconds, batch.target_tokens, 3 * 2 * multiply_adds * 1e-9};  // backward is twice the forward's work
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int run(int argc, char** argv) {
  namespace po = boost::program_options;
  std::string name;
  Settings settings{};
  po::options_description options("train_step NAME [options]\n  NAME is lstm");
  options.add_options()("help", "this text")("name", po::value(&name), "the model")(
      "threads", po::value(&settings.threads)->default_value(num_threads()), "threads of weft")(
      "steps", po::value(&settings.steps)->default_value(20), "steps that are measured, after 3 to warm up")(
      "dropout", po::value(&settings.dropout)->default_value(0), "dropout of the model")(
      "profile", po::bool_switch(&settings.profile), "print the time by operation and by module to the standard error");
  po::positional_options_description first;
  first.add("name", 1);
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(options).positional(first).run(), given);
  if (given.count("help") != 0) {
    std::cout << options;
    return 0;
  }
  po::notify(given);
  if (name != "lstm" || settings.steps < 1) {
    std::cerr << "train_step: NAME must be lstm, --steps at least 1\n" << options;
    return 2;
  }
  set_num_threads(settings.threads);
  const Measurement measured = lstm(settings);
  const double seconds = measured.milliseconds / 1000;
  const nlohmann::ordered_json line = {{"name", name},
                                       {"threads", settings.threads},
                                       {"ms_per_step", std::round(measured.milliseconds * 100) / 100},
                                       {"tokens_per_s", std::round(static_cast<double>(measured.tokens) / seconds)},
                                       {"gflops", std::round(measured.gflop / seconds * 10) / 10},
                                       {"peak_rss_mb", std::round(peak_rss_mb())}};
  std::cout << line.dump() << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const boost::program_options::error& error) {
    std::cerr << "train_step: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "train_step: " << error.what() << '\n';
    return 1;
  }
}
