#pragma once
#include <functional>

namespace weft {

/// Calls `call` once on this thread and on each of the OpenMP threads that work for it.
void on_every_thread(const std::function<void()>& call);

}  // namespace weft
