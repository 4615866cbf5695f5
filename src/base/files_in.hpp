#pragma once
#include <filesystem>
#include <vector>

namespace weft {

/// What a folder holds, by name. Throws IoError with the operation `op`.
std::vector<std::filesystem::path> files_in(const char* op, const std::filesystem::path& folder);

/// Throws IoError with the operation `op` unless there is a plain file, or a link to one: opening a pipe may never end.
void check_file(const char* op, const std::filesystem::path& path);

}  // namespace weft
