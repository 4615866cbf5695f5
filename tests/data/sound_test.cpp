#include "weft/data/sound.hpp"

#include <doctest/doctest.h>
#include <sndfile.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include "data/wav.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;
using test::pcm16;
using test::Wav;

namespace {

struct Folder {
  test::TemporaryFolder folder;
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    return test::write_file(folder.path() / name, bytes);
  }
  /// What reading the file says, without the folder.
  std::string error_of(const std::string& bytes, std::int64_t rate = 0) const {
    const auto path = write("x.wav", bytes);
    try {
      read_sound(path, rate);
    } catch (const FormatError& error) {
      std::string text = error.what();
      if (const std::size_t at = text.find(path.string()); at != std::string::npos)
        return text.replace(at, path.string().size(), "FILE");
      return "the file isn't named: " + text;
    }
    return "read";
  }
};

std::string floats(const std::vector<float>& values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// A file's bytes as libsndfile writes it.
std::string written(const std::filesystem::path& path, int format, const std::vector<short>& samples, int channels) {
  SF_INFO info{};
  info.samplerate = 8000;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.string().c_str(), SFM_WRITE, &info);
  REQUIRE(file != nullptr);
  CHECK(sf_write_short(file, samples.data(), static_cast<sf_count_t>(samples.size())) ==
        static_cast<sf_count_t>(samples.size()));
  sf_close(file);
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string flac(const std::filesystem::path& path, const std::vector<short>& samples, int channels) {
  return written(path, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, samples, channels);
}

}  // namespace

TEST_CASE("WAV files of several kinds") {
  const Folder folder;
  const Sound sound = read_sound(folder.write("a.wav", Wav{.samples = pcm16({0, 16384, -32768, 1})}.bytes()), 8000);
  CHECK(sound.rate == 8000);
  CHECK(sound.samples == std::vector<float>{0, 0.5f, -1, 1.0f / 32768});
  CHECK(sound.seconds() == 4.0 / 8000);
  const Sound stereo = read_sound(
      folder.write("b.wav", Wav{.channels = 2, .rate = 16000, .samples = pcm16({16384, 0, -16384, -16384})}.bytes()));
  CHECK(stereo.rate == 16000);
  CHECK(stereo.samples == std::vector<float>{0.25f, -0.5f});
  CHECK(read_sound(folder.write("c.wav", Wav{.bits = 8, .samples = "\x80\xC0"}.bytes())).samples ==
        std::vector<float>{0, 0.5f});
  CHECK(read_sound(folder.write("d.wav", Wav{.kind = 3, .bits = 32, .samples = floats({0.25f, -2})}.bytes())).samples ==
        std::vector<float>{0.25f, -2});
  // A chunk of odd size before the data, and what stands behind it.
  std::string more = Wav{.samples = pcm16({8192, 8192})}.bytes();
  more.insert(more.find("data"), std::string("LIST\x03\0\0\0abc\0", 12));
  CHECK(read_sound(folder.write("e.wav", more + "junk")).samples == std::vector<float>{0.25f, 0.25f});
}

TEST_CASE("FLAC files, told by their content") {
  const Folder folder;
  std::vector<short> samples;
  for (int i = 0; i < 100000; ++i) samples.push_back(static_cast<short>(10000 * std::sin(0.01 * i)));
  const std::string bytes = flac(folder.folder.path() / "a.flac", samples, 1);
  const Sound sound = read_sound(folder.write("a.wav", bytes), 8000);
  REQUIRE(sound.samples.size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); i += 997) CHECK(sound.samples[i] == static_cast<float>(samples[i]) / 32768);
  CHECK(
      read_sound((flac(folder.folder.path() / "b.flac", {100, 300, -200, -200}, 2), folder.folder.path() / "b.flac")).samples ==
      std::vector<float>{200.0f / 32768, -200.0f / 32768});
  for (const std::size_t size : {std::size_t{4}, std::size_t{40}, bytes.size() / 2}) {
    CAPTURE(size);
    CHECK_THROWS_AS(read_sound(folder.write("cut.flac", bytes.substr(0, size))), FormatError);
  }
}

TEST_CASE("headers that can't be are named with their reason") {
  const Folder folder;
  const std::string four = pcm16({1, 2, 3, 4});
  CHECK(folder.error_of("") == "[read_sound] FILE is empty");
  CHECK(folder.error_of(Wav{.data_bytes = 100, .samples = four}.bytes()) ==
        "[read_sound] FILE: its chunk 'data' of 100 bytes goes past the file's end (52 bytes)");
  CHECK(folder.error_of(Wav{.data_bytes = 0xFFFFFFFF, .samples = four}.bytes()) ==
        "[read_sound] FILE: its chunk 'data' of 4294967295 bytes goes past the file's end (52 bytes)");
  CHECK(folder.error_of(Wav{.samples = four + "x"}.bytes()) ==
        "[read_sound] FILE: its 9 bytes of samples are no whole number of frames of 2 bytes");
  CHECK(folder.error_of(Wav{.channels = 3, .samples = four}.bytes()) ==
        "[read_sound] FILE: its 8 bytes of samples are no whole number of frames of 6 bytes");
  CHECK(folder.error_of(Wav{.channels = 0, .samples = four}.bytes()) == "[read_sound] FILE: its header says 0 channels");
  CHECK(folder.error_of(Wav{.rate = 0, .samples = four}.bytes()) == "[read_sound] FILE: its header says 0 samples a second");
  CHECK(folder.error_of(Wav{.bits = 7, .align = 1, .samples = four}.bytes()) ==
        "[read_sound] FILE: its header says 7 bits a sample, which isn't a size of samples (8, 16, 24, 32)");
  CHECK(folder.error_of(Wav{.kind = 3, .bits = 16, .samples = four}.bytes()) ==
        "[read_sound] FILE: its header says 16 bits a sample, which isn't a size of floating-point samples (32, 64)");
  CHECK(folder.error_of(Wav{.align = 3, .samples = four}.bytes()) ==
        "[read_sound] FILE: its header says 3 bytes for 1 channels of 16 bits");
  CHECK(folder.error_of(Wav{}.bytes()) == "[read_sound] FILE has no samples");
  CHECK(folder.error_of(Wav{.samples = four}.bytes().substr(0, 30)).find("[read_sound] FILE: its chunk 'fmt ' of 16 bytes") ==
        0);
  CHECK(folder.error_of(Wav{.samples = four}.bytes().substr(0, 36)) ==
        "[read_sound] FILE: its header has no chunk 'data'; the file is cut off or no sound");
  const std::string zeros =
      "[read_sound] FILE: no chunk begins at byte 36, where one must: the four bytes there are no name of printable ASCII";
  CHECK(folder.error_of(Wav{.samples = four}.bytes().substr(0, 36) + std::string(100, '\0')) == zeros);
  CHECK(folder.error_of(Wav{.samples = four}.bytes().replace(36, 4, "da\xFFt")) == zeros);
  CHECK(folder.error_of("some text that is no sound at all") ==
        "[read_sound] FILE is no sound file that can be read: it begins neither as WAV (RIFF) nor as FLAC");
  CHECK(folder.error_of(Wav{.rate = 16000, .samples = four}.bytes(), 8000) ==
        "[read_sound] FILE has 16000 samples a second, 8000 are needed: convert it first");
  CHECK(folder.error_of(Wav{.kind = 3, .bits = 32, .samples = floats({0, std::nanf("")})}.bytes()) ==
        "[read_sound] FILE: sample 1 is not finite");
  CHECK(folder.error_of(Wav{.kind = 3, .bits = 32, .samples = floats({0, 1, -1e30F})}.bytes()) ==
        "[read_sound] FILE: sample 2 is -1e+30, which is no sound's (between -1 and 1)");
  CHECK(folder.error_of(Wav{.kind = 3, .bits = 32, .samples = floats({-2147483648.F})}.bytes()) == "read");
  CHECK(folder.error_of(Wav{.samples = four}.bytes(), 8000) == "read");
}

TEST_CASE("sounds in other containers are refused by their name, whole or cut off") {
  const Folder folder;
  struct Kind {
    int format;
    std::string name;
  };
  const std::vector<Kind> kinds = {
      {SF_FORMAT_RF64, "an RF64 file"}, {SF_FORMAT_WAV | SF_ENDIAN_BIG, "a RIFX file"},  {SF_FORMAT_AIFF, "an AIFF file"},
      {SF_FORMAT_AU, "an AU file"},     {SF_FORMAT_AU | SF_ENDIAN_LITTLE, "an AU file"}, {SF_FORMAT_W64, "a W64 file"},
      {SF_FORMAT_CAF, "a CAF file"}};
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    const std::string bytes = written(folder.folder.path() / "other", kind.format | SF_FORMAT_PCM_16, {1, 2, 3, 4}, 1);
    const std::string message =
        "[read_sound] FILE is " + kind.name + "; WAV (RIFF) and FLAC can be read: convert it to one of them first";
    CHECK(folder.error_of(bytes) == message);
    CHECK(folder.error_of(bytes.substr(0, bytes.size() - 3)) == message);
  }
  CHECK(folder.error_of("OggS and more").find("is an Ogg file") != std::string::npos);
}

TEST_CASE("samples by A-law and mu-law have 8 bits, and extensible formats those of their kind") {
  const Folder folder;
  for (const int kind : {6, 7}) {
    CHECK(folder.error_of(Wav{.kind = kind, .bits = 8, .samples = "\x80\xC0"}.bytes()) == "read");
    CHECK(folder.error_of(Wav{.kind = kind, .bits = 16, .samples = "\x80\xC0"}.bytes()) ==
          "[read_sound] FILE: its header says 16 bits a sample, which isn't a size of A-law and mu-law samples (8)");
  }
  CHECK(folder.error_of(Wav{.bits = 64, .samples = std::string(8, '\1')}.bytes()) ==
        "[read_sound] FILE: its header says 64 bits a sample, which isn't a size of samples (8, 16, 24, 32)");
  CHECK(folder.error_of(Wav{.kind = 0xFFFE, .samples = "\1\1"}.bytes()) ==
        "[read_sound] FILE: its extensible format has 16 bytes; 40 are needed");
  const std::string extensible = written(folder.folder.path() / "x", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, {8192, -8192}, 1);
  CHECK(read_sound(folder.write("x.wav", extensible)).samples == std::vector<float>{0.25f, -0.25f});
}

TEST_CASE("a WAV file cut off anywhere or with any byte of its header changed is read or refused, nothing else") {
  const Folder folder;
  const std::string whole = Wav{.samples = pcm16({1, 2, 3, 4, 5, 6})}.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(folder.error_of(whole.substr(0, size)) != "read");
  for (std::size_t place = 0; place < 44; ++place)
    for (const int value : {0, 1, 0x7F, 0xFF}) {
      std::string changed = whole;
      changed[place] = static_cast<char>(value);
      CHECK_NOTHROW(folder.error_of(changed));
    }
}

TEST_CASE("paths of sounds that can't be read") {
  const Folder folder;
  const auto missing = folder.folder.path() / "missing.wav";
  CHECK_THROWS_WITH_AS(read_sound(missing),
                       ("[read_sound] can't read " + missing.string() + ": No such file or directory").c_str(), IoError);
  CHECK_THROWS_WITH_AS(read_sound(folder.folder.path()),
                       ("[read_sound] can't read " + folder.folder.path().string() + ": Is a directory").c_str(), IoError);
  const auto pipe = folder.folder.path() / "pipe.wav";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);  // opening it would never end
  CHECK_THROWS_WITH_AS(read_sound(pipe), ("[read_sound] can't read " + pipe.string() + ": not a file").c_str(), IoError);
}
