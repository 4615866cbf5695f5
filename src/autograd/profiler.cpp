#include "autograd/profiler.hpp"

#include "kernels/work.hpp"

namespace weft {
namespace detail {

constinit thread_local Profiler* profiler = nullptr;

Profiler::Profiler(Profile& profile) : profile_(profile), outer_(profiler) {
  outside_ = &entry(other_operation, current_scope()).forward;
  if (outer_ != nullptr) outer_->lap(outer_->rest());
  profiler = this;
  restart();
}

Profiler::~Profiler() {
  lap(*outside_);
  profiler = outer_;
  if (outer_ != nullptr) outer_->restart();
}

void Profiler::restart() {
  last_ = std::chrono::steady_clock::now();
  last_work_ = kernels::multiply_adds;
}

void Profiler::lap(ProfileWork& to) noexcept {
  const auto before = last_;
  const std::int64_t work_before = last_work_;
  restart();
  to.seconds += std::chrono::duration<double>(last_ - before).count();
  to.multiply_adds += last_work_ - work_before;
}

Profile::Entry& Profiler::entry(const char* op, const char* scope) { return profile_.entries_[{intern(op), scope}]; }

ProfileWork& Profiler::rest() { return running_ != nullptr ? *running_ : entry(other_operation, current_scope()).forward; }

void Profiler::operation(const char* op) {
  if (whole_) return;
  ProfileWork& work = entry(op, current_scope()).forward;
  ++work.calls;
  lap(work);
}

void Profiler::between() { lap(rest()); }

void ProfiledCall::begin(const char* op, const char* scope, Direction direction, int calls) {
  auto& entry = profiler->entry(op, scope);
  ProfileWork& work = direction == Direction::forward ? entry.forward : entry.backward;
  work.calls += calls;
  profiler->between();
  profiler_ = profiler;
  outer_ = std::exchange(profiler->running_, &work);
  outer_whole_ = std::exchange(profiler->whole_, true);
}

void ProfiledCall::end() noexcept {
  profiler_->lap(*profiler_->running_);
  profiler_->running_ = outer_;
  profiler_->whole_ = outer_whole_;
}

}  // namespace detail

Profiling::Profiling(Profile& profile) : profiler_(std::make_unique<detail::Profiler>(profile)) {}
Profiling::~Profiling() = default;

}  // namespace weft
