#pragma once
#include <filesystem>

#include "weft/tensor/tensor.hpp"

namespace weft::data {

/// An image of a PNG file: f32 [channels, height, width], 0 to 1 with 8 bits, as sRGB where the file has a colour space, and as
/// they stand where it has none. Grey images have one channel, coloured ones (palettes too) three; one more, the last, where
/// there is transparency. FormatError naming the file for what is no PNG file, a damaged or truncated one, or one of more than
/// 2^24 pixels; IoError if the system refuses, or the path is no plain file's. Built with libpng alone (Meson's option `png`).
Tensor read_png(const std::filesystem::path& path);

}  // namespace weft::data
