#include "weft/tensor/safetensors.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(content.data(), static_cast<std::streamsize>(content.size()));
}

std::string file_of(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

bool same(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Tensor x = a.contiguous(), y = b.contiguous();
  return std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())) == 0;
}

bool same(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const NamedTensor& x, const NamedTensor& y) { return x.name == y.name && same(x.tensor, y.tensor); });
}

StateDict some_tensors() {
  return {{"mask", Tensor::from<bool>({true, false, true}, {3})},
          {"weight", Tensor::from<float>({1, -2, 3, std::numeric_limits<float>::quiet_NaN(), 5, 6}, {2, 3})},
          {"nothing", Tensor::zeros({0, 4})},
          {"größe \"é\"\\", Tensor::full({}, 0.1, f64)},
          {"step", Tensor::from<std::int64_t>({-1, 1LL << 40}, {2})},
          {"index", Tensor::from<std::int32_t>({7}, {1, 1})}};
}

}  // namespace

TEST_CASE("tensors of every dtype come back with their metadata") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  const auto tensors = some_tensors();
  const Metadata metadata{{"format", "pt"}, {"note", "line\nbreak, \"quote\", ü"}};
  save_safetensors(path, tensors, metadata);
  const SafetensorsFile file = load_safetensors(path);
  CHECK(same(file.tensors, tensors));
  CHECK(file.metadata == metadata);
  CHECK(file.checked);

  const std::string bytes = content_of(path);
  CHECK(bytes.substr(8, 1) == "{");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);

  save_safetensors(path, {});
  CHECK(load_safetensors(path).tensors.empty());
}

TEST_CASE("what metadata lack, or what isn't a number in them, is an error that names file and key") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  save_safetensors(path, {},
                   {{"most", "18446744073709551615"}, {"beyond", "18446744073709551616"}, {"none", ""}, {"tail", "7x"}});
  const SafetensorsFile file = load_safetensors(path);
  CHECK(file.name == path.string());
  CHECK(file.metadata_at("tail") == "7x");
  CHECK(file.number_at("most") == 18446744073709551615u);
  for (const char* key : {"beyond", "none", "tail"})
    CHECK_THROWS_WITH_AS(file.number_at(key), doctest::Contains(fmt::format("under '{}' is no whole number", key).c_str()),
                         FormatError);
  CHECK_THROWS_WITH_AS(file.number_at("updates"),
                       doctest::Contains("have no 'updates': they have 'beyond', 'most', 'none', 'tail'"), FormatError);
  save_safetensors(path, {});
  CHECK_THROWS_WITH_AS(load_safetensors(path).metadata_at("a"),
                       doctest::Contains("a.safetensors' have no 'a': they have no key at all"), FormatError);
}

TEST_CASE("views are stored dense, and shared tensors under each name") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  const StateDict tensors{{"x", x}, {"transposed", x.transpose(0, 1)}, {"again", x}};
  save_safetensors(path, tensors);
  const auto loaded = load_safetensors(path).tensors;
  CHECK(same(loaded, tensors));
  CHECK(!loaded[0].tensor.same_buffer(loaded[2].tensor));
}

TEST_CASE("what can't be stored is refused, and nothing is written") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  const Tensor x = Tensor::zeros({1});
  const auto save = [&](const std::string& name) { save_safetensors(path, StateDict{{name, x}}); };
  CHECK_THROWS_AS(save(""), ValueError);
  CHECK_THROWS_AS(save("__metadata__"), ValueError);
  CHECK_THROWS_AS(save("line\nbreak"), ValueError);
  CHECK_THROWS_AS(save("\xff"), ValueError);
  CHECK_THROWS_AS(save(std::string(513, 'x')), ValueError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, StateDict{{"x", x}, {"x", x}}), doctest::Contains("two tensors are named 'x'"),
                       ValueError);
  CHECK_THROWS_AS(save_safetensors(path, StateDict{{"x", Tensor()}}), ValueError);
  CHECK_THROWS_AS(save_safetensors(path, {}, {{"weft.crc32", "0"}}), ValueError);
  CHECK_THROWS_AS(save_safetensors(path, {}, {{"key", "\xc3"}}), ValueError);
  CHECK_THROWS_AS(save_safetensors(path, {}, {{"key", std::string(17u << 20, 'x')}}), ValueError);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a file of another writer loads without a checksum, its tensors in any order") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  put(path,
      file_of(
          R"({"b":{"shape":[2],"data_offsets":[4,12],"dtype":"F32"},"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}   )",
          std::string("\5\0\0\0\0\0\x80\x3f\0\0\0\x40", 12)));
  const SafetensorsFile file = load_safetensors(path);
  REQUIRE(file.tensors.size() == 2);
  CHECK(!file.checked);
  CHECK(file.tensors[0].name == "b");
  CHECK(file.tensors[0].tensor.at({1}) == 2);
  CHECK(file.tensors[1].tensor.item() == 5);
}

TEST_CASE("a header whose length starts as another kind of file does is still a header") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  std::string header = R"({"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}})";
  header.resize(0x8b1f, ' ');  // gzip's first two bytes
  put(path, file_of(header, std::string("\5\0\0\0", 4)));
  CHECK(load_safetensors(path).tensors.at(0).tensor.item() == 5);
}

TEST_CASE("headers that lie are rejected with the reason") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "hostile.safetensors";
  struct Hostile {
    std::string content, reason;
  };
  const std::string four(4, '\0'), eight(8, '\0');
  const auto entry = [](const std::string& fields) { return "{\"x\":{" + fields + "}}"; };
  const auto shaped = [&](const std::string& shape, const std::string& offsets = "0,4") {
    return entry("\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]");
  };
  std::string many = "{";
  for (int i = 0; i <= 100000; ++i)
    many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  many += '}';
  const Hostile files[] = {
      {"", "only 0 bytes"},
      {"\1\2\3", "only 3 bytes"},
      {eight, "doesn't start with"},
      {std::string(8, '\xff') + "{}", "longer than"},
      {"It was a dark and stormy night.", "no safetensors file: it starts as a text does"},
      {"Größe\t1\n", "it starts as a text does"},
      {std::string("PK\3\4\0\0\0\0\0\0", 10), "a zip archive, as torch.save writes"},
      {"\x1f\x8b\x08 and so on", "gzip"},
      {file_of("{}").substr(0, 9), "ends inside its header"},
      {file_of(" {}"), "doesn't start with"},
      {file_of("[]"), "doesn't start with"},
      {file_of("{"), "isn't valid JSON"},
      {file_of("{}x"), "isn't valid JSON"},
      {file_of("{},"), "isn't valid JSON"},
      {file_of("{\"x\":1}"), "a number stands"},
      {file_of("{\"x\":null}"), "null stands"},
      {file_of("{\"x\":true}"), "a boolean stands"},
      {file_of("{\"x\":\"y\"}"), "a string stands"},
      {file_of("{\"x\":[]}"), "an array stands"},
      {file_of("{\"x\":{}}"), "lacks its"},
      {file_of("{\"x\":" + std::string(1000000, '[')), "an array stands"},
      {file_of("{\"x\":{\"shape\":" + std::string(1000000, '[')), "an array stands"},
      {file_of("{\"x\":{\"shape\":{}}}"), "an object stands"},
      {file_of("{\"\":{}}"), "is empty"},
      {file_of("{\"a\\u0000b\":{}}"), "control characters"},
      {file_of("{\"a\nb\":{}}"), "isn't valid JSON"},
      {file_of("{\"\xff\":{}}"), "isn't valid JSON"},
      {file_of("{\"" + std::string(513, 'x') + "\":{}}"), "longer than 512"},
      {file_of("{\"__metadata__\":{\"a\":1}}"), "a number stands"},
      {file_of("{\"__metadata__\":{\"a\":{}}}"), "an object stands"},
      {file_of("{\"__metadata__\":[]}"), "an array stands"},
      {file_of("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}"), "'a' occurs twice"},
      {file_of("{\"__metadata__\":{},\"__metadata__\":{}}"), "'__metadata__' occurs twice"},
      {file_of("{\"__metadata__\":{\"weft.crc32\":\"00000000\"}}"), "checksum is missing"},
      {file_of("{\"__metadata__\":{\"weft.version\":\"1\"}}"), "checksum is missing"},
      {file_of("{\"__metadata__\":{\"weft.version\":\"2\",\"weft.crc32\":\"00000000\"}}"), "version is unknown"},
      {file_of("{\"__metadata__\":{\"weft.version\":\"1\",\"weft.crc32\":\"00000000\"}}"), "checksum is wrong"},
      {file_of("{\"__metadata__\":{\"weft.version\":\"1\",\"weft.crc32\":\"000000000\"}}"), "checksum is missing"},
      {file_of(entry("\"dtype\":\"F32\",\"shape\":[1]"), four), "lacks its"},
      {file_of(entry("\"dtype\":\"F32\",\"data_offsets\":[0,4]"), four), "lacks its"},
      {file_of(entry("\"shape\":[1],\"data_offsets\":[0,4]"), four), "lacks its"},
      {file_of(entry("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":[]"), four), "a field that isn't"},
      {file_of(entry("\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]"), four), "its shape twice"},
      {file_of(entry("\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"), four), "its dtype twice"},
      {file_of(entry("\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]"), four), "is BF16, which isn't supported"},
      {file_of(entry("\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]"), four), "isn't supported"},
      {file_of(entry("\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]"), four), "a number stands"},
      {file_of(entry("\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]"), four), "a number stands"},
      {file_of(shaped("-1"), four), "a negative number"},
      {file_of(shaped("-0"), four), "a negative number"},
      {file_of(shaped("1.0"), four), "isn't a plain count"},
      {file_of(shaped("1e0"), four), "isn't a plain count"},
      {file_of(shaped("01"), four), "isn't valid JSON"},
      {file_of(shaped("\"1\""), four), "a string stands"},
      {file_of(shaped("[1]"), four), "an array stands"},
      {file_of(shaped("99999999999999999999"), four), "isn't a plain count"},
      {file_of(shaped("18446744073709551615"), four), "too large"},
      {file_of(shaped("4294967296,4294967296"), four), "too large"},
      {file_of(shaped("4294967297,4294967297,0", "0,0"), ""), "too large"},
      {file_of(shaped("1,1,1,1,1,1,1,1,1"), four), "more than 8 dimensions"},
      {file_of(shaped("2"), four), "needs 8 bytes"},
      {file_of(shaped("2", "0,8"), four), "needs 8 bytes of the file's 4"},
      {file_of(shaped("1", "4,0"), four), "needs 4 bytes"},
      {file_of(shaped("1", "0,4,4"), four), "more than two offsets"},
      {file_of(shaped("1", "0"), four), "1 offsets"},
      {file_of(shaped("1", "4,8"), eight), "don't cover"},
      {file_of(shaped("1"), eight), "don't cover"},
      {file_of("{}", four), "don't cover"},
      {file_of(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
               eight),
       "'x' occurs twice"},
      {file_of(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
               four),
       "don't cover"},
      {file_of(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})",
               eight),
       "don't cover"},
      {file_of(entry("\"dtype\":\"BOOL\",\"shape\":[4],\"data_offsets\":[0,4]"), "\1\2\3\4"), "neither 0 nor 1"},
      {file_of(many), "more than 100000 tensors"},
  };
  for (const Hostile& file : files) {
    put(path, file.content);
    CAPTURE(file.content.substr(0, 200));
    CHECK_THROWS_WITH_AS(load_safetensors(path), doctest::Contains(file.reason.c_str()), FormatError);
  }
  CHECK(std::size(files) >= 60);
}

TEST_CASE("what isn't a readable file is an IoError") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(load_safetensors(folder.path() / "none"), doctest::Contains("No such file"), IoError);
  CHECK_THROWS_WITH_AS(load_safetensors(folder.path()), doctest::Contains("not a regular file"), IoError);
  CHECK_THROWS_AS(load_safetensors("/dev/zero"), IoError);
}

TEST_CASE("a file cut at any length is rejected") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  auto tensors = some_tensors();
  tensors.push_back({"long", Tensor::zeros({500})});
  save_safetensors(path, tensors);
  const std::string whole = content_of(path);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(path, whole.substr(0, length));
    CHECK_THROWS_AS(load_safetensors(path), FormatError);
  }
  put(path, whole + '\0');
  CHECK_THROWS_AS(load_safetensors(path), FormatError);
}

TEST_CASE("every flipped bit is found") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  save_safetensors(path, some_tensors(), {{"note", "x"}});
  std::string bytes = content_of(path);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      const char whole = bytes[i];
      bytes[i] = static_cast<char>(whole ^ (1 << bit));
      put(path, bytes);
      CAPTURE(i);
      CHECK_THROWS_AS(load_safetensors(path), FormatError);
      bytes[i] = whole;
    }
  }
  put(path, bytes);
  CHECK(same(load_safetensors(path).tensors, some_tensors()));
}

TEST_CASE("a failing save keeps the previous file") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  save_safetensors(path, some_tensors());
  const std::string before = content_of(path);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t bytes : {0u, 4u, 100u, 5000u}) {
    const rlimit limit{bytes, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK_THROWS_AS(save_safetensors(path, StateDict{{"x", Tensor::zeros({100000})}}), IoError);
    setrlimit(RLIMIT_FSIZE, &old);
  }
  std::signal(SIGXFSZ, handler);
  CHECK(content_of(path) == before);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS_AS(save_safetensors("/dev/full", some_tensors()), IoError);
}
