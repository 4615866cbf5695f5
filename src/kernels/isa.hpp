#pragma once

namespace weft::kernels {

/// Instruction sets that the vector kernels are compiled for; every processor has `plain`.
enum class Isa { plain, sse4, avx2, avx3 };
const char* name_of(Isa isa);

/// The one in use: the processor's best, but no better than the environment variable WEFT_MAX_ISA (SSE4, AVX2 or AVX3) had
/// it when the program started.
Isa isa();

/// From now on `most`, or the best below it that the processor has. For tests: no kernel may be running.
void set_max_isa(Isa most);

}  // namespace weft::kernels
