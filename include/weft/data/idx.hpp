#pragma once
#include <filesystem>

#include "weft/tensor/tensor.hpp"

namespace weft::data {

/// Reads a file of the IDX format (LeCun), in which the MNIST digits are kept, plain or gzip: two zero bytes, a byte for the
/// element type, one for the number of dimensions, the sizes, then the elements, all big-endian. Elements of 8, 16 and 32 bits
/// become i32, floats f32, doubles f64. FormatError naming the file for another magic number or type, sizes that can't be or
/// are of more than 2^30 bytes, a file that ends too early or goes on too long, damaged gzip data; IoError if the system
/// refuses.
Tensor read_idx(const std::filesystem::path& path);

/// Images and what they show.
struct LabelledImages {
  Tensor images;  ///< f32 [n, height, width], 0 to 1
  Tensor labels;  ///< i32 [n]
};

/// Two files of unsigned bytes: images [n, height, width], 0 to 255, and labels [n]. FormatError also where the numbers differ,
/// there are none, or a file has other dimensions.
LabelledImages read_idx_images(const std::filesystem::path& images, const std::filesystem::path& labels);

}  // namespace weft::data
