#pragma once
#include <filesystem>
#include <vector>

namespace weft {

/// What a folder holds, by name. Throws IoError with the operation `op`.
std::vector<std::filesystem::path> files_in(const char* op, const std::filesystem::path& folder);

}  // namespace weft
