#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weft {

namespace detail {
class Profiler;
}

/// Calls of one kind and what they took.
struct ProfileWork {
  std::int64_t calls = 0;
  double seconds = 0;
  std::int64_t multiply_adds = 0;  ///< in matrix products and convolutions
  /// 10^9 floating-point operations a second, two for a multiply-add; 0 where there were none.
  double gflops() const;
};

struct ProfileRow {
  std::string operation;  ///< "(other)" for time that is no operation's; "" in a table by module
  std::string module;     ///< path of the module that called it; "" for the root, outside of any, and in a table by operation
  ProfileWork forward;    ///< what isn't backward: optimizers and clipping too
  ProfileWork backward;   ///< gradient rules, under the operation and module that recorded them
  double share = 0;       ///< of the whole profile's time: those of a table's rows add up to 1
};

struct ProfileTable {
  std::string rows_are;          ///< "operation", "module" or "module: operation"
  std::vector<ProfileRow> rows;  ///< most time first
  ProfileRow total;
  /// A table for people, times in milliseconds.
  std::string str() const;
};

/// Where the time of a training step goes, by operation and by module, forward and backward:
///   Profile profile;
///   {
///     const Profiling on(profile);
///     Tape tape(generator);
///     ...
///   }
///   std::cout << profile.str();
/// Every moment is counted once: an operation that is made of others has only what they leave, a module only what its
/// children leave. Weight gradients that are put off to the end count with the operation that asked for them. Forward, an
/// operation's time begins where the one before, or a module's entry or exit, ended; what an operation without a gradient
/// (argmax, comparison) takes goes to the next.
class Profile {
 public:
  Profile() = default;
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  ProfileTable by_operation() const;
  ProfileTable by_module() const;
  /// A row for each operation of each module.
  ProfileTable by_both() const;
  /// The tables by operation and by module.
  std::string str() const;

 private:
  friend class detail::Profiler;
  struct Entry {
    ProfileWork forward, backward;
  };
  ProfileTable table(bool by_operation, bool by_module) const;

  std::map<std::pair<const char*, const char*>, Entry> entries_;  // (operation, module), interned
};

/// While it lives, what this thread does is added to a profile, which must outlive it; of several the innermost collects.
/// Without one it costs an operation a branch.
class Profiling {
 public:
  explicit Profiling(Profile& profile);
  ~Profiling();
  Profiling(const Profiling&) = delete;
  Profiling& operator=(const Profiling&) = delete;

 private:
  std::unique_ptr<detail::Profiler> profiler_;
};

}  // namespace weft
