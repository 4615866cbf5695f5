#include "train/run_folder.hpp"

#include <unistd.h>  // POSIX: mkdtemp, rmdir

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include "base/fail.hpp"
#include "base/last_error.hpp"
#include "weft/base/file.hpp"
#include "weft/train/kept_checkpoints.hpp"
#include "weft/train/trainer.hpp"

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

// What can't even be looked at, as under a name that is too long, is neither there nor not.
bool is_there(const fs::path& path) {
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (error) fail<IoError>(where, "can't look for {}: {}", path.string(), error.message());
  return there;
}

// It tries by a folder of no name that anything has, for what can be made isn't what permissions say.
void check_can_be_written(const fs::path& path) {
  std::error_code unknown;
  fs::path there = path;
  while (there.has_parent_path() && there != there.parent_path() && !fs::exists(there, unknown)) there = there.parent_path();
  std::string probe = ((fs::exists(there, unknown) ? there : fs::path(".")) / ".weft-XXXXXX").string();
  errno = 0;
  if (::mkdtemp(probe.data()) == nullptr)
    fail<IoError>(where, "can't {} the folder {}: {}", fs::exists(path, unknown) ? "write in" : "make", path.string(),
                  std::generic_category().message(last_error()));
  ::rmdir(probe.c_str());
}

}  // namespace

void check_run_folder(const TrainerOptions& options) {
  const fs::path& folder = options.folder;
  check<IoError>(!folder.empty(), where, "the folder of the run has no name");
  check_can_be_written(folder);
  const fs::path last = folder / RunFolder::last_name, best = folder / RunFolder::best_name;
  if (options.resume == Resume::never || is_there(last)) return;
  check<IoError>(options.resume != Resume::must, where, "there is no {} to resume from", last.string());
  if (!is_there(folder)) return;
  auto weights = kept_checkpoints(folder);
  if (is_there(best)) weights.emplace_back(0, best);
  if (!weights.empty())
    fail<IoError>(where,
                  "there is {} but no {} that a run could go on from: a new run would replace it; train in another folder, or "
                  "anew in its place (resume never)",
                  weights.back().second.string(), RunFolder::last_name);
}

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
