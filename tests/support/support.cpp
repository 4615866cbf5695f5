#include "support/support.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

namespace weft::test {
namespace {

std::vector<std::string>& skipped() {
  static std::vector<std::string> reasons;
  return reasons;
}

std::vector<std::pair<std::string, void (*)()>>& options() {
  static std::vector<std::pair<std::string, void (*)()>> known;
  return known;
}

}  // namespace

std::optional<std::filesystem::path> shared_path(const std::string& what) {
  const char* root = std::getenv("WEFT_SHARED");
  if (root == nullptr || *root == '\0') {
    skip(what + " (WEFT_SHARED is not set)");
    return std::nullopt;
  }
  const auto path = std::filesystem::path(root) / what;
  if (!std::filesystem::exists(path)) throw std::runtime_error("WEFT_SHARED is set, but " + path.string() + " is missing");
  return path;
}

void skip(const std::string& reason) { skipped().push_back(reason); }

void print_skipped() {
  for (const auto& reason : skipped()) std::printf("skipped: %s\n", reason.c_str());
}

Option::Option(const char* flag, void (*run)()) { options().emplace_back(flag, run); }

bool run_option(const std::string& flag) {
  for (const auto& [known, run] : options()) {
    if (known != flag) continue;
    run();
    return true;
  }
  return false;
}

FileLimit::FileLimit(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("can't read the limit of files' sizes");
  old_ = std::exchange(limit.rlim_cur, bytes);
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("can't limit files' sizes");
}

FileLimit::~FileLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = old_;
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler_);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "weft-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("can't make a temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace weft::test
