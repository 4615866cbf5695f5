#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "input.hpp"
#include "read_options.hpp"
#include "weft/base/error.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/trainer.hpp"

/// Programs of several commands: which one a call means, and how it ends.
namespace commands {

using Command = std::pair<std::string, int (*)(const std::vector<std::string>& words)>;

struct Program {
  std::string name;
  const char* usage;
  std::vector<Command> commands;
  std::map<std::string, const char*> options;  ///< that make a setting of a run, by the setting's name
};

/// A run that can't go on, in terms of the options that made it.
inline std::string explain(const weft::SettingsError& error, const std::map<std::string, const char*>& options) {
  // A description of the model, which the run has none of.
  const auto unknown = [](const weft::SettingDifference& d) { return d.there == "none" && d.now.starts_with('{'); };
  if (std::any_of(error.differences().begin(), error.differences().end(), unknown))
    return fmt::format("{} is of another program's run; give a folder of its own (--output)", error.path());
  // One option can make several settings: the one that takes the fewest words tells of it.
  std::map<std::string, std::size_t> shortest;
  std::vector<std::pair<std::string, std::string>> named;
  for (const weft::SettingDifference& d : error.differences()) {
    const auto found = options.find(d.name);
    const std::string name = found == options.end() ? d.name : found->second;
    std::string values = fmt::format("({} there, {} now)", d.there, d.now);
    const auto [at, fresh] = shortest.emplace(name, named.size());
    if (fresh)
      named.emplace_back(name, std::move(values));
    else if (values.size() < named[at->second].second.size())
      named[at->second].second = std::move(values);
  }
  std::string text = fmt::format("{} was made with other settings:", error.path());
  for (const auto& [name, values] : named) text += fmt::format(" {} {};", name, values);
  return text + " go on with the same settings, or start anew (--resume never), or in another folder (--output)";
}

/// Throws IoError if some of what was printed is lost.
inline void flush_output() {
  if (!std::cout.flush() || std::fflush(stdout) != 0) throw weft::IoError("can't write to standard output");
}

/// Writes a line for each of standard input, in order, an empty one for what isn't UTF-8; the exit code. `answer` takes lines
/// and gives their results, which have a `text`; it gets many batches of `batch` at a time, so that lines of like length can
/// stand together.
template <class Answer>
int answer_lines(const char* program, std::int64_t batch, const Answer& answer) {
  constexpr std::size_t batches_at_a_time = 16;
  Input input(program);
  std::vector<std::string> lines;
  std::string line;
  std::size_t all = 0;
  const auto flush = [&] {
    std::size_t number = all - lines.size();
    for (const auto& result : answer(lines)) {
      std::cout << result.text << '\n';
      ++number;
      if constexpr (requires { result.source_cut; })
        if (result.source_cut > 0)
          fmt::print(stderr, "{}: cut: standard input, line {}: {} behind --max-source\n", program, number,
                     weft::format_count(result.source_cut, "piece"));
    }
    flush_output();
    lines.clear();
  };
  while (input.next(line)) {
    lines.push_back(line);
    ++all;
    if (lines.size() == batches_at_a_time * static_cast<std::size_t>(batch)) flush();
  }
  flush();
  return input.end(all);
}

inline int run(const Program& program, const std::vector<std::string>& words) {
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h")) {
    std::cout << program.usage;
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& [name, command] : program.commands) {
    if (!words.empty() && words[0] == name) return command({words.begin() + 1, words.end()});
    names.push_back(name);
  }
  if (!words.empty())
    std::cerr << fmt::format("{}: '{}' is no command{}\n", program.name, words[0],
                             read_options::suggestion(words[0], names, ""));
  std::cerr << program.usage;
  return 2;
}

/// The exit code: 2 for a wrong call, 1 for what went wrong otherwise, each said on the error output.
inline int main_of(const Program& program, int argc, char** argv) {
  const auto refuse = [&](const std::string& what, int code) {
    std::cerr << program.name << ": " << what << '\n';
    return code;
  };
  try {
    const int code = run(program, {argv + 1, argv + argc});
    flush_output();
    return code;
  } catch (const read_options::UsageError& error) {
    return refuse(error.what(), 2);
  } catch (const weft::SettingsError& error) {
    return refuse(explain(error, program.options), 1);
  } catch (const std::exception& error) {
    return refuse(error.what(), 1);
  }
}

}  // namespace commands
