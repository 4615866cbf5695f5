#include "weft/train/kept_checkpoints.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include "base/fail.hpp"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "update-", suffix = ".safetensors";

}  // namespace

fs::path kept_checkpoint(const fs::path& folder, std::int64_t update) {
  return folder / fmt::format("{}{}{}", prefix, update, suffix);
}

std::vector<std::pair<std::int64_t, fs::path>> kept_checkpoints(const fs::path& folder) {
  std::vector<std::pair<std::int64_t, fs::path>> kept;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    std::int64_t update = 0;
    const char* behind = name.data() + name.size() - suffix.size();
    const auto [read, problem] = std::from_chars(name.data() + prefix.size(), behind, update);
    if (problem == std::errc() && read == behind) kept.emplace_back(update, entry->path());
  }
  if (error) fail<IoError>("kept_checkpoints", "can't list the folder {}: {}", folder.string(), error.message());
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace weft
