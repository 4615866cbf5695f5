#include "tensor/safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <tuple>

#include "base/fail.hpp"

namespace weft::safetensors {
namespace {

using nlohmann::json;

struct TypeName {
  DType dtype;
  const char* name;
};
constexpr TypeName type_names[] = {
    {DType::f32, "F32"}, {DType::f64, "F64"}, {DType::i32, "I32"}, {DType::i64, "I64"}, {DType::boolean, "BOOL"}};

const char* type_name(DType dtype) {
  return std::find_if(std::begin(type_names), std::end(type_names), [&](const TypeName& t) { return t.dtype == dtype; })->name;
}

/// What is wrong with a tensor's or a metadata's name; null where nothing is.
const char* fault_of(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > max_name_bytes) return "is longer than 512 bytes";
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return "has control characters";
  return nullptr;
}

// Takes the parser's events one by one, so that nothing is built that the format doesn't have: a nested value, a second
// key of the same name or a number that isn't a plain count ends the parse where it stands.
class Reader {
 public:
  Reader(std::uint64_t data_bytes, const std::string& file) : data_bytes_(data_bytes), file_(file) {}
  Header take() { return std::move(header_); }

  // The events, as nlohmann::json's SAX interface names them.
  using binary_t = json::binary_t;
  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("a boolean"); }
  bool number_integer(std::int64_t) { unexpected("a negative number"); }
  bool number_float(double, const std::string&) { unexpected("a number that isn't a plain count"); }
  bool binary(binary_t&) { unexpected("binary data"); }

  bool number_unsigned(std::uint64_t number) {
    if (place_ != Place::shape && place_ != Place::offsets) unexpected("a number");
    if (place_ == Place::shape && numbers_.size() == max_rank) wrong("'{}' has more than {} dimensions", entry_.name, max_rank);
    if (place_ == Place::offsets && numbers_.size() == 2) wrong("'{}' has more than two offsets", entry_.name);
    numbers_.push_back(number);
    return true;
  }

  bool string(std::string& text) {
    if (place_ == Place::metadata) {
      header_.metadata.emplace(key_, std::move(text));
      return true;
    }
    if (place_ != Place::entry || key_ != "dtype") unexpected("a string");
    const auto* found =
        std::find_if(std::begin(type_names), std::end(type_names), [&](const TypeName& t) { return t.name == text; });
    if (found == std::end(type_names))
      fail<FormatError>("load_safetensors",
                        "'{}': '{}' is {}, which isn't supported; F32, F64, I32, I64 and BOOL are: convert it", file_,
                        entry_.name, text);
    entry_.dtype = found->dtype;
    has_dtype_ = true;
    return true;
  }

  bool key(std::string& name) {
    if (place_ == Place::entry) {
      if (name != "dtype" && name != "shape" && name != "data_offsets")
        wrong("'{}' has a field that isn't dtype, shape or data_offsets", entry_.name);
      if (name == "dtype" ? has_dtype_ : name == "shape" ? has_shape_ : has_offsets_)
        wrong("'{}' has its {} twice", entry_.name, name);
    } else {
      if (const char* fault = fault_of(name)) wrong("a name {}", fault);
      auto& names = place_ == Place::metadata ? metadata_names_ : tensor_names_;
      if (!names.insert(name).second) wrong("'{}' occurs twice", name);
    }
    key_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == "__metadata__") {
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      if (header_.entries.size() == max_tensors) wrong("it has more than {} tensors", max_tensors);
      place_ = Place::entry;
      entry_ = Entry{.name = std::move(key_)};
      has_dtype_ = has_shape_ = has_offsets_ = false;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() {
    if (place_ == Place::entry) {
      if (!has_dtype_ || !has_shape_ || !has_offsets_) wrong("'{}' lacks its dtype, shape or data_offsets", entry_.name);
      const std::uint64_t bytes = bytes_of_entry();
      if (entry_.end < entry_.begin || entry_.end - entry_.begin != bytes || entry_.end > data_bytes_)
        wrong("'{}' has offsets {} to {}, but needs {} bytes of the file's {}", entry_.name, entry_.begin, entry_.end, bytes,
              data_bytes_);
      header_.entries.push_back(std::move(entry_));
    }
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ != Place::entry || (key_ != "shape" && key_ != "data_offsets")) unexpected("an array");
    place_ = key_ == "shape" ? Place::shape : Place::offsets;
    numbers_.clear();
    return true;
  }

  bool end_array() {
    if (place_ == Place::shape) {
      has_shape_ = true;
      sizes_ = numbers_;
    } else {
      if (numbers_.size() != 2) wrong("'{}' has {} offsets instead of two", entry_.name, numbers_.size());
      has_offsets_ = true;
      entry_.begin = numbers_[0];
      entry_.end = numbers_[1];
    }
    place_ = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) {
    wrong("its header isn't valid JSON at byte {}", position);
  }

 private:
  enum class Place { start, top, metadata, entry, shape, offsets, end };

  template <class... Args>
  [[noreturn]] void wrong(fmt::format_string<Args...> format, Args&&... args) {
    fail<FormatError>("load_safetensors", "'{}' is not a sound safetensors file: {}", file_,
                      fmt::format(format, std::forward<Args>(args)...));
  }
  [[noreturn]] void unexpected(const char* what) { wrong("{} stands in its header where the format has none", what); }

  // The shape's size in bytes; products are checked, a size of 0 anywhere included.
  std::uint64_t bytes_of_entry() {
    constexpr std::uint64_t most = std::uint64_t{1} << 56;
    std::uint64_t product = 1;
    bool empty = false;
    std::array<std::int64_t, max_rank> sizes{};
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      if (sizes_[i] == 0) {
        empty = true;
      } else if (__builtin_mul_overflow(product, sizes_[i], &product) || product > most) {
        wrong("'{}' has a shape that is too large", entry_.name);
      }
      sizes[i] = static_cast<std::int64_t>(sizes_[i]);
    }
    entry_.shape = Shape(std::span<const std::int64_t>(sizes.data(), sizes_.size()));
    return empty ? 0 : product * size_of(entry_.dtype);
  }

  std::uint64_t data_bytes_;
  const std::string& file_;
  Header header_;
  Place place_ = Place::start;
  std::string key_;
  Entry entry_;
  bool has_dtype_ = false, has_shape_ = false, has_offsets_ = false;
  std::vector<std::uint64_t> numbers_, sizes_;
  std::set<std::string, std::less<>> tensor_names_, metadata_names_;
};

std::string quoted(const std::string& text, const std::string& file) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    fail<ValueError>("save_safetensors", "'{}' can't be written: a name or a metadata text is not valid UTF-8", file);
  }
}

}  // namespace

Header parse_header(std::string_view text, std::uint64_t data_bytes, const std::string& file) {
  Reader reader(data_bytes, file);
  json::sax_parse(text.begin(), text.end(), &reader);
  Header header = reader.take();
  std::uint64_t at = 0;
  bool covered = true;
  for (const std::size_t i : data_order(header.entries))
    covered = header.entries[i].begin == std::exchange(at, header.entries[i].end) && covered;
  check<FormatError>(covered && at == data_bytes, "load_safetensors",
                     "'{}' is not a sound safetensors file: its tensors don't cover its {} bytes of data one after the other",
                     file, data_bytes);
  return header;
}

std::vector<std::size_t> data_order(const std::vector<Entry>& entries) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(entries[a].begin, entries[a].end) < std::tie(entries[b].begin, entries[b].end);
  });
  return order;
}

std::string make_header(const Header& header, const std::string& file) {
  constexpr const char* op = "save_safetensors";
  check<ValueError>(header.entries.size() <= max_tensors, op, "'{}' can't hold {} tensors; at most {}", file,
                    header.entries.size(), max_tensors);
  std::string text = fmt::format("{}{}\"", header_start, zero_digits);
  for (const auto& [key, value] : header.metadata) {
    const char* fault = fault_of(key);
    check<ValueError>(fault == nullptr && !key.starts_with("weft."), op, "the metadata key '{}' {}", key,
                      fault != nullptr ? fault : "is weft's own");
    text += fmt::format(",{}:{}", quoted(key, file), quoted(value, file));
  }
  text += '}';
  std::set<std::string_view> names;
  for (const Entry& entry : header.entries) {
    const char* fault = entry.name == "__metadata__" ? "is reserved" : fault_of(entry.name);
    check<ValueError>(fault == nullptr, op, "the name '{}' {}", entry.name, fault != nullptr ? fault : "");
    check<ValueError>(names.insert(entry.name).second, op, "two tensors are named '{}'", entry.name);
    text += fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", quoted(entry.name, file),
                        type_name(entry.dtype), fmt::join(entry.shape, ","), entry.begin, entry.end);
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  check<ValueError>(text.size() <= max_header_bytes, op, "'{}' would have a header of {} bytes; at most {}", file, text.size(),
                    max_header_bytes);
  return text;
}

}  // namespace weft::safetensors
