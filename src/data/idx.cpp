#include "weft/data/idx.hpp"

#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "base/fail.hpp"
#include "data/byte_source.hpp"

namespace weft::data {
namespace {

constexpr const char* operation = "read_idx";

enum class Element : std::uint8_t { u8 = 0x08, i8 = 0x09, i16 = 0x0B, i32 = 0x0C, f32 = 0x0D, f64 = 0x0E };

std::int64_t bytes_of(Element element) {
  switch (element) {
    case Element::u8:
    case Element::i8: return 1;
    case Element::i16: return 2;
    case Element::i32:
    case Element::f32: return 4;
    case Element::f64: return 8;
  }
  return 0;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : bytes_(operation, path) {}

  Tensor read() {
    begin();
    return elements();
  }

  /// Unsigned bytes of so many dimensions, each what `value` makes of it.
  template <class T, class Value>
  Tensor read_bytes(int rank, const char* what, const Value& value) {
    begin();
    check<FormatError>(type_ == Element::u8 && shape_.rank() == rank, operation,
                       "{} has elements of type 0x{:02X} and sizes {}; {}", name(), static_cast<int>(type_), shape_, what);
    return elements<T>([&](std::uint64_t bits) { return value(static_cast<std::uint8_t>(bits)); });
  }

 private:
  /// What stands before the elements.
  void begin() {
    const std::uint64_t magic = number(4, "its magic number");
    const auto element = static_cast<Element>(magic >> 8);
    check<FormatError>(magic >> 16 == 0 && bytes_of(element) > 0, operation,
                       "{} starts with 0x{:08X}, which is no IDX file's magic number: two zero bytes, a type from 0x08 to 0x0E "
                       "and the number of dimensions",
                       name(), magic);
    type_ = element;
    const auto rank = static_cast<int>(magic & 0xFF);
    check<FormatError>(rank >= 1 && rank <= max_rank, operation, "{} has {} dimensions; 1 to {} can be read", name(), rank,
                       max_rank);
    shape_ = shape(rank);
  }

  Shape shape(int rank) {
    std::array<std::int64_t, max_rank> sizes{};
    std::int64_t bytes = bytes_of(type_);
    constexpr std::int64_t most = std::int64_t{1} << 30;
    for (int i = 0; i < rank; ++i) {
      sizes[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(number(4, "its sizes"));
      const std::int64_t size = sizes[static_cast<std::size_t>(i)];
      check<FormatError>(size == 0 || bytes <= most / size, operation, "{} has sizes of more than {} bytes of elements", name(),
                         most);
      bytes *= size;
    }
    return Shape(std::span(sizes.data(), static_cast<std::size_t>(rank)));
  }

  Tensor elements() {
    if (type_ == Element::f32)
      return elements<float>([](std::uint64_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); });
    if (type_ == Element::f64) return elements<double>([](std::uint64_t bits) { return std::bit_cast<double>(bits); });
    return elements<std::int32_t>([this](std::uint64_t bits) { return integer(bits); });
  }

  /// Each what `value` makes of its bits.
  template <class T, class Value>
  Tensor elements(const Value& value) {
    const std::vector<std::uint8_t> bytes = element_bytes();
    Tensor result = Tensor::empty(shape_, dtype_of<T>::value);
    T* out = result.mutable_data<T>();
    const std::int64_t width = bytes_of(type_);
    std::uint64_t bits = 0;
    for (std::int64_t i = 0; i < std::ssize(bytes);) {
      bits = bits << 8 | bytes[static_cast<std::size_t>(i)];
      if (++i % width == 0) *out++ = value(std::exchange(bits, 0));
    }
    return result;
  }

  /// All of them. Memory is taken as they come, and the tensor's when all are there: damaged sizes ask for any amount.
  std::vector<std::uint8_t> element_bytes() {
    std::vector<std::uint8_t> bytes;
    const std::int64_t count = shape_.numel() * bytes_of(type_);
    for (std::int64_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(next(nullptr)));
    check<FormatError>(take() == ByteSource::end, operation, "{} goes on behind the {} elements of its sizes {}", name(),
                       shape_.numel(), shape_);
    return bytes;
  }

  std::int32_t integer(std::uint64_t bits) const {
    switch (type_) {
      case Element::i8: return static_cast<std::int8_t>(bits);
      case Element::i16: return static_cast<std::int16_t>(bits);
      default: return static_cast<std::int32_t>(bits);
    }
  }

  /// Big-endian.
  std::uint64_t number(std::int64_t size, const char* what) {
    std::uint64_t value = 0;
    for (std::int64_t i = 0; i < size; ++i) value = value << 8 | next(what);
    return value;
  }

  /// `what` is missing where the file ends; nullptr: elements.
  std::uint64_t next(const char* what) {
    const int byte = take();
    if (byte == ByteSource::end) [[unlikely]]
      ended(what);
    return static_cast<std::uint64_t>(byte);
  }

  [[noreturn]] void ended(const char* what) const {
    if (what != nullptr) fail<FormatError>(operation, "{} ends within {}, after {} bytes", name(), what, taken_);
    fail<FormatError>(operation, "{} ends after {} bytes, within its {} elements of sizes {}; fetch the file anew", name(),
                      taken_, shape_.numel(), shape_);
  }

  int take() {
    const int byte = bytes_.take([this] { return fmt::format("{} bytes", taken_); });
    taken_ += byte != ByteSource::end ? 1 : 0;
    return byte;
  }

  const std::string& name() const { return bytes_.name(); }

  ByteSource bytes_;
  Element type_ = Element::u8;
  Shape shape_;
  std::int64_t taken_ = 0;
};

}  // namespace

Tensor read_idx(const std::filesystem::path& path) { return Reader(path).read(); }

LabelledImages read_idx_images(const std::filesystem::path& images, const std::filesystem::path& labels) {
  Tensor pixels = Reader(images).read_bytes<float>(3, "images are unsigned bytes (0x08), [n, height, width]",
                                                   [](std::uint8_t byte) { return static_cast<float>(byte) / 255; });
  Tensor names = Reader(labels).read_bytes<std::int32_t>(1, "labels are unsigned bytes (0x08), [n]",
                                                         [](std::uint8_t byte) { return std::int32_t{byte}; });
  check<FormatError>(pixels.size(0) == names.size(0) && pixels.size(0) > 0, operation,
                     "{} has {} images and {} has {} labels; one for each is needed, and one at least", images.string(),
                     pixels.size(0), labels.string(), names.size(0));
  return {std::move(pixels), std::move(names)};
}

}  // namespace weft::data
