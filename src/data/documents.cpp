#include "weft/data/documents.hpp"

#include <boost/crc.hpp>
#include <string_view>

#include "base/fail.hpp"
#include "base/files_in.hpp"
#include "weft/data/held_out.hpp"
#include "weft/data/lines.hpp"

namespace weft::data {
namespace {

constexpr const char* operation = "read_documents";

namespace fs = std::filesystem;

std::vector<fs::path> entries(const fs::path& folder) {
  auto result = files_in(operation, folder);
  std::erase_if(result, [](const fs::path& path) { return path.filename().string().starts_with('.'); });
  return result;
}

std::vector<std::string> read_sentences(const fs::path& file) {
  check_file(operation, file);
  LineReader reader(file);
  std::vector<std::string> sentences;
  std::string line;
  while (reader.next(line))
    if (!is_blank(line)) sentences.push_back(line);
  check<FormatError>(!sentences.empty(), operation, "{} has no words", file.string());
  return sentences;
}

}  // namespace

LabelledDocuments read_documents(const fs::path& folder) {
  LabelledDocuments result;
  for (const fs::path& of_class : entries(folder)) {
    std::error_code ignored;
    if (!fs::is_directory(of_class, ignored)) {
      result.left_out.push_back(fmt::format("{} isn't in a folder of a class", of_class.string()));
      continue;
    }
    const auto label = static_cast<std::int64_t>(result.classes.size());
    const std::size_t before = result.documents.size();
    std::int64_t place = 0;
    for (const fs::path& file : entries(of_class)) {
      try {
        result.documents.push_back({file.filename().string(), label, place, read_sentences(file)});
      } catch (const Error& error) {
        result.left_out.emplace_back(error.what());
      }
      ++place;
    }
    if (result.documents.size() == before)
      fail<FormatError>(operation, "the class {} has no documents: {}", of_class.string(),
                        place == 0 ? "the folder is empty" : result.left_out.back());
    result.classes.push_back(of_class.filename().string());
    result.files.push_back(place);
  }
  check<FormatError>(result.classes.size() >= 2, operation,
                     "{} has {} folders of documents; two classes at least are needed, each a folder of text files",
                     folder.string(), result.classes.size());
  return result;
}

std::string checksum(std::span<const Document> documents) {
  boost::crc_32_type crc;
  for (const Document& document : documents) {
    crc.process_bytes(&document.label, sizeof document.label);
    for (const std::string& line : document.sentences) crc.process_bytes(line.c_str(), line.size() + 1);  // its end too
  }
  return fmt::format("{} documents, crc32 {:08x}", documents.size(), crc.checksum());
}

DocumentSplit split_documents(const LabelledDocuments& documents, const DocumentSplitOptions& o) {
  check<ValueError>(o.folds >= 1 && o.fold >= 0 && o.fold <= o.folds, "split_documents",
                    "fold {} of {}: a number from 1 to the folds' is needed, or 0 for none", o.fold, o.folds);
  check<ValueError>(o.held_out >= 0 && o.held_out < 1, "split_documents", "held_out is {}; it must be a share in [0, 1)",
                    o.held_out);
  DocumentSplit split;
  for (std::size_t i = 0; i < documents.documents.size(); ++i) {
    const std::int64_t place = documents.documents[i].place;
    const std::int64_t files = documents.files[static_cast<std::size_t>(documents.documents[i].label)];
    const auto first = [&](std::int64_t fold) { return o.fold == 0 ? 0 : ((fold - 1) * files + o.folds - 1) / o.folds; };
    const std::int64_t begin = first(o.fold), end = first(o.fold + 1);  // of the test part
    if (place >= begin && place < end) {
      split.test.push_back(i);
      continue;
    }
    const std::int64_t before = place < begin ? place : place - (end - begin);
    (is_held_out(before, o.held_out) ? split.held_out : split.train).push_back(i);
  }
  return split;
}

}  // namespace weft::data
