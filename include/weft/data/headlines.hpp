#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "weft/data/parallel_text.hpp"

namespace weft::data {

/// News stories: source i is a paragraph, target i its headline.
struct Headlines {
  ParallelText train, test, not_used;
  std::int64_t lines = 0;             // of the file
  std::int64_t blank_paragraphs = 0;  // left out: the paragraph is blank
  std::int64_t blank_headlines = 0;   // left out: the headline alone is
  std::int64_t malformed = 0;         // left out: the line isn't of the form
  std::vector<std::string> left_out;  // of the first ten of these: which line it is and why
  std::int64_t dropped() const { return blank_paragraphs + blank_headlines + malformed; }
};

/// Reads lines of split (TRAIN, TEST or NOT-USED), headline and paragraph with tabs between them, plain or gzip. Lines with
/// other splits or numbers of fields or that are no text (see LineReader) are left out, with the reason. FormatError for a file
/// without a story and for damaged gzip data; IoError for one that can't be read.
Headlines read_headlines(const std::filesystem::path& path);

/// Takes the last `count` pairs out of `text`, to validate on. ValueError unless some are taken and some stay.
ParallelText hold_out(ParallelText& text, std::int64_t count);

/// The first words of a line, as white space parts them, with a space between: what a news story says first is a summary that
/// is hard to beat.
std::string first_words(const std::string& line, std::int64_t count);

}  // namespace weft::data
