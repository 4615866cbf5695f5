#pragma once
#include <chrono>
#include <utility>

#include "weft/autograd/profile.hpp"
#include "weft/base/scope.hpp"

namespace weft::detail {

/// The name under which time is counted that is no operation's.
inline constexpr const char* other_operation = "(other)";

/// Cuts a thread's time into laps and gives each to an operation.
class Profiler {
 public:
  explicit Profiler(Profile& profile);
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// An operation of this name has just made its value: it gets the time since the last lap.
  void operation(const char* op);
  /// Time until now is no operation's.
  void between();

 private:
  friend class ProfiledCall;
  friend class ProfileInside;
  Profile::Entry& entry(const char* op, const char* scope);
  /// Whose the time is where no operation is to have it.
  ProfileWork& rest();
  void lap(ProfileWork& to) noexcept;
  void restart();

  Profile& profile_;
  Profiler* outer_;
  ProfileWork* outside_;            // "(other)", where the profile began
  ProfileWork* running_ = nullptr;  // the call that goes on
  bool whole_ = false;              // operations inside of it are its own business
  std::chrono::steady_clock::time_point last_;
  std::int64_t last_work_;
};

/// What collects on this thread; null: nothing.
extern constinit thread_local Profiler* profiler;

inline void profile_operation(const char* op) {
  if (profiler != nullptr) [[unlikely]]
    profiler->operation(op);
}

inline void profile_between() {
  if (profiler != nullptr) [[unlikely]]
    profiler->between();
}

enum class Direction { forward, backward };

/// Something with a beginning and an end that is counted as one operation: a gradient rule, an optimizer's step.
class ProfiledCall {
 public:
  ProfiledCall(const char* op, const char* scope, Direction direction, int calls = 1) {
    if (profiler != nullptr) [[unlikely]]
      begin(op, scope, direction, calls);
  }
  ~ProfiledCall() {
    if (profiler_ != nullptr) [[unlikely]]
      end();
  }
  ProfiledCall(const ProfiledCall&) = delete;
  ProfiledCall& operator=(const ProfiledCall&) = delete;

 private:
  void begin(const char* op, const char* scope, Direction direction, int calls);
  void end() noexcept;

  Profiler* profiler_ = nullptr;
  ProfileWork* outer_ = nullptr;
  bool outer_whole_ = false;
};

/// While it lives, operations inside of a call count for themselves: a user's function runs there.
class ProfileInside {
 public:
  ProfileInside() : profiler_(profiler) {
    if (profiler_ != nullptr) whole_ = std::exchange(profiler_->whole_, false);
  }
  ~ProfileInside() {
    if (profiler_ != nullptr) profiler_->whole_ = whole_;
  }
  ProfileInside(const ProfileInside&) = delete;
  ProfileInside& operator=(const ProfileInside&) = delete;

 private:
  Profiler* profiler_;
  bool whole_ = false;
};

}  // namespace weft::detail
