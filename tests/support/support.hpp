#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace weft::test {

/// Folder of the shared data (WEFT_SHARED). Without it the calling test is counted as skipped, with `what` as the reason.
/// With WEFT_SHARED set and `what` missing below it, throws: a skip for want of data is then a failure.
std::optional<std::filesystem::path> shared_path(const std::string& what);

/// Counts a test as skipped and says why; printed at the end for tests/run.sh to add up.
void skip(const std::string& reason);

/// Prints "skipped: REASON" lines.
void print_skipped();

/// A static object of this type makes a test program do `run` instead of its tests when its only argument is `flag`.
struct Option {
  Option(const char* flag, void (*run)());
};

/// Runs the option that has this flag; false where none has.
bool run_option(const std::string& flag);

/// Files can't grow beyond `bytes` while it lives: a full disk for one process.
class FileLimit {
 public:
  explicit FileLimit(std::uint64_t bytes);
  ~FileLimit();
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  std::uint64_t old_ = 0;
  void (*handler_)(int);
};

/// A fresh folder that goes when the object goes.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace weft::test
