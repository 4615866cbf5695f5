#include "weft/train/signals.hpp"

#include <signal.h>  // POSIX: sigaction

#include <array>
#include <atomic>

#include "base/fail.hpp"

namespace weft {
namespace {

volatile sig_atomic_t stop_signal = 0;
std::atomic<bool> active{false};

struct Handled {
  int signal;
  void (*handler)(int);
  struct sigaction previous;
};

void on_signal(int signal);
std::array<Handled, 4> handled{
    {{SIGINT, on_signal, {}}, {SIGTERM, on_signal, {}}, {SIGPIPE, SIG_IGN, {}}, {SIGXFSZ, SIG_IGN, {}}}};

void on_signal(int signal) {
  stop_signal = signal;
  // The next one, of either kind, meets the default: it ends the process.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
}

}  // namespace

StopRequest::StopRequest() {
  check<Error>(!active.exchange(true), "StopRequest", "there is one already; the process has one set of signal handlers");
  stop_signal = 0;
  for (auto& [signal, handler, previous] : handled) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;  // a read or write under way goes on
    sigaction(signal, &action, &previous);
  }
}

StopRequest::~StopRequest() {
  for (const auto& [signal, handler, previous] : handled) sigaction(signal, &previous, nullptr);
  active = false;
}

int StopRequest::requested() const { return stop_signal; }
int StopRequest::exit_code() const { return stop_signal == 0 ? 0 : 128 + stop_signal; }

}  // namespace weft
