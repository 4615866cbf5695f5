#pragma once
#include <cstdint>
#include <filesystem>

#include "train/folder_lock.hpp"

namespace weft {

/// The folder of a run while it trains: made where there is none, without what a killed run had not written to its end, and
/// closed to other runs. Throws IoError.
class RunFolder {
 public:
  static constexpr const char *last_name = "last.safetensors", *best_name = "best.safetensors";

  explicit RunFolder(std::filesystem::path path);

  std::filesystem::path last() const { return path_ / last_name; }
  std::filesystem::path best() const { return path_ / best_name; }
  std::filesystem::path log() const { return path_ / "train.log"; }
  /// Weights that `keep` keeps, of the validation at that update.
  std::filesystem::path kept(std::int64_t update) const;

  /// Removes all weights of a run.
  void remove_weights() const;
  /// Removes kept weights up to `update` but the newest `keep` of them. Later ones stay: a run that went on from before them
  /// comes to them again.
  void remove_kept(std::int64_t update, std::int64_t keep) const;
  /// Cuts off what stands behind so many bytes of the log, where anything does.
  void cut_log(std::int64_t bytes) const;

 private:
  std::filesystem::path path_;
  FolderLock lock_;
};

}  // namespace weft
