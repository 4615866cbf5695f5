#include "weft/train/signals.hpp"

#include <signal.h>  // POSIX: sigaction
#include <unistd.h>  // POSIX: sysconf, write

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/fail.hpp"

namespace weft {
namespace {

volatile sig_atomic_t stop_signal = 0;
const char* volatile stop_note = nullptr;
std::atomic<bool> active{false};

struct Handled {
  int signal;
  void (*handler)(int);
  struct sigaction previous;
};

// Where a handler runs on this thread, unless there is a place already: code that oneDNN makes moves its stack pointer into a
// matrix at times, where a signal's frame would be written over what stands there. The kernel gives a process's signal to its
// main thread as long as that takes any, so workers need none.
class SignalStack {
 public:
  SignalStack() {
    stack_t there{};
    if (sigaltstack(nullptr, &there) != 0 || (there.ss_flags & SS_DISABLE) == 0) return;
    const auto size = static_cast<std::size_t>(std::max<long>(sysconf(_SC_SIGSTKSZ), 64 << 10));
    memory_ = std::make_unique<char[]>(size);
    stack_t mine{};
    mine.ss_sp = memory_.get();
    mine.ss_size = size;
    sigaltstack(&mine, nullptr);
  }
  ~SignalStack() {
    if (memory_ == nullptr) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;
};

void give_signal_stack() { static thread_local const SignalStack stack; }

void on_signal(int signal);
std::array<Handled, 4> handled{
    {{SIGINT, on_signal, {}}, {SIGTERM, on_signal, {}}, {SIGPIPE, SIG_IGN, {}}, {SIGXFSZ, SIG_IGN, {}}}};

void on_signal(int signal) {
  stop_signal = signal;
  // The next one, of either kind, meets the default: it ends the process.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  if (stop_note == nullptr) return;
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, stop_note, std::strlen(stop_note));  // lost, it changes nothing
  errno = error;
}

}  // namespace

StopRequest::StopRequest(const char* note) {
  give_signal_stack();
  check<Error>(!active.exchange(true), "StopRequest", "there is one already; the process has one set of signal handlers");
  stop_signal = 0;
  stop_note = note;
  for (auto& [signal, handler, previous] : handled) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_ONSTACK;  // a read or write under way goes on
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
