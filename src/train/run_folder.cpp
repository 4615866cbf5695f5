#include "train/run_folder.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/fail.hpp"
#include "weft/base/file.hpp"
#include "weft/train/trainer.hpp"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* where = "train";
constexpr std::string_view before = "update-", after = ".safetensors";

fs::path made(fs::path path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail<IoError>(where, "can't make the folder {}: {}", path.string(), error.message());
  return path;
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(made(std::move(path))), lock_(path_) { remove_unfinished(path_, after); }

fs::path RunFolder::kept(std::int64_t update) const { return path_ / fmt::format("{}{}{}", before, update, after); }

void RunFolder::remove_weights() const {
  fs::remove(last());
  fs::remove(best());
  for (const auto& [update, path] : kept_checkpoints(path_)) fs::remove(path);
}

void RunFolder::remove_kept(std::int64_t update, std::int64_t keep) const {
  auto all = kept_checkpoints(path_);
  std::erase_if(all, [update](const auto& checkpoint) { return checkpoint.first > update; });
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < all.size(); ++i) fs::remove(all[i].second);
}

void RunFolder::cut_log(std::int64_t bytes) const {
  std::error_code error;
  const auto size = fs::file_size(log(), error);
  if (error || size <= static_cast<std::uintmax_t>(bytes)) return;
  fs::resize_file(log(), static_cast<std::uintmax_t>(bytes), error);
  if (error) fail<IoError>(where, "can't cut {} to {} bytes: {}", log().string(), bytes, error.message());
}

std::vector<std::pair<std::int64_t, fs::path>> kept_checkpoints(const fs::path& folder) {
  std::vector<std::pair<std::int64_t, fs::path>> kept;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) continue;
    std::int64_t update = 0;
    const char* end = name.data() + name.size() - after.size();
    const auto [read, error] = std::from_chars(name.data() + before.size(), end, update);
    if (error == std::errc() && read == end) kept.emplace_back(update, entry.path());
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace weft
