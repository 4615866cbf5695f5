#include "weft/train/signals.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

/// How a child process that runs `body` ends: its exit code, or minus the signal that ended it.
template <class Body>
int run_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    _exit(body());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int seen = 0;
void remember(int signal) { seen = signal; }

}  // namespace

TEST_CASE("a stop request notes the signal and knows its exit code") {
  {
    StopRequest stop;
    CHECK(stop.requested() == 0);
    CHECK(stop.exit_code() == 0);
    std::raise(SIGTERM);
    CHECK(stop.requested() == SIGTERM);
    CHECK(stop.exit_code() == 143);
  }
  StopRequest stop;
  CHECK(stop.requested() == 0);
  std::raise(SIGINT);
  CHECK(stop.requested() == SIGINT);
  CHECK(stop.exit_code() == 130);
}

TEST_CASE("a note goes to the error output at the signal, once") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK(run_child([&] {
          dup2(ends[1], STDERR_FILENO);
          const StopRequest stop("stopping\n");
          errno = 7;
          std::raise(SIGTERM);
          return errno;
        }) == 7);
  close(ends[1]);
  char text[20] = {};
  CHECK(read(ends[0], text, sizeof text - 1) == 9);
  CHECK(std::string(text) == "stopping\n");
  close(ends[0]);
}

TEST_CASE("a signal is noted on a stack of its own") {
  const StopRequest stop;
  struct sigaction action {};
  for (const int signal : {SIGINT, SIGTERM}) {
    REQUIRE(sigaction(signal, nullptr, &action) == 0);
    CHECK((action.sa_flags & SA_ONSTACK) != 0);
  }
  stack_t there{};
  REQUIRE(sigaltstack(nullptr, &there) == 0);
  CHECK((there.ss_flags & SS_DISABLE) == 0);
}

TEST_CASE("a stop request starts no threads") {
  CHECK(run_child([] {
          const StopRequest stop;
          const auto threads = std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
          return threads == 1 ? 7 : 2;
        }) == 7);
}

TEST_CASE("a second signal ends the process, of the same kind or not") {
  const auto raise_both = [](int first, int second) {
    return run_child([=] {
      const StopRequest stop;
      std::raise(first);
      std::raise(second);
      return 0;
    });
  };
  CHECK(raise_both(SIGINT, SIGINT) == -SIGINT);
  CHECK(raise_both(SIGINT, SIGTERM) == -SIGTERM);
  CHECK(raise_both(SIGTERM, SIGINT) == -SIGINT);
}

TEST_CASE("a write to a closed pipe is an error while a stop request lives") {
  const auto write_to_closed_pipe = [] {
    int ends[2];
    if (pipe(ends) != 0 || close(ends[0]) != 0) return 1;
    return write(ends[1], "x", 1) == -1 ? 7 : 2;
  };
  CHECK(run_child([=] {
          const StopRequest stop;
          return write_to_closed_pipe();
        }) == 7);
  CHECK(run_child([=] {
          std::signal(SIGPIPE, SIG_DFL);
          { const StopRequest stop; }
          return write_to_closed_pipe();
        }) == -SIGPIPE);
}

TEST_CASE("a write beyond the limit of a file's size is an error while a stop request lives") {
  const test::TemporaryFolder folder;
  CHECK(run_child([&] {
          std::signal(SIGXFSZ, SIG_DFL);
          const StopRequest stop;
          const rlimit limit{10, 10};
          if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
          std::ofstream file(folder.path() / "file");
          return file << "more than ten bytes" << std::flush ? 2 : 7;
        }) == 7);
}

TEST_CASE("the previous handlers come back") {
  const auto before = std::signal(SIGTERM, remember);
  {
    const StopRequest stop;
    std::raise(SIGTERM);
    CHECK(seen == 0);
  }
  std::raise(SIGTERM);
  CHECK(seen == SIGTERM);
  std::signal(SIGTERM, before);
}

TEST_CASE("signals have one owner") {
  const StopRequest stop;
  CHECK_THROWS_AS(StopRequest(), Error);
}
