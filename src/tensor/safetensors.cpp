#include "weft/tensor/safetensors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <boost/crc.hpp>
#include <cerrno>
#include <charconv>
#include <numeric>
#include <string_view>
#include <system_error>

#include "base/fail.hpp"
#include "tensor/safetensors_header.hpp"
#include "weft/base/file.hpp"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");

namespace fs = std::filesystem;
using safetensors::Entry;
using safetensors::Header;

std::string as_bytes(std::uint64_t number) { return {reinterpret_cast<const char*>(&number), sizeof(number)}; }

std::size_t bytes_of(const Tensor& tensor) { return static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype()); }

std::string digits_of(const boost::crc_32_type& crc) { return fmt::format("{:08x}", crc.checksum()); }

class InputFile {
 public:
  explicit InputFile(const fs::path& path) : name_(path.string()), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    check<IoError>(descriptor_ >= 0, op, "can't open '{}': {}", name_, reason());
    struct stat status {};
    const bool known = ::fstat(descriptor_, &status) == 0;
    if (known && S_ISREG(status.st_mode)) {
      size_ = static_cast<std::uint64_t>(status.st_size);
      return;
    }
    const std::string why = known ? "it is not a regular file" : reason();
    ::close(descriptor_);
    fail<IoError>(op, "can't read '{}': {}", name_, why);
  }
  ~InputFile() { ::close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }
  const std::string& name() const { return name_; }

  void read(void* to, std::size_t bytes) {
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t count = ::read(descriptor_, at, bytes);
      if (count < 0 && errno == EINTR) continue;
      check<IoError>(count >= 0, op, "can't read '{}': {}", name_, reason());
      check<IoError>(count > 0, op, "'{}' became shorter while it was read", name_);
      at += count;
      bytes -= static_cast<std::size_t>(count);
    }
  }

 private:
  static constexpr const char* op = "load_safetensors";
  static std::string reason() { return std::generic_category().message(errno); }

  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

template <class... Args>
void require(bool condition, const InputFile& file, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition)
    fail<FormatError>("load_safetensors", "'{}' is not a sound safetensors file: {}", file.name(),
                      fmt::format(format, std::forward<Args>(args)...));
}

// What a file that isn't a safetensors file may be, by its first 8 bytes; null where they don't tell.
const char* other_kind(std::string_view start) {
  if (start.starts_with("PK\x03\x04"))
    return "it is a zip archive, as torch.save writes; save the weights with safetensors.torch.save_file";
  if (start.starts_with("\x1f\x8b")) return "it is compressed with gzip";
  const auto is_text = [](unsigned char c) {
    return (c >= 0x20 && c < 0x7f) || (c >= 0xc2 && c < 0xf5) || (c >= 0x80 && c < 0xc0) || c == '\t' || c == '\n' || c == '\r';
  };
  return std::all_of(start.begin(), start.end(), is_text) ? "it starts as a text does" : nullptr;
}

// Takes weft's own keys out of the metadata. The checksum's digits in `text` become zeros and are returned; "" without.
std::string take_checksum(const InputFile& file, Metadata& metadata, std::string& text) {
  const auto ours = std::erase_if(metadata, [](const auto& pair) { return pair.first.starts_with("weft."); });
  if (ours == 0) return "";
  const std::size_t at = safetensors::header_start.size();
  require(ours == 2 && text.starts_with(safetensors::header_start) && text.size() > at + 8 && text[at + 8] == '"', file,
          "its checksum is missing or its version is unknown; who copies metadata leaves out the keys that begin with 'weft.'");
  const std::string digits = text.substr(at, 8);
  text.replace(at, 8, safetensors::zero_digits);
  return digits;
}

}  // namespace

void save_safetensors(const fs::path& path, const StateDict& tensors, const Metadata& metadata) {
  Header header{.metadata = metadata};
  std::vector<Tensor> dense;
  for (const auto& [name, tensor] : tensors) {
    check<ValueError>(tensor.defined(), "save_safetensors", "the tensor '{}' is undefined", name);
    header.entries.push_back({.name = name, .dtype = tensor.dtype(), .shape = tensor.shape()});
    dense.push_back(tensor.contiguous());
  }
  // Wide elements first, so that each stands at a multiple of its size.
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size_of(dense[a].dtype()) > size_of(dense[b].dtype()); });
  std::uint64_t at = 0;
  for (const std::size_t i : order) {
    header.entries[i].begin = at;
    header.entries[i].end = at += bytes_of(dense[i]);
  }
  std::string text = safetensors::make_header(header, path.string());
  const std::string length = as_bytes(text.size());
  boost::crc_32_type crc;
  crc.process_bytes(length.data(), length.size());
  crc.process_bytes(text.data(), text.size());
  for (const std::size_t i : order) crc.process_bytes(dense[i].raw(), bytes_of(dense[i]));
  text.replace(safetensors::header_start.size(), 8, digits_of(crc));

  write_atomically(path, [&](OutputFile& file) {
    file.write(length);
    file.write(text);
    for (const std::size_t i : order) file.write(dense[i].raw(), bytes_of(dense[i]));
  });
}

SafetensorsFile load_safetensors(const fs::path& path) {
  InputFile file(path);
  require(file.size() >= 8, file, "it has only {} bytes", file.size());
  std::uint64_t length = 0;
  file.read(&length, sizeof(length));
  // Only of a file that is wrong: a sound one's header may have any length.
  const auto require_start = [&](bool right) {
    if (const char* kind = right ? nullptr : other_kind(as_bytes(length)))
      fail<FormatError>("load_safetensors", "'{}' is no safetensors file: {}", file.name(), kind);
  };
  require_start(length <= safetensors::max_header_bytes && length <= file.size() - 8);
  require(length <= safetensors::max_header_bytes, file, "its header of {} bytes is longer than {}", length,
          safetensors::max_header_bytes);
  require(length <= file.size() - 8, file, "it ends inside its header (cut off?)");
  std::string text(length, '\0');
  file.read(text.data(), text.size());
  require_start(text.starts_with('{'));
  require(text.starts_with('{'), file, "its header doesn't start with '{{'");
  Header header = safetensors::parse_header(text, file.size() - 8 - length, file.name());
  SafetensorsFile result{.metadata = std::move(header.metadata), .name = file.name()};
  const std::string digits = take_checksum(file, result.metadata, text);
  result.checked = !digits.empty();

  boost::crc_32_type crc;
  crc.process_bytes(as_bytes(length).data(), sizeof(length));
  crc.process_bytes(text.data(), text.size());
  result.tensors.resize(header.entries.size());
  for (const std::size_t i : safetensors::data_order(header.entries)) {
    Entry& entry = header.entries[i];
    Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
    std::byte* data = tensor.mutable_raw();
    file.read(data, bytes_of(tensor));
    if (result.checked) crc.process_bytes(data, bytes_of(tensor));
    require(entry.dtype != DType::boolean ||
                std::all_of(data, data + bytes_of(tensor), [](std::byte b) { return b <= std::byte{1}; }),
            file, "'{}' has truth values that are neither 0 nor 1", entry.name);
    result.tensors[i] = {std::move(entry.name), std::move(tensor)};
  }
  require(digits.empty() || digits == digits_of(crc), file,
          "its checksum is wrong: it was altered or damaged; use another copy");
  return result;
}

const std::string& SafetensorsFile::metadata_at(const std::string& key) const {
  const auto found = metadata.find(key);
  if (found != metadata.end()) return found->second;
  std::string keys;
  for (const auto& [other, value] : metadata) keys += fmt::format("{}'{}'", keys.empty() ? "" : ", ", other);
  fail<FormatError>("metadata_at", "the metadata of '{}' have no '{}': they have {}", name, key,
                    keys.empty() ? "no key at all" : keys);
}

std::uint64_t SafetensorsFile::number_at(const std::string& key) const {
  const std::string& text = metadata_at(key);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  check<FormatError>(error == std::errc() && end == text.data() + text.size(), "number_at",
                     "what the metadata of '{}' have under '{}' is no whole number from 0 to 2^64 - 1", name, key);
  return number;
}

}  // namespace weft
