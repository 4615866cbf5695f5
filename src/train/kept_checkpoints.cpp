#include "weft/train/kept_checkpoints.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/fail.hpp"
#include "base/files_in.hpp"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string name_of(std::int64_t update) { return fmt::format("update-{}.safetensors", update); }

// None for other files' names, of which some have numbers too.
std::optional<std::int64_t> update_of(const std::string& name) {
  const std::size_t digit = name.find_first_of("0123456789");
  std::int64_t update = 0;
  if (digit == std::string::npos) return {};
  std::from_chars(name.data() + digit, name.data() + name.size(), update);
  return name == name_of(update) ? std::optional(update) : std::nullopt;
}

}  // namespace

fs::path kept_checkpoint(const fs::path& folder, std::int64_t update) { return folder / name_of(update); }

std::vector<std::pair<std::int64_t, fs::path>> kept_checkpoints(const fs::path& folder) {
  std::vector<std::pair<std::int64_t, fs::path>> kept;
  for (const fs::path& path : files_in("kept_checkpoints", folder))
    if (const auto update = update_of(path.filename().string())) kept.emplace_back(*update, path);
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace weft
