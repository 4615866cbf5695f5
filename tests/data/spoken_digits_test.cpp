#include "weft/data/spoken_digits.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <map>

#include "data/wav.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;
using test::pcm16;
using test::Wav;

TEST_CASE("recordings are named by digit, speaker and take; what can't be used is named and left out") {
  const test::TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& bytes) { test::write_file(folder.path() / name, bytes); };
  const std::string sound = Wav{.samples = pcm16({16384, 0})}.bytes();
  write("7_ann_12.wav", sound);
  write("7_ann_012.wav", sound);
  write("0_ann_lee_3.wav", sound);
  write("7_bob_1.wav", "");
  write("7_bob_2.wav", Wav{.rate = 16000, .samples = pcm16({1})}.bytes());
  write("seven_bob_1.wav", sound);
  write("7_bob_x.wav", sound);
  write("7_bob_-1.wav", sound);
  write("7_1.wav", sound);
  write("notes.txt", "no sound");
  write("8_bob_3.mp3", sound);
  write("9_bob_4", sound);
  const SpokenDigits digits = read_spoken_digits(folder.path());
  REQUIRE(digits.words.size() == 2);
  CHECK(digits.words[0].label == 0);
  CHECK(digits.words[0].speaker == "ann_lee");
  CHECK(digits.words[0].take == 3);
  CHECK(digits.words[1].label == 7);
  CHECK(digits.words[1].take == 12);
  CHECK(digits.words[1].samples == std::vector<float>{0.5f, 0});
  REQUIRE(digits.left_out.size() == 9);
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  CHECK(digits.left_out[0] == path("7_1.wav") + " isn't named DIGIT_SPEAKER_TAKE");
  CHECK(digits.left_out[1] == path("7_ann_12.wav") + " is the same take as 7_ann_012.wav");
  CHECK(digits.left_out[3] == "[read_sound] " + path("7_bob_1.wav") + " is empty");
  CHECK(digits.left_out[6] == path("8_bob_3.mp3") + " isn't .wav or .flac");
  CHECK(digits.left_out[7] == path("9_bob_4") + " isn't .wav or .flac");
  CHECK(digits.left_out[4].find("16000 samples a second, 8000 are needed") != std::string::npos);
}

TEST_CASE("endings in capitals are endings too") {
  const test::TemporaryFolder folder;
  const std::string sound = Wav{.samples = pcm16({16384, 0})}.bytes();
  for (const char* name : {"3_ann_9.WAV", "4_ann_9.FLAC", "5_ann_9.Wav"}) test::write_file(folder.path() / name, sound);
  const SpokenDigits digits = read_spoken_digits(folder.path());
  CHECK(digits.left_out.empty());
  REQUIRE(digits.words.size() == 3);
  CHECK(digits.words[0].label == 3);
}

TEST_CASE("what is too short or no plain file is left out by its path, and doesn't keep another file of the take out") {
  const test::TemporaryFolder folder;
  const auto write = [&](const char* name, int samples) {
    return test::write_file(folder.path() / name,
                            Wav{.samples = pcm16(std::vector<int>(static_cast<std::size_t>(samples), 1))}.bytes());
  };
  const auto cut = write("3_ann_009.wav", 399);
  write("3_ann_9.wav", 400);
  const auto pipe = folder.path() / "4_ann_9.wav";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const SpokenDigits digits = read_spoken_digits(folder.path(), 8000, 0.05);
  CHECK(digits.words.size() == 1);
  REQUIRE(digits.left_out.size() == 2);
  CHECK(digits.left_out[0] ==
        "[read_spoken_digits] " + cut.string() + " has 399 samples, less than 0.05 s: no word is so short");
  CHECK(digits.left_out[1] == "[read_sound] can't read " + pipe.string() + ": not a file");
}

TEST_CASE("a folder without recordings is refused") {
  const test::TemporaryFolder folder;
  const auto missing = folder.path() / "missing";
  CHECK_THROWS_WITH_AS(
      read_spoken_digits(missing),
      ("[read_spoken_digits] can't read the folder " + missing.string() + ": No such file or directory").c_str(), IoError);
  CHECK_THROWS_WITH_AS(read_spoken_digits(folder.path()),
                       ("[read_spoken_digits] " + folder.path().string() + " has no file .wav or .flac").c_str(), FormatError);
  std::filesystem::create_directory(folder.path() / "recordings");
  test::write_file(folder.path() / "recordings" / "1_a_1.wav", "");
  CHECK_THROWS_WITH_AS(read_spoken_digits(folder.path()), doctest::Contains("none of the 1 files of "), FormatError);
}

TEST_CASE("the shared recordings: ten digits, six speakers, fifty takes") {
  const auto archive = test::shared_path("data/spoken-digits/recordings.tar.gz");
  if (!archive) return;
  const test::TemporaryFolder folder;
  REQUIRE(std::system(("tar -xzf '" + archive->string() + "' -C '" + folder.path().string() + "'").c_str()) == 0);
  const SpokenDigits digits = read_spoken_digits(folder.path());
  CHECK(digits.left_out.empty());
  REQUIRE(digits.words.size() == 3000);
  std::map<std::pair<std::string, std::int32_t>, int> takes;
  for (const SpokenWord& word : digits.words) {
    ++takes[{word.speaker, word.label}];
    CHECK(word.take < 50);
  }
  CHECK(takes.size() == 60);
  for (const auto& [key, count] : takes) CHECK(count == 50);
}
