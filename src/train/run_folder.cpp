#include "train/run_folder.hpp"

#include <system_error>
#include <utility>

#include "base/fail.hpp"
#include "weft/base/file.hpp"
#include "weft/train/kept_checkpoints.hpp"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* where = "train";

fs::path made(fs::path path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail<IoError>(where, "can't make the folder {}: {}", path.string(), error.message());
  return path;
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) fail<IoError>(where, "can't remove {}: {}", path.string(), error.message());
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(made(std::move(path))), lock_(path_) { remove_unfinished(path_, ".safetensors"); }

fs::path RunFolder::kept(std::int64_t update) const { return kept_checkpoint(path_, update); }

void RunFolder::remove_weights() const {
  remove_file(last());
  remove_file(best());
  for (const auto& [update, path] : kept_checkpoints(path_)) remove_file(path);
}

void RunFolder::remove_kept(std::int64_t update, std::int64_t keep) const {
  auto all = kept_checkpoints(path_);
  std::erase_if(all, [update](const auto& checkpoint) { return checkpoint.first > update; });
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < all.size(); ++i) remove_file(all[i].second);
}

void RunFolder::cut_log(std::int64_t bytes) const {
  std::error_code error;
  const auto size = fs::file_size(log(), error);
  if (error || size <= static_cast<std::uintmax_t>(bytes)) return;
  fs::resize_file(log(), static_cast<std::uintmax_t>(bytes), error);
  if (error) fail<IoError>(where, "can't cut {} to {} bytes: {}", log().string(), bytes, error.message());
}

}  // namespace weft
