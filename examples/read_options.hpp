#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "weft/base/error.hpp"

/// Options from the command line and a configuration; what is wrong with one is said with its place and what was meant.
namespace read_options {

namespace po = boost::program_options;

/// A wrong call: exit code 2.
class UsageError : public weft::Error {
 public:
  using Error::Error;
};

/// Letters to insert, leave out or replace to get from one word to the other (Levenshtein 1966).
inline std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < to.size(); ++j)
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, diagonal + (from[i] == to[j] ? 0 : 1)}));
  }
  return row.back();
}

/// "; did you mean PREFIXname?" for the name that is nearest to `word`; "" where none is near.
inline std::string suggestion(const std::string& word, const std::vector<std::string>& names, const char* prefix) {
  const std::string* best = nullptr;
  std::size_t least = (word.size() < 4 ? 1 : std::max<std::size_t>(2, word.size() / 3)) + 1;
  for (const std::string& name : names)
    if (const std::size_t count = edits(word, name); count < least) {
      least = count;
      best = &name;
    }
  return best == nullptr ? "" : fmt::format("; did you mean {}{}?", prefix, *best);
}

/// Refuses another value than the untouched one of an option that is for what `chosen` isn't.
template <class T>
void refuse_idle(const char* option, const T& value, const T& untouched, const char* of, const std::string& chosen) {
  if (value != untouched) throw UsageError(fmt::format("--{} {} is of {}; {} has no use for it", option, value, of, chosen));
}

/// Options of one kind of a decoder's attention, where another was chosen.
template <class ModelOptions>
void refuse_idle_attention(const std::string& attention, const ModelOptions& options) {
  const ModelOptions untouched;
  if (!attention.starts_with("local-"))
    refuse_idle("window", options.window, untouched.window, "--attention local-m and local-p", attention);
  if (attention != "multi_head")
    refuse_idle("attention-heads", options.heads, untouched.heads, "--attention multi_head", attention);
}

/// The same of what a Transformer's places see each other by.
template <class ModelOptions>
void refuse_idle_mixing(const std::string& mixing, const ModelOptions& options) {
  const ModelOptions untouched;
  if (mixing != "light" && mixing != "dynamic")
    refuse_idle("kernel-size", options.kernel_size, untouched.kernel_size, "--mixing light and dynamic", mixing);
  if (mixing != "block_local" && mixing != "strided" && mixing != "window")
    refuse_idle("reach", options.reach, untouched.reach, "--mixing block_local, strided and window", mixing);
}

inline std::vector<std::string> names_of(const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back(option->long_name());
  return names;
}

/// What else is known of an option that there isn't: "" or a sentence.
using Hint = std::function<std::string(const std::string& name)>;

inline void read_words(const std::vector<std::string>& words, const po::options_description& options, po::variables_map& given,
                       const std::string& help, const Hint& hint) {
  try {
    po::store(po::command_line_parser(words).options(options).positional({}).run(), given);
  } catch (const po::unknown_option& error) {
    const std::string given_name = error.get_option_name();  // "--name", or "--name=value"
    const std::string dashes = given_name.substr(0, std::min(given_name.find_first_not_of('-'), given_name.size()));
    const std::string name = given_name.substr(dashes.size(), given_name.find('=') - dashes.size());
    if (const std::string known = hint ? hint(name) : ""; !known.empty()) throw UsageError(known);
    throw UsageError(fmt::format("there is no option {}{}{} ({} lists them)", dashes, name,
                                 suggestion(name, names_of(options), "--"), help));
  } catch (const po::too_many_positional_options_error& error) {
    throw UsageError(fmt::format("{}; options start with -- ({} lists them)", error.what(), help));
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{} ({} says more)", error.what(), help));
  }
}

/// Lines `option = value`; # starts a comment. What the command line has given stays.
inline void read_file(const std::string& path, const po::options_description& options, po::variables_map& given,
                      const Hint& hint) {
  const auto refuse_unread = [&path] {
    throw weft::IoError(fmt::format("can't read the configuration {}: {}", path, std::generic_category().message(errno)));
  };
  errno = 0;
  std::ifstream file(path);
  if (!file) refuse_unread();
  std::map<std::string, int> seen;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    const auto wrong = [&](const std::string& what) { return UsageError(fmt::format("{}:{}: {}", path, line, what)); };
    if (const auto start = text.find_first_not_of(" \t"); start != std::string::npos && text[start] == '[')
      throw wrong("a configuration has no sections, only lines `option = value`");
    std::istringstream one(text);
    try {
      const auto parsed = po::parse_config_file(one, options);
      for (const auto& option : parsed.options) {
        if (option.string_key == "config") throw wrong("'config' can't stand in a configuration: give one file");
        if (const auto [before, first] = seen.emplace(option.string_key, line); !first)
          throw wrong(fmt::format("'{}' stands in line {} already", option.string_key, before->second));
      }
      po::store(parsed, given);
    } catch (const po::unknown_option& error) {
      const std::string name = error.get_option_name();
      if (const std::string known = hint ? hint(name) : ""; !known.empty()) throw wrong(known);
      throw wrong(fmt::format("there is no option '{}'{}", name, suggestion(name, names_of(options), "")));
    } catch (const po::invalid_config_file_syntax&) {
      throw wrong("this is no line `option = value`");
    } catch (const po::error& error) {
      throw wrong(error.what());
    }
  }
  if (file.bad()) refuse_unread();
}

/// What command line and configuration say of some options on which the others' defaults depend, before these are known. What
/// is wrong with either is said when all options are read.
inline po::variables_map first_look(const std::vector<std::string>& words, po::options_description options) {
  options.add_options()("config", po::value<std::string>(), "");
  po::variables_map given;
  try {
    po::store(po::command_line_parser(words).options(options).allow_unregistered().run(), given);
    if (given.count("config") != 0)
      if (std::ifstream file(given["config"].as<std::string>()); file)
        po::store(po::parse_config_file(file, options, true), given);
  } catch (const po::error&) {
  }
  return given;
}

/// Whether they ask for a quick run, however that is spelt.
inline bool is_quick(const std::vector<std::string>& words) {
  po::options_description options;
  options.add_options()("quick", po::bool_switch(), "");
  const po::variables_map given = first_look(words, options);
  return given.count("quick") != 0 && given["quick"].as<bool>();
}

/// The options of one command, from its words first and then from the file of --config. False when it was only --help.
/// `help` is the call that lists them. Throws UsageError, IoError.
inline bool read(const std::vector<std::string>& words, po::options_description& options, std::ostream& out,
                 const std::string& help, const Hint& hint = {}) {
  options.add_options()("help,h", "this text")("config", po::value<std::string>(), "file with lines `option = value`");
  po::variables_map given;
  read_words(words, options, given, help, hint);
  if (given.count("help") != 0) {
    out << options;
    return false;
  }
  if (given.count("config") != 0) read_file(given["config"].as<std::string>(), options, given, hint);
  po::notify(given);
  return true;
}

}  // namespace read_options
