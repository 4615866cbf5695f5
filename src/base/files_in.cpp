#include "base/files_in.hpp"

#include <algorithm>
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

}  // namespace weft
