#include "weft/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/fail.hpp"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::string temporary_name(std::string_view target, int process, int attempt) {
  return fmt::format(".{}.{}-{}.tmp", target, process, attempt);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether that is the name of a temporary file for a target that ends in `suffix`.
bool is_temporary(std::string_view name, std::string_view suffix) {
  constexpr std::string_view end = ".tmp";
  if (!name.starts_with('.') || !name.ends_with(end)) return false;
  name.remove_suffix(end.size());
  const std::size_t point = name.rfind('.');
  if (point == 0 || point == std::string_view::npos || !name.substr(1, point - 1).ends_with(suffix)) return false;
  const std::string_view numbers = name.substr(point + 1);
  const std::size_t dash = numbers.find('-');
  return dash != std::string_view::npos && is_number(numbers.substr(0, dash)) && is_number(numbers.substr(dash + 1));
}

// Removes the file at the end, unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& target, const fs::path& folder) : descriptor_(-1) {
    // A name may be taken by what a killed process with our number left behind.
    for (int attempt = 0; attempt < 1000; ++attempt) {
      path_ = folder / temporary_name(target.filename().string(), ::getpid(), attempt);
      const int number = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
      if (number < 0 && errno == EEXIST) continue;
      check<IoError>(number >= 0, "write", "can't make '{}': {}", path_.string(), reason(errno));
      descriptor_ = number;
      return;
    }
    fail<IoError>("write", "can't make a temporary file for '{}': too many are left over", target.string());
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int descriptor() const { return descriptor_; }
  void rename_to(const fs::path& target) {
    check<IoError>(::fsync(descriptor_) == 0, "write", "can't sync '{}' to the disk: {}", target.string(), reason(errno));
    check<IoError>(::close(std::exchange(descriptor_, -1)) == 0, "write", "can't close '{}': {}", target.string(),
                   reason(errno));
    check<IoError>(::rename(path_.c_str(), target.c_str()) == 0, "write", "can't rename '{}' to '{}': {}", path_.string(),
                   target.string(), reason(errno));
    path_.clear();
  }

 private:
  fs::path path_;
  int descriptor_;
};

}  // namespace

void OutputFile::write(const void* data, std::size_t bytes) {
  const auto* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, from, bytes);
    if (written < 0 && errno == EINTR) continue;
    check<IoError>(written >= 0, "write", "can't write '{}': {}", path_.string(), reason(errno));
    from += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void write_atomically(const fs::path& path, const std::function<void(OutputFile&)>& write) {
  struct stat existing {};
  if (::stat(path.c_str(), &existing) == 0)
    check<IoError>(S_ISREG(existing.st_mode), "write", "'{}' is not a regular file; name another path", path.string());
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor folder_descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder_descriptor.number() < 0) {
    const int error = errno;
    check<IoError>(error != ENOENT, "write", "can't write '{}': its folder '{}' doesn't exist; make it first", path.string(),
                   folder.string());
    fail<IoError>("write", "can't write '{}': can't open its folder '{}': {}", path.string(), folder.string(), reason(error));
  }
  check<IoError>(path.has_filename(), "write", "'{}' names a folder, not a file", path.string());

  TemporaryFile temporary(path, folder);
  OutputFile file(temporary.descriptor(), path);
  write(file);
  temporary.rename_to(path);
  // The rename itself lasts only once the folder is synced; some file systems don't sync folders and say EINVAL.
  check<IoError>(::fsync(folder_descriptor.number()) == 0 || errno == EINVAL, "write",
                 "'{}' is written, but its folder can't be synced to the disk: {}", path.string(), reason(errno));
}

void write_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, [content](OutputFile& file) { file.write(content); });
}

void remove_unfinished(const fs::path& folder, std::string_view suffix) {
  std::error_code ended, ignored;
  for (fs::directory_iterator entry(folder, ended), end; !ended && entry != end; entry.increment(ended))
    if (is_temporary(entry->path().filename().string(), suffix)) fs::remove(entry->path(), ignored);
}

}  // namespace weft
