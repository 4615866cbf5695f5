#include "weft/data/png.hpp"

#include <doctest/doctest.h>
#include <png.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

/// Writes an image of 2 rows and 3 columns with libpng.
std::filesystem::path write(const test::TemporaryFolder& folder, png_uint_32 format, const std::vector<png_byte>& bytes) {
  const auto path = folder.path() / "image.png";
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 3;
  image.height = 2;
  image.format = format;
  REQUIRE(png_image_write_to_file(&image, path.c_str(), 0, bytes.data(), 0, nullptr) != 0);
  return path;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("PNG images become planes of colours, 0 to 1") {
  const test::TemporaryFolder folder;
  const Tensor grey = read_png(write(folder, PNG_FORMAT_GRAY, {0, 51, 102, 153, 204, 255}));
  CHECK(grey.shape() == Shape{1, 2, 3});
  for (std::int64_t i = 0; i < 6; ++i)
    CHECK(static_cast<double>(grey.data<float>()[i]) == doctest::Approx(0.2 * static_cast<double>(i)));
  std::vector<png_byte> bytes;
  for (int i = 0; i < 24; ++i) bytes.push_back(static_cast<png_byte>(10 * i));
  const Tensor colour = read_png(write(folder, PNG_FORMAT_RGB, {bytes.begin(), bytes.begin() + 18}));
  CHECK(colour.shape() == Shape{3, 2, 3});
  for (std::int64_t channel = 0; channel < 3; ++channel)
    for (std::int64_t pixel = 0; pixel < 6; ++pixel)
      CHECK(colour.at({channel, pixel / 3, pixel % 3}) ==
            doctest::Approx(static_cast<double>(10 * (3 * pixel + channel)) / 255).epsilon(1e-5));
  const Tensor clear = read_png(write(folder, PNG_FORMAT_GA, {bytes.begin(), bytes.begin() + 12}));
  CHECK(clear.shape() == Shape{2, 2, 3});
  CHECK(clear.at({1, 1, 2}) == doctest::Approx(110.0 / 255));
  CHECK(read_png(write(folder, PNG_FORMAT_RGBA, bytes)).shape() == Shape{4, 2, 3});
}

TEST_CASE("a file that is no PNG, or a part of one, is an error that names it") {
  const test::TemporaryFolder folder;
  const auto sound = write(folder, PNG_FORMAT_GRAY, {0, 51, 102, 153, 204, 255});
  const std::string bytes = bytes_of(sound);
  const auto path = folder.path() / "bad.png";
  const auto read = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    read_png(path);
  };
  const std::string start = "[read_png] " + path.string() + " is no sound PNG file (";
  for (const std::string& content :
       {std::string(), std::string("no image"), bytes.substr(0, 20), bytes.substr(0, 40), bytes.substr(0, bytes.size() - 20)})
    CHECK_THROWS_WITH_AS(read(content), doctest::Contains(start.c_str()), FormatError);
  std::string altered = bytes;
  altered[20] = static_cast<char>(altered[20] ^ 1);  // the width, whose checksum then differs
  CHECK_THROWS_AS(read(altered), FormatError);
  CHECK_THROWS_WITH_AS(read_png(folder.path() / "none"), doctest::Contains("none: No such file or directory"), IoError);
  CHECK_THROWS_WITH_AS(read_png(folder.path()), doctest::Contains("Is a directory"), IoError);
}
