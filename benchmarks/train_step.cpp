// A training step of a model on made-up data: train_step NAME --threads N prints one JSON line. The same program is built on
// libtorch (compare/), so that both are measured alike.
#include <algorithm>
#include <array>
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

struct Size {
  const char* name;
  bench::Given<std::int64_t>& value;
  const char* what;
};

std::array<Size, 7> sizes_of(bench::Settings& s) {
  return {{{"batch", s.batch, "rows of a batch"},
           {"length", s.length, "steps, tokens, positions or frames of a row"},
           {"layers", s.layers, "layers of encoder, decoder or the one stack"},
           {"width", s.width, "of the model, a cell, a head (attention), channels (conv)"},
           {"heads", s.heads, "of attention"},
           {"feed-forward", s.feed_forward, "inner size of the transformer's layers"},
           {"vocabulary", s.vocabulary, "tokens or classes"}}};
}

po::options_description described(Command& command) {
  bench::Settings& s = command.settings;
  po::options_description options("train_step NAME [options]\n  NAME is one of " + names());
  const auto dropout = po::value<double>()->notifier([&s](double p) {
    if (!(p >= 0 && p < 1)) throw po::error("--dropout must be from 0 to below 1");
    s.dropout.set(p);
  });
  const auto padded = po::bool_switch()->notifier([&s](bool on) {
    if (on) s.padded.set(true);
  });
  auto add = options.add_options();
  add("help", "this text");
  add("name", po::value(&command.name), "what is trained");
  add("threads", po::value(&s.threads)->default_value(weft::num_threads()), "threads that work");
  add("steps", po::value(&command.steps), "steps that are measured; as many as take some seconds unless given");
  add("warmup", po::value(&command.warmup)->default_value(command.warmup), "steps before these");
  add("dtype", po::value(&command.dtype)->default_value("f32"), "f32 or f64");
  add("dropout", dropout, "dropout in place of the model's own");
  add("padded", padded, "ragged: rows of one length");
  for (const Size& size : sizes_of(s))
    add(size.name, po::value<std::int64_t>()->notifier([size](std::int64_t value) {
      if (value < 1) throw po::error(std::string("--") + size.name + " is " + std::to_string(value) + "; it must be positive");
      size.value.set(value);
    }),
        size.what);
  add("deterministic", po::bool_switch(&command.deterministic), "the same bits for any number of threads");
  add("profile", po::bool_switch(&command.profile),
      "then print to the standard error where the time of as many further steps goes, by operation and by module");
  return options;
}

// What was given and the work hasn't; no dropout is what a work without it does.
void refuse_idle(bench::Settings& s, const std::string& name) {
  const auto refuse = [&](const char* option, bool idle) {
    if (idle) throw po::error("'" + name + "' has no --" + option);
  };
  refuse("padded", s.padded.is_idle());
  refuse("dropout", s.dropout.is_idle() && s.dropout.value_or(0) != 0);
  for (const Size& size : sizes_of(s)) refuse(size.name, size.value.is_idle());
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
  if (command.warmup < 0) throw po::error("--warmup must not be negative");
  bench::check_threads(command.settings.threads);
  command.settings.f64 = command.dtype == "f64";
  weft::set_num_threads(command.settings.threads);  // for the peak, too
  weft::deterministic(command.deterministic);
  bench::prepare(command.settings);
  const bench::Work work = entry->make(command.settings);
  refuse_idle(command.settings, command.name);
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
