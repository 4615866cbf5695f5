#include "base/files_in.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/fail.hpp"

namespace weft {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const char* op, const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator file(folder, error);
  for (const fs::directory_iterator end; !error && file != end; file.increment(error)) files.push_back(file->path());
  if (error) fail<IoError>(op, "can't read the folder {}: {}", folder.string(), error.message());
  std::sort(files.begin(), files.end());
  return files;
}

void check_file(const char* op, const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_regular_file(status)) return;
  fail<IoError>(op, "can't read {}: {}", path.string(),
                error                      ? error.message()
                : fs::is_directory(status) ? std::generic_category().message(EISDIR)
                                           : "not a file");
}

}  // namespace weft
