#pragma once

namespace weft {

/// Threads that weft's kernels use; the default is OpenMP's (OMP_NUM_THREADS or the cores). The setting is weft's own:
/// OpenMP's settings for the rest of the process stay as they are. Throws ValueError for n < 1.
void set_num_threads(int n);
int num_threads();

/// With true, results have the same bits for any number of threads; without, for the same number of threads.
void deterministic(bool on);
bool deterministic();

/// Whether floating-point numbers below the normal range count as 0, in operands and results, on the calling thread and on
/// the OpenMP threads that work for it: some processors are many times slower with them. Nothing in weft sets it unasked, as
/// it is the state of threads that other code uses too. On processors other than x86 it does nothing and is false.
void set_flush_denormals(bool on);
bool flush_denormals();

}  // namespace weft
