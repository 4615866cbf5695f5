#include "weft/data/sound.hpp"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/fail.hpp"
#include "base/files_in.hpp"
#include "base/last_error.hpp"

namespace weft::data {
namespace {

constexpr const char* where = "read_sound";
constexpr float largest = 1e10F;  // of all channels together

// libsndfile reads on where a WAV header's sizes or fields can't be; such a file is damaged, and what it would give isn't what
// was recorded. Compressed kinds of WAV are libsndfile's to judge.
class WavHeader {
 public:
  WavHeader(std::ifstream& file, std::uint64_t size, const std::string& name) : file_(file), size_(size), name_(name) {}

  void check_all() {
    std::uint64_t place = 12;  // behind "RIFF", its size, which programs that stream leave wrong, and "WAVE"
    bool data = false;
    while (!data && place + 8 <= size_) {
      const std::string id = name_at(place);
      const std::uint64_t bytes = number_at(place + 4, 4);
      check<FormatError>(place + 8 + bytes <= size_, where,
                         "{}: its chunk '{}' of {} bytes goes past the file's end ({} bytes)", name_, id, bytes, size_);
      if (id == "fmt ") check_format(place + 8, bytes);
      data = id == "data";
      check<FormatError>(!data || frame_ == 0 || bytes % frame_ == 0, where,
                         "{}: its {} bytes of samples are no whole number of frames of {} bytes", name_, bytes, frame_);
      place += 8 + bytes + bytes % 2;
    }
    check<FormatError>(data, where, "{}: its header has no chunk 'data'; the file is cut off or no sound", name_);
  }

 private:
  void check_format(std::uint64_t place, std::uint64_t bytes) {
    check<FormatError>(bytes >= 16, where, "{}: its format has {} bytes; 16 are needed", name_, bytes);
    const std::uint64_t channels = number_at(place + 2, 2), rate = number_at(place + 4, 4), align = number_at(place + 12, 2),
                        bits = number_at(place + 14, 2);
    std::uint64_t kind = number_at(place, 2);
    check<FormatError>(channels > 0, where, "{}: its header says 0 channels", name_);
    check<FormatError>(rate > 0, where, "{}: its header says 0 samples a second", name_);
    constexpr std::uint64_t integers = 1, floats = 3, a_law = 6, mu_law = 7, extensible = 0xFFFE;
    if (kind == extensible) {
      check<FormatError>(bytes >= 40, where, "{}: its extensible format has {} bytes; 40 are needed", name_, bytes);
      kind = number_at(place + 24, 2);
    }
    if (kind == integers)
      check_bits(bits, {8, 16, 24, 32}, "samples (8, 16, 24, 32)");
    else if (kind == floats)
      check_bits(bits, {32, 64}, "floating-point samples (32, 64)");
    else if (kind == a_law || kind == mu_law)
      check_bits(bits, {8}, "A-law and mu-law samples (8)");
    else
      return;
    check<FormatError>(align == channels * bits / 8, where, "{}: its header says {} bytes for {} channels of {} bits", name_,
                       align, channels, bits);
    frame_ = align;
  }

  void check_bits(std::uint64_t bits, std::initializer_list<std::uint64_t> possible, const char* of) const {
    check<FormatError>(std::find(possible.begin(), possible.end(), bits) != possible.end(), where,
                       "{}: its header says {} bits a sample, which isn't a size of {}", name_, bits, of);
  }

  std::array<char, 4> bytes_at(std::uint64_t place) {
    std::array<char, 4> bytes{};
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(place));
    file_.read(bytes.data(), bytes.size());
    return bytes;
  }
  std::string name_at(std::uint64_t place) {
    const std::array<char, 4> bytes = bytes_at(place);
    check<FormatError>(std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= ' ' && c <= '~'; }), where,
                       "{}: no chunk begins at byte {}, where one must: the four bytes there are no name of printable ASCII",
                       name_, place);
    return {bytes.begin(), bytes.end()};
  }
  // Little-endian.
  std::uint64_t number_at(std::uint64_t place, std::size_t width) {
    const std::array<char, 4> bytes = bytes_at(place);
    std::uint64_t number = 0;
    for (std::size_t i = width; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return number;
  }

  std::ifstream& file_;
  std::uint64_t size_, frame_ = 0;  // bytes of the file, and of a sample of all channels; 0: not known
  const std::string& name_;
};

// What libsndfile would read too, but without a check of its header.
const char* other_container(std::string_view start) {
  struct Kind {
    const char *begin, *name;
  };
  for (const auto& [begin, name] :
       {Kind{"RF64", "an RF64 file"}, Kind{"BW64", "a BW64 file"}, Kind{"RIFX", "a RIFX file"}, Kind{"riff", "a W64 file"},
        Kind{"FORM", "an AIFF file"}, Kind{".snd", "an AU file"}, Kind{"dns.", "an AU file"}, Kind{"caff", "a CAF file"},
        Kind{"OggS", "an Ogg file"}, Kind{"ID3", "a file with an ID3 tag, as MP3 has"}})
    if (start.starts_with(begin)) return name;
  return nullptr;
}

void check_header(const std::filesystem::path& path, const std::string& name) {
  const auto refused = [&](int error) { fail<IoError>(where, "can't read {}: {}", name, std::strerror(error)); };
  check_file(where, path);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) refused(last_error());
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) refused(error.value());
  check<FormatError>(size > 0, where, "{} is empty", name);
  std::array<char, 12> start{};
  file.read(start.data(), start.size());
  const std::string_view text(start.data(), start.size());
  if (const char* other = other_container(text))
    fail<FormatError>(where, "{} is {}; WAV (RIFF) and FLAC can be read: convert it to one of them first", name, other);
  const bool wav = text.starts_with("RIFF") && text.ends_with("WAVE");
  check<FormatError>(wav || text.starts_with("fLaC"), where,
                     "{} is no sound file that can be read: it begins neither as WAV (RIFF) nor as FLAC", name);
  if (wav) WavHeader(file, size, name).check_all();
}

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

}  // namespace

Sound read_sound(const std::filesystem::path& path, std::int64_t rate) {
  const std::string name = path.string();
  check_header(path, name);
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, Close> file(sf_open(name.c_str(), SFM_READ, &info));
  check<FormatError>(file != nullptr, where, "{} is no sound file that can be read: {}", name, sf_strerror(nullptr));
  check<FormatError>(info.channels > 0 && info.samplerate > 0, where, "{}: its header says {} channels, {} samples a second",
                     name, info.channels, info.samplerate);
  check<FormatError>(rate == 0 || info.samplerate == rate, where, "{} has {} samples a second, {} are needed: convert it first",
                     name, info.samplerate, rate);
  Sound sound{{}, info.samplerate};
  // Block by block: what a header says of its length isn't believed.
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> block(std::max<std::size_t>(65536 / channels, 1) * channels);
  for (;;) {
    const sf_count_t frames = sf_readf_float(file.get(), block.data(), static_cast<sf_count_t>(block.size() / channels));
    if (frames <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(frames); ++i) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += block[i * channels + c];
      check<FormatError>(std::isfinite(sum), where, "{}: sample {} is not finite", name, sound.samples.size());
      // Far beyond integers that weren't scaled, and no energy of it overflows.
      check<FormatError>(std::abs(sum) <= largest, where, "{}: sample {} is {}, which is no sound's (between -1 and 1)", name,
                         sound.samples.size(), sum);
      sound.samples.push_back(sum / static_cast<float>(channels));
    }
  }
  check<FormatError>(sf_error(file.get()) == SF_ERR_NO_ERROR, where, "{} is damaged after {} samples: {}", name,
                     sound.samples.size(), sf_strerror(file.get()));
  check<FormatError>(!sound.samples.empty(), where, "{} has no samples", name);
  check<FormatError>(info.frames == SF_COUNT_MAX || static_cast<sf_count_t>(sound.samples.size()) == info.frames, where,
                     "{} is cut off: it has {} samples of {}", name, sound.samples.size(), info.frames);
  return sound;
}

}  // namespace weft::data
