#include "weft/train/training_log.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

constexpr const char* text =
    R"(update 5 epoch 1 loss 4.1234 perplexity 61.77 words/s 8123 gradient norm 1.234 lr 0.001 left 1:02
update 9 epoch 1 loss 9.0000 perplexity 8103.08 words/s 8000 gradient norm 9.000 lr 0.5 left -:--
a line of somebody else
update 5 epoch 1 loss 3.5000 perplexity 33.12 words/s 9000 gradient norm 0.500 lr 1e-05 memory 12.5 MiB left 1:02
update 6 epoch 1 validation loss 3.2500 perplexity 25.79 score 12.34 (best) after 0:43
update 10 epoch 2 loss nan words/s inf gradient norm nan lr 2e-05 memory 13.0 MiB left 0:30
update 12 epoch 2 validation loss 3.5000 after 1:20
)";

std::filesystem::path write(const test::TemporaryFolder& folder, const std::string& content) {
  std::ofstream(folder.path() / "train.log") << content;
  return folder.path() / "train.log";
}

}  // namespace

TEST_CASE("a log is read back, the last run of it") {
  const test::TemporaryFolder folder;
  const TrainingLog log = read_training_log(write(folder, text));
  REQUIRE(log.windows.size() == 2);
  CHECK(log.windows[0].update == 5);
  CHECK(log.windows[0].epoch == 1);
  CHECK(log.windows[0].loss == 3.5);
  CHECK(log.windows[0].words_per_second == 9000);
  CHECK(log.windows[0].gradient_norm == 0.5);
  CHECK(log.windows[0].lr == 1e-5);
  CHECK(log.windows[0].memory == 12.5);
  CHECK(std::isnan(log.windows[1].loss));
  REQUIRE(log.validations.size() == 2);
  CHECK(log.validations[0].loss == 3.25);
  CHECK(log.validations[0].score == 12.34);
  CHECK(log.validations[0].best);
  CHECK_FALSE(log.validations[1].score.has_value());
  CHECK_FALSE(log.validations[1].best);
  CHECK(log.unit == "words");
}

TEST_CASE("its curves go onto a page, those that have data") {
  const test::TemporaryFolder folder;
  report::Report page("run");
  report_training(page, read_training_log(write(folder, text)));
  const std::string html = page.html();
  for (const char* title : {"Loss", "Score", "Learning rate", "Speed", "Gradient norm before clipping", "Memory"})
    CHECK(html.find("<figcaption>" + std::string(title)) != std::string::npos);
  CHECK(html.find(
            R"("series":[{"name":"training","x":[5,10],"y":[3.5,null]},{"name":"validation","x":[6,12],"y":[3.25,3.5]}])") !=
        std::string::npos);
  report::Report old("run");
  report_training(old, read_training_log(write(folder, std::string(text).substr(0, 100))));
  CHECK(old.html().find("Memory</figcaption>") == std::string::npos);
}

TEST_CASE("the speed is of what the task counts") {
  const test::TemporaryFolder folder;
  const TrainingLog log = read_training_log(write(
      folder, "update 5 epoch 1 loss 4.1 perplexity 61.77 digits/s 81 gradient norm 1.2 lr 0.001 memory 1.0 MiB left 1:02\n"));
  CHECK(log.unit == "digits");
  CHECK(log.windows.at(0).words_per_second == 81);
  report::Report page("run");
  report_training(page, log);
  CHECK(page.html().find("digits/s") != std::string::npos);
  CHECK(page.html().find("words/s") == std::string::npos);
}

TEST_CASE("what is no log is refused") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS(read_training_log(folder.path() / "missing.log"), IoError);
  CHECK_THROWS_AS(read_training_log(write(folder, "")), FormatError);
  CHECK_THROWS_AS(read_training_log(write(folder, "hello\n" + std::string(100000, 'x'))), FormatError);
}
