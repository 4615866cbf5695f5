#pragma once

namespace weft {

/// Lets a long job end in order: while it lives, the first SIGINT or SIGTERM is only noted, for the job to see after its step;
/// a second one ends the process at once. SIGPIPE and SIGXFSZ are ignored, so that a closed pipe and a file at its limit are
/// write errors and not the end. A note, which must live as long, goes to the error output at the signal: a step can take long.
/// Make it on the main thread, which gets a process's signals: it can then be interrupted anywhere, in oneDNN too.
/// The destructor puts the previous handlers back. Signals belong to the process: a second object throws Error.
class StopRequest {
 public:
  explicit StopRequest(const char* note = nullptr);
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// The signal that asked to stop, or 0.
  int requested() const;
  /// What a shell expects of a program that a signal ended: 128 + signal (130, 143); 0 without one.
  int exit_code() const;
};

}  // namespace weft
