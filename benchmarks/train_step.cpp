// A training step of a model on made-up data: train_step NAME --threads N prints one JSON line. The same program is built on
// libtorch (compare/), so that both are measured alike.
#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>
#include <string>

#include "weft/autograd/profile.hpp"
#include "weft/base/threads.hpp"
#include "weft/train/benchmark.hpp"
#include "weft/train/count_allocations.hpp"
#include "work/program.hpp"
#include "work/work.hpp"

namespace po = boost::program_options;

namespace {

struct Command {
  std::string name, dtype;
  bench::Settings settings;
  int steps = 0, warmup = 3;
  bool profile = false, deterministic = false;
};

std::string names() {
  std::string result;
  for (const bench::Entry& entry : bench::works()) result += std::string(result.empty() ? "" : ", ") + entry.name;
  return result;
}

po::options_description described(Command& command) {
  bench::Settings& s = command.settings;
  const auto size = [](std::optional<std::int64_t>& target) {
    return po::value<std::int64_t>()->notifier([&target](std::int64_t value) {
      if (value < 1) throw po::error("a size must be positive");
      target = value;
    });
  };
  po::options_description options("train_step NAME [options]\n  NAME is one of " + names());
  options.add_options()("help", "this text")("name", po::value(&command.name), "what is trained")(
      "threads", po::value(&s.threads)->default_value(weft::num_threads()), "threads that work")(
      "steps", po::value(&command.steps), "steps that are measured; as many as take some seconds unless given")(
      "warmup", po::value(&command.warmup)->default_value(command.warmup), "steps before these")(
      "dtype", po::value(&command.dtype)->default_value("f32"), "f32 or f64")(
      "dropout", po::value<double>()->notifier([&s](double p) { s.dropout = p; }), "dropout in place of the model's own")(
      "padded", po::bool_switch(&s.padded), "ragged: rows of one length")("batch", size(s.batch), "rows of a batch")(
      "length", size(s.length), "steps, tokens, positions or frames of a row")("layers", size(s.layers),
                                                                               "layers of encoder, decoder or the one stack")(
      "width", size(s.width), "of the model, a cell, a head (attention), channels (conv)")(
      "heads", size(s.heads), "of attention")("feed-forward", size(s.feed_forward), "inner size of the transformer's layers")(
      "vocabulary", size(s.vocabulary), "tokens or classes")("deterministic", po::bool_switch(&command.deterministic),
                                                             "the same bits for any number of threads")(
      "profile", po::bool_switch(&command.profile),
      "then print to the standard error where the time of as many further steps goes, by operation and by module");
  return options;
}

int run(int argc, char** argv) {
  Command command;
  const po::options_description options = described(command);
  po::positional_options_description first;
  first.add("name", 1);
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(options).positional(first).run(), given);
  if (given.count("help") != 0) {
    std::cout << options;
    return 0;
  }
  po::notify(given);
  const auto works = bench::works();
  const auto entry = std::find_if(works.begin(), works.end(), [&](const bench::Entry& e) { return e.name == command.name; });
  if (entry == works.end()) throw po::error("NAME must be one of " + names() + ", not '" + command.name + "'");
  if (command.dtype != "f32" && command.dtype != "f64") throw po::error("--dtype must be f32 or f64");
  if (command.steps < 1 && given.count("steps") != 0) throw po::error("--steps must be at least 1");
  command.settings.f64 = command.dtype == "f64";
  weft::set_num_threads(command.settings.threads);  // for the peak, too
  weft::deterministic(command.deterministic);
  bench::prepare(command.settings);
  const bench::Work work = entry->make(command.settings);
  const int steps = command.steps > 0 ? command.steps : work.steps;
  const weft::BenchmarkResult result = weft::benchmark_step(work.step, {.name = command.name,
                                                                        .warmup = command.warmup,
                                                                        .steps = steps,
                                                                        .tokens = work.tokens,
                                                                        .gflop = work.gflop,
                                                                        .dtype = command.settings.f64 ? weft::f64 : weft::f32});
  std::cout << result.json() << '\n';
  if (!command.profile) return 0;
  weft::Profile profile;
  {
    const weft::Profiling on(profile);
    for (int i = 0; i < steps; ++i) work.step();
  }
  std::cerr << profile.str();
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return bench::program("train_step", argc, argv, run); }
