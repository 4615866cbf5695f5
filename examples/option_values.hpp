#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

/// Values of options that are checked while they are read, on the command line and in a configuration: a bad one is a wrong
/// call like an unknown option.
namespace option_values {

namespace po = boost::program_options;

[[noreturn]] inline void refuse(const std::string& value, const std::string& rule) {
  // Program_options puts in the option's name.
  po::error_with_option_name error(fmt::format("the argument ('%value%') for option '%canonical_option%' must be {}", rule));
  error.set_substitute("value", value);
  throw error;
}

template <class T>
class Number : public po::typed_value<T> {
 public:
  Number(T* target, T least, T most) : po::typed_value<T>(target), least_(least), most_(most) {}

  void xparse(boost::any& store, const std::vector<std::string>& words) const override {
    // A minus sign would wrap around.
    if (std::is_unsigned_v<T> && !words.empty() && words[0].starts_with('-')) refuse(words[0], rule());
    try {
      po::typed_value<T>::xparse(store, words);
    } catch (const po::invalid_option_value&) {
      refuse(words[0], rule());
    }
    const T value = boost::any_cast<T>(store);
    if (!(value >= least_ && value <= most_)) refuse(words[0], rule());  // NaN neither
  }

 private:
  std::string rule() const {
    const bool open = most_ >= std::numeric_limits<T>::max();
    const char* const kind = std::is_integral_v<T> ? "a whole number" : "a number";
    return open ? fmt::format("{}, {} or more", kind, least_) : fmt::format("{} from {} to {}", kind, least_, most_);
  }

  T least_, most_;
};

/// A number from `least` to `most`, with the target's value as default.
template <class T>
po::typed_value<T>* number(T& target, std::type_identity_t<T> least,
                           std::type_identity_t<T> most = std::numeric_limits<T>::max()) {
  return (new Number<T>(&target, least, most))
      ->default_value(target, fmt::to_string(target));  // an options_description owns it
}

/// Any text.
inline po::typed_value<std::string>* option(std::string& target) { return po::value(&target)->default_value(target); }

class Choice : public po::typed_value<std::string> {
 public:
  Choice(std::string* target, std::vector<std::string> names) : typed_value(target), names_(std::move(names)) {}

  void xparse(boost::any& store, const std::vector<std::string>& words) const override {
    typed_value::xparse(store, words);
    auto& value = boost::any_cast<std::string&>(store);
    // local_p is local-p: nobody knows by heart which of both a name has.
    const auto alike = [&value](const std::string& name) {
      return std::equal(name.begin(), name.end(), value.begin(), value.end(),
                        [](char a, char b) { return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_')); });
    };
    if (const auto found = std::find_if(names_.begin(), names_.end(), alike); found != names_.end())
      value = *found;
    else
      refuse(value, fmt::format("{} or {}", fmt::join(names_.begin(), names_.end() - 1, ", "), names_.back()));
  }

  // In the help: the names where others have "arg", then the default.
  std::string name() const override {
    return fmt::format("{}{}", fmt::join(names_, "|"), typed_value::name().substr(po::arg.size()));
  }

 private:
  std::vector<std::string> names_;
};

/// One of some names, with the target's value as default.
inline po::typed_value<std::string>* choice(std::string& target, std::vector<std::string> names) {
  return (new Choice(&target, std::move(names)))->default_value(target);
}

}  // namespace option_values
