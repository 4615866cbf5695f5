#pragma once
#include <filesystem>
#include <string>
#include <system_error>

#include "weft/base/file.hpp"

/// Files that a command writes when its work is done.
namespace output_file {

/// Throws IoError where no file can be made or replaced at `path`, for before the work that it is to hold. Leaves what is
/// there.
inline void check(const std::filesystem::path& path) {
  struct Possible {};
  try {
    weft::write_atomically(path, [](weft::OutputFile&) { throw Possible(); });
  } catch (const Possible&) {
  }
}

/// Where a page goes: `output`, or where that is empty report.html in the run's folder. Throws IoError as `check`; of a folder
/// that isn't there the model's load says more.
inline std::string page_of(const std::string& output, const std::string& folder) {
  const std::filesystem::path page =
      output.empty() ? std::filesystem::path(folder) / "report.html" : std::filesystem::path(output);
  std::error_code unknown;
  if (!output.empty() || std::filesystem::is_directory(folder, unknown)) check(page);
  return page.string();
}

}  // namespace output_file
