#pragma once

namespace weft {

/// Threads that weft's kernels use; the default is OpenMP's (OMP_NUM_THREADS or the cores). The setting is weft's own:
/// OpenMP's settings for the rest of the process stay as they are. Throws ValueError for n < 1.
void set_num_threads(int n);
int num_threads();

/// With true, results have the same bits for any number of threads; without, for the same number of threads.
void deterministic(bool on);
bool deterministic();

}  // namespace weft
