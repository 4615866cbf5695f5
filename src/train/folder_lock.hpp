#pragma once
#include <fcntl.h>     // POSIX: open
#include <sys/file.h>  // flock
#include <unistd.h>    // POSIX: close

#include <cerrno>
#include <filesystem>

#include "base/fail.hpp"

namespace weft {

/// Keeps other runs out of a folder while it lives; the system takes it back from a process that ends, however it does. It is
/// the folder itself that is locked, so nothing is left in it. Throws IoError where another has it.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    // A file system without locks has no such protection.
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
    ::close(descriptor_);
    fail<IoError>("train", "another run is training in {}: wait for its end, or give a folder of its own", folder.string());
  }
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace weft
