#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "read_options.hpp"
#include "weft/base/error.hpp"
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
  std::string text = fmt::format("{} was made with other settings:", error.path());
  for (const weft::SettingDifference& d : error.differences()) {
    const auto found = options.find(d.name);
    text += fmt::format(" {} ({} there, {} now);", found == options.end() ? d.name : found->second, d.there, d.now);
  }
  return text + " go on with the same settings, or start anew (--resume never), or in another folder (--output)";
}

/// Throws IoError if some of what was printed is lost.
inline void flush_output() {
  if (!std::cout.flush() || std::fflush(stdout) != 0) throw weft::IoError("can't write to standard output");
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
