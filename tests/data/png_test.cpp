#include "weft/data/png.hpp"

#include <doctest/doctest.h>
#include <png.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstdio>
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

/// A PNG file of one row and four pixels without a colour space, as its samples of `bits` bits stand in it. Of a palette, entry
/// i has 3i, 3i + 1, 3i + 2 and, where `clear`, the alpha 10i.
std::filesystem::path write_plain(const test::TemporaryFolder& folder, int kind, int bits, const std::vector<int>& samples,
                                  bool clear = false) {
  const auto path = folder.path() / "plain.png";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, 4, 1, bits, kind, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind == PNG_COLOR_TYPE_PALETTE) {
    const int entries = std::min(1 << bits, 16);
    std::vector<png_color> palette;
    std::vector<png_byte> alpha;
    for (int i = 0; i < entries; ++i) {
      palette.push_back({static_cast<png_byte>(3 * i), static_cast<png_byte>(3 * i + 1), static_cast<png_byte>(3 * i + 2)});
      alpha.push_back(static_cast<png_byte>(10 * i));
    }
    png_set_PLTE(png, info, palette.data(), entries);
    if (clear) png_set_tRNS(png, info, alpha.data(), entries, nullptr);
  }
  png_write_info(png, info);
  std::vector<png_byte> row(samples.size() * 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto value = static_cast<unsigned>(samples[i]);
    const std::size_t bit = i * static_cast<std::size_t>(bits);
    if (bits == 16) {
      row[2 * i] = static_cast<png_byte>(value >> 8);
      row[2 * i + 1] = static_cast<png_byte>(value & 255);
    } else {
      row[bit / 8] = static_cast<png_byte>(row[bit / 8] | value << (8 - static_cast<std::size_t>(bits) - bit % 8));
    }
  }
  png_write_row(png, row.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
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

TEST_CASE("samples of every size are read as they stand: without a colour space nothing is taken as linear") {
  const test::TemporaryFolder folder;
  struct Kind {
    int kind;
    std::int64_t channels;
    std::vector<int> bits;
  };
  const std::vector<Kind> kinds = {{PNG_COLOR_TYPE_GRAY, 1, {1, 2, 4, 8, 16}},
                                   {PNG_COLOR_TYPE_GRAY_ALPHA, 2, {8, 16}},
                                   {PNG_COLOR_TYPE_RGB, 3, {8, 16}},
                                   {PNG_COLOR_TYPE_RGB_ALPHA, 4, {8, 16}}};
  for (const Kind& each : kinds)
    for (const int bits : each.bits) {
      CAPTURE(each.kind);
      CAPTURE(bits);
      const int most = (1 << bits) - 1;
      std::vector<int> samples;
      for (int i = 0; i < 4 * static_cast<int>(each.channels); ++i)
        samples.push_back(bits == 16 ? 257 * (15 * i + 7) : bits == 8 ? 15 * i + 7 : i % (most + 1));
      const Tensor image = read_png(write_plain(folder, each.kind, bits, samples));
      REQUIRE(image.shape() == Shape{each.channels, 1, 4});
      for (std::int64_t pixel = 0; pixel < 4; ++pixel)
        for (std::int64_t channel = 0; channel < each.channels; ++channel)
          CHECK(
              image.at({channel, 0, pixel}) ==
              doctest::Approx(static_cast<double>(samples[static_cast<std::size_t>(pixel * each.channels + channel)]) / most));
    }
  for (const int bits : {1, 2, 4, 8})
    for (const bool clear : {false, true}) {
      CAPTURE(bits);
      CAPTURE(clear);
      const std::vector<int> samples = bits == 1 ? std::vector<int>{1, 0, 1, 1} : std::vector<int>{3, 0, 1, 2};
      const Tensor image = read_png(write_plain(folder, PNG_COLOR_TYPE_PALETTE, bits, samples, clear));
      REQUIRE(image.shape() == Shape{clear ? 4 : 3, 1, 4});
      for (std::int64_t pixel = 0; pixel < 4; ++pixel)
        for (std::int64_t channel = 0; channel < image.size(0); ++channel) {
          const std::int64_t entry = samples[static_cast<std::size_t>(pixel)];
          CHECK(image.at({channel, 0, pixel}) ==
                doctest::Approx(static_cast<double>(channel == 3 ? 10 * entry : 3 * entry + channel) / 255));
        }
    }
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
  std::string large = bytes;
  large.replace(16, 8, {0, 0, 0x10, 0, 0, 0, 0x10, 1});  // columns, rows
  boost::crc_32_type crc;
  crc.process_bytes(large.data() + 12, 17);
  for (int i = 0; i < 4; ++i) large[static_cast<std::size_t>(29 + i)] = static_cast<char>(crc.checksum() >> (24 - 8 * i) & 255);
  CHECK_THROWS_WITH_AS(
      read(large),
      ("[read_png] " + path.string() + " has 4097 by 4096 pixels, more than 16777216: scale it down first").c_str(),
      FormatError);
  CHECK_THROWS_WITH_AS(read_png(folder.path() / "none"), doctest::Contains("none: No such file or directory"), IoError);
  CHECK_THROWS_WITH_AS(read_png(folder.path()), doctest::Contains("Is a directory"), IoError);
  const auto pipe = folder.path() / "pipe.png";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);  // opening it would never end
  CHECK_THROWS_WITH_AS(read_png(pipe), ("[read_png] can't read " + pipe.string() + ": not a file").c_str(), IoError);
}
