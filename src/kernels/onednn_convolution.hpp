#pragma once
#include "kernels/convolution.hpp"

namespace weft::kernels::onednn {

/// Which of the three maps of a convolution, by what it makes, and from what.
enum class ConvolutionPass {
  y,      ///< from x and weight, plus bias where it isn't null
  x,      ///< from y's gradient and weight
  weight  ///< from y's gradient and x
};

/// Whether oneDNN takes these sizes: all positive, and nothing that fits is left out of the output.
bool takes(const Convolution& c);

/// One pass over dense row-major arrays, of sizes that `takes`. `serial` keeps it on the calling thread.
/// Throws LibraryError with oneDNN's status.
void convolve(ConvolutionPass pass, const Convolution& c, const float* first, const float* second, const float* bias,
              float* result, bool serial);

}  // namespace weft::kernels::onednn
