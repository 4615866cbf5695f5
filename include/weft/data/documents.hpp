#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace weft::data {

/// A text of a known class.
struct Document {
  std::string name;                    ///< of its file
  std::int64_t label = 0;              ///< which of the classes
  std::int64_t place = 0;              ///< which of its class's files, by name, those that were left out included
  std::vector<std::string> sentences;  ///< the lines of its file that aren't blank
};

/// What a folder held.
struct LabelledDocuments {
  std::vector<std::string> classes;   ///< by name
  std::vector<std::int64_t> files;    ///< of each class, those that were left out included
  std::vector<Document> documents;    ///< class by class, in each by name
  std::vector<std::string> left_out;  ///< for each file that is no document: its path and the reason
};

/// Reads a folder with a folder of text files, plain or gzip, for each class: FOLDER/CLASS/FILE, one sentence a line. Names
/// that begin with a dot are passed over. A file beside the classes' folders, one without words, one that isn't UTF-8 text (see
/// LineReader) or can't be read is left out, with the reason. Throws IoError for a folder that can't be read,
/// FormatError for less than two classes and for a class without documents.
LabelledDocuments read_documents(const std::filesystem::path& folder);

/// "200 documents, crc32 1a2b3c4d", of their labels and sentences in that order: what tells them from others.
std::string checksum(std::span<const Document> documents);

/// Documents by what they are for, as indices.
struct DocumentSplit {
  std::vector<std::size_t> train, held_out, test;
};

struct DocumentSplitOptions {
  std::int64_t folds = 10;
  std::int64_t fold = 0;  ///< which of the folds, from 1, is for testing; 0: none
  double held_out = 0.1;  ///< share of the others that isn't trained on
};

/// The files of each class, by name, cut into `folds` parts of like size, of which part `fold` is for testing; of each class's
/// others every so many is held out. Where a document goes doesn't depend on files that were left out. Throws ValueError for
/// options that can't be.
DocumentSplit split_documents(const LabelledDocuments& documents, const DocumentSplitOptions& options);

}  // namespace weft::data
