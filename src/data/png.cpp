#include "weft/data/png.hpp"

#include <png.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "base/fail.hpp"
#include "base/files_in.hpp"
#include "base/last_error.hpp"

namespace weft::data {

namespace {

constexpr const char* operation = "read_png";

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// libpng's simplified reader; what it holds goes with it.
struct Image {
  Image() {
    std::memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
  }
  ~Image() { png_image_free(&png); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  png_image png;
};

// What it warns of (a checksum that differs in a part that isn't needed) leaves the image whole.
bool failed(const png_image& png) { return PNG_IMAGE_FAILED(png); }

}  // namespace

Tensor read_png(const std::filesystem::path& path) {
  check_file(operation, path);
  errno = 0;
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  check<IoError>(file != nullptr, operation, "can't read {}: {}", path.string(), std::strerror(last_error()));
  Image image;
  const auto check_read = [&](int done) {
    check<FormatError>(done != 0 && !failed(image.png), operation, "{} is no sound PNG file ({})", path.string(),
                       static_cast<const char*>(image.png.message));
  };
  check_read(png_image_begin_read_from_stdio(&image.png, file.get()));
  image.png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // without a colour space 16 bits are what 8 are, not linear
  image.png.format &= PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA;  // 8 bits, red first, without a palette
  constexpr std::int64_t most = std::int64_t{1} << 24;
  const std::int64_t height = image.png.height, width = image.png.width;
  check<FormatError>(height * width <= most, operation, "{} has {} by {} pixels, more than {}: scale it down first",
                     path.string(), height, width, most);
  std::vector<png_byte> bytes(PNG_IMAGE_SIZE(image.png));
  check_read(png_image_finish_read(&image.png, nullptr, bytes.data(), 0, nullptr));
  const auto channels = static_cast<std::int64_t>(PNG_IMAGE_SAMPLE_CHANNELS(image.png.format));
  Tensor result = Tensor::empty({channels, height, width});
  float* out = result.mutable_data<float>();
  for (std::int64_t channel = 0; channel < channels; ++channel)
    for (std::int64_t pixel = 0; pixel < height * width; ++pixel)
      *out++ = static_cast<float>(bytes[static_cast<std::size_t>(pixel * channels + channel)]) / 255;
  return result;
}

}  // namespace weft::data
