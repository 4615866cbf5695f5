#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "left_out.hpp"
#include "weft/base/error.hpp"
#include "weft/data/lines.hpp"

/// Standard input of a program that answers it piece by piece, each a line or several: a bad one costs no other its answer.
class Input {
 public:
  /// `pieces` names them in what is said.
  explicit Input(const char* program, const char* pieces = "lines") : program_(program), pieces_(pieces) {}

  /// The next line; false at the end, and where the input can't be read on, which `end` throws. Of a line that is no text
  /// `fault` says why, and the line is empty.
  bool next(std::string& line, std::string& fault) {
    fault.clear();
    try {
      std::optional<std::int64_t> invalid;
      if (!reader_.next(line, invalid)) return false;
      if (!invalid) return true;
      fault = reader_.fault(line, *invalid);
      line.clear();
      return true;
    } catch (const weft::Error&) {
      failure_ = std::current_exception();
      return false;
    }
  }

  /// The same where pieces are lines: one that is no text is left out.
  bool next(std::string& line) {
    std::string fault;
    if (!next(line, fault)) return false;
    if (!fault.empty()) leave_out(static_cast<std::size_t>(reader_.line_number()), fault);
    return true;
  }

  /// All lines; empty ones where they are left out.
  std::vector<std::string> rest() {
    std::vector<std::string> lines;
    for (std::string line; next(line);) lines.push_back(line);
    return lines;
  }

  /// Says that piece `number`, from 1, has no answer, and why, unless that was said.
  void leave_out(std::size_t number, const std::string& reason) {
    if (left_out_.insert(number).second) say_left_out(program_, reason);
  }
  void leave_out_wordless(std::size_t number) {
    leave_out(number, fmt::format("{}, line {}: no words", reader_.name(), number));
  }

  /// Whether it ended where it can't be read on.
  bool broken() const { return failure_ != nullptr; }

  /// When everything is answered: says how many of `all` pieces are left out, or that there was none, and gives the exit code.
  /// Throws what the input ended with.
  int end(std::size_t all) const {
    if (all == 0 && !failure_) fmt::print(stderr, "{}: there were no {} on standard input\n", program_, pieces_);
    say_left_out(program_, left_out_.size(), all, pieces_);
    if (failure_) std::rethrow_exception(failure_);
    return left_out_.empty() ? 0 : 1;
  }

 private:
  const char* program_;
  const char* pieces_;
  weft::data::LineReader reader_{std::cin, "standard input"};
  std::set<std::size_t> left_out_;  // their numbers
  std::exception_ptr failure_;
};
