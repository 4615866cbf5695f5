// g++ 12 takes Boost's appending to a string for an overlapping copy (its bug 105651).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"
#endif

#include "weft/data/idx.hpp"

#include <doctest/doctest.h>

#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <fstream>
#include <sstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

using Bytes = std::initializer_list<int>;

std::string text_of(Bytes bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

struct Files {
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    const auto path = folder.path() / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  /// What `read_idx` says of a file of these bytes, without what it starts with: operation and path.
  std::string error(const std::string& bytes) const {
    const auto path = write("bad", bytes);
    const std::string start = "[read_idx] " + path.string() + " ";
    try {
      read_idx(path);
    } catch (const FormatError& error) {
      const std::string what = error.what();
      REQUIRE(what.starts_with(start));
      return what.substr(start.size());
    }
    return "no error";
  }

  test::TemporaryFolder folder;
};

std::string gzipped(const std::string& bytes) {
  std::ostringstream packed;
  {
    boost::iostreams::filtering_ostream out;
    out.push(boost::iostreams::gzip_compressor());
    out.push(packed);
    out << bytes;
  }
  return packed.str();
}

const std::string images = text_of({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102});
const std::string labels = text_of({0, 0, 8, 1, 0, 0, 0, 2, 7, 3});

}  // namespace

TEST_CASE("elements of every type, big-endian, plain and gzip") {
  const Files files;
  const auto read = [&](const std::string& bytes) {
    const Tensor plain = read_idx(files.write("plain", bytes)), packed = read_idx(files.write("packed", gzipped(bytes)));
    CHECK(plain.describe() == packed.describe());
    CHECK(plain.str() == packed.str());
    return plain;
  };
  const Tensor bytes = read(text_of({0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 127, 255}));
  CHECK(bytes.describe() == "i32[1, 3]");
  CHECK(bytes.str() == "[[0, 127, 255]]");
  CHECK(read(text_of({0, 0, 9, 1, 0, 0, 0, 2, 127, 255})).str() == "[127, -1]");
  CHECK(read(text_of({0, 0, 11, 1, 0, 0, 0, 2, 1, 2, 255, 254})).str() == "[258, -2]");
  CHECK(read(text_of({0, 0, 12, 1, 0, 0, 0, 2, 0, 1, 0, 0, 255, 255, 255, 253})).str() == "[65536, -3]");
  const Tensor floats = read(text_of({0, 0, 13, 1, 0, 0, 0, 1, 0xBF, 0xC0, 0, 0}));
  CHECK(floats.dtype() == f32);
  CHECK(floats.at({0}) == -1.5);
  const Tensor doubles = read(text_of({0, 0, 14, 1, 0, 0, 0, 1, 0x40, 0x04, 0, 0, 0, 0, 0, 0}));
  CHECK(doubles.dtype() == f64);
  CHECK(doubles.at({0}) == 2.5);
  CHECK(read(text_of({0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("a file that is no IDX file, or less or more of one, is an error that says so") {
  const Files files;
  CHECK(files.error("P5 2 2") ==
        "starts with 0x50352032, which is no IDX file's magic number: two zero bytes, a type from 0x08 to 0x0E and the number "
        "of dimensions");
  CHECK(files.error(text_of({0, 0, 10, 1})).starts_with("starts with 0x00000A01, which is no IDX file's magic number"));
  CHECK(files.error(text_of({0, 0, 8, 0})) == "has 0 dimensions; 1 to 8 can be read");
  CHECK(files.error(text_of({0, 0, 8, 9})) == "has 9 dimensions; 1 to 8 can be read");
  CHECK(files.error("") == "ends within its magic number, after 0 bytes");
  CHECK(files.error(text_of({0, 0, 8})) == "ends within its magic number, after 3 bytes");
  CHECK(files.error(text_of({0, 0, 8, 1, 0, 0})) == "ends within its sizes, after 6 bytes");
  CHECK(files.error(images.substr(0, 18)) ==
        "ends after 18 bytes, within its 4 elements of sizes [2, 1, 2]; fetch the file anew");
  CHECK(files.error(images + "x") == "goes on behind the 4 elements of its sizes [2, 1, 2]");
  // A size that asks for more memory than there is: nothing is taken for it.
  CHECK(files.error(text_of({0, 0, 8, 1, 0x3F, 0xFF, 0xFF, 0xFF, 1})) ==
        "ends after 9 bytes, within its 1073741823 elements of sizes [1073741823]; fetch the file anew");
  const std::string too_many = "has sizes of more than 1073741824 bytes of elements";
  CHECK(files.error(text_of({0, 0, 8, 2, 0x3F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 2})) == too_many);
  CHECK(files.error(text_of({0, 0, 14, 1, 0x10, 0, 0, 0})) == too_many);  // 2^28 doubles
  const std::string packed = gzipped(images);
  CHECK_THROWS_WITH_AS(read_idx(files.write("cut.gz", packed.substr(0, packed.size() - 6))),
                       doctest::Contains("cut.gz: the gzip data is damaged or cut off after "), FormatError);
  CHECK_THROWS_WITH_AS(read_idx(files.folder.path() / "none"), doctest::Contains("none: No such file or directory"), IoError);
}

TEST_CASE("images and labels go together") {
  const Files files;
  const auto image_path = files.write("images", images), label_path = files.write("labels", labels);
  const LabelledImages digits = read_idx_images(image_path, label_path);
  CHECK(digits.images.shape() == Shape{2, 1, 2});
  CHECK(digits.images.at({0, 0, 1}) == 1);
  CHECK(digits.images.at({1, 0, 0}) == doctest::Approx(0.2));
  CHECK(digits.labels.str() == "[7, 3]");
  const auto one = files.write("one", text_of({0, 0, 8, 1, 0, 0, 0, 1, 7}));
  CHECK_THROWS_WITH_AS(read_idx_images(image_path, one),
                       ("[read_idx] " + image_path.string() + " has 2 images and " + one.string() +
                        " has 1 labels; one for each is needed, and one at least")
                           .c_str(),
                       FormatError);
  CHECK_THROWS_WITH_AS(read_idx_images(label_path, image_path),
                       ("[read_idx] " + label_path.string() +
                        " has elements of type 0x08 and sizes [2]; images are unsigned bytes (0x08), [n, height, width]")
                           .c_str(),
                       FormatError);
  const auto wide = files.write("wide", text_of({0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 0, 7}));
  CHECK_THROWS_WITH_AS(
      read_idx_images(image_path, wide),
      ("[read_idx] " + wide.string() + " has elements of type 0x0C and sizes [1]; labels are unsigned bytes (0x08), [n]")
          .c_str(),
      FormatError);
}

TEST_CASE("the test digits are 3,000 images of 28 by 28 pixels with labels from 0 to 9") {
  const auto folder = test::shared_path("data/mnist");
  if (!folder) return;
  const LabelledImages digits = read_idx_images(*folder / "t10k-images-idx3-ubyte.gz", *folder / "t10k-labels-idx1-ubyte.gz");
  CHECK(digits.images.shape() == Shape{3000, 28, 28});
  CHECK(digits.labels.shape() == Shape{3000});
  for (std::int64_t i = 0; i < 3000; ++i) {
    CHECK(digits.labels.data<std::int32_t>()[i] >= 0);
    CHECK(digits.labels.data<std::int32_t>()[i] <= 9);
  }
}
