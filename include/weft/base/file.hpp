#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

namespace weft {

/// The file that `write_atomically` is filling.
class OutputFile {
 public:
  /// Appends. Throws IoError with the path and the system's reason (a full disk, a limit).
  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }

  // For write_atomically.
  OutputFile(int descriptor, const std::filesystem::path& path) : descriptor_(descriptor), path_(path) {}

 private:
  int descriptor_;
  const std::filesystem::path& path_;
};

/// Makes or replaces the file at `path` as a whole: `write` fills a temporary file in the same folder, which is synced and
/// then renamed. After a failure or a kill at any moment `path` holds either its old content or the new. When something
/// fails the temporary file is removed, and IoError (or what `write` threw) says why.
/// A symbolic link at `path` is replaced, not followed; a device, pipe or folder there is an error.
void write_atomically(const std::filesystem::path& path, const std::function<void(OutputFile&)>& write);
void write_atomically(const std::filesystem::path& path, std::string_view content);

/// Removes the temporary files that a killed process left in `folder` while it wrote files whose names end in `suffix`. Not
/// while another process writes such files there. What can't be removed stays.
void remove_unfinished(const std::filesystem::path& folder, std::string_view suffix);

}  // namespace weft
