// Learns to name a digit that is heard and seen, one of the two spoilt by noise, and shows which it trusts: two_senses --help.
#include <algorithm>

#include "commands.hpp"
#include "digit_images.hpp"
#include "of_data.hpp"
#include "output_file.hpp"
#include "run_notes.hpp"
#include "spoken_takes.hpp"
#include "trainer_settings.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/report/report.hpp"
#include "weft/train/digit_senses_task.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"

using namespace weft;
using namespace trainer_settings;

namespace {

constexpr const char* usage = R"(two_senses COMMAND [options]

  train      learn from recordings of digits and images of digits
  evaluate   errors by what is spoilt, and how much the sound counted, on the test's recordings and other images
  report     an HTML page of a training run, with what the model listened to and looked at in some pairs

two_senses COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

constexpr double most_noise = 1e6;  // far beyond what anything is told by, and nothing overflows

/// Recordings and images, and how much noise spoils them.
struct PairSource {
  std::string sounds, images, labels;
  bool quick = false;
  data::DigitPairOptions pairs;
  std::string str() const { return quick ? "generated digits" : fmt::format("{} and {}", sounds, images); }
};

void add_pair_options(po::options_description& options, PairSource& source) {
  auto add = options.add_options();
  add("sounds", option(source.sounds), "folder of recordings DIGIT_SPEAKER_TAKE.wav (or .flac)");
  add("images", option(source.images), "IDX file of digits, plain or gzip");
  add("labels", option(source.labels), "IDX file of their names");
  add("sound-noise", number(source.pairs.sound_noise, 0, most_noise), "in a spoilt recording, in root mean squares of it");
  add("image-noise", number(source.pairs.image_noise, 0, most_noise), "in a spoilt image, whose ink is 1");
  add("quick", po::bool_switch(&source.quick), "tones and digits that are made by code");
}

spoken_takes::Parts sounds_of(const PairSource& source) {
  if (source.quick) {
    refuse_data(source.sounds, "sounds");
    return spoken_takes::parts_of(data::tone_words(3, 12));
  }
  return spoken_takes::read_parts("two_senses", required(source.sounds, "sounds"), data::LogMelOptions().rate);
}

data::LabelledImages images_of(const PairSource& source, std::uint64_t seed, std::int64_t classes) {
  return read_digits(source.images, source.labels, source.quick, seed, classes);
}

/// Throws FormatError for images that can't be learned from or measured with.
void check_images(const PairSource& source, const char* items, const data::LabelledImages& images, digit_classes::Use use) {
  check_digits("two_senses", source.quick ? source.str() : source.images, items, images, use);
}

/// What a run notes of its images and its noise.
Metadata notes_of(const data::LabelledImages& images, const data::DigitPairOptions& pairs) {
  return {{digits_note, checksum_of(images.images)},
          {"pairs.sound_noise", fmt::to_string(pairs.sound_noise)},
          {"pairs.image_noise", fmt::to_string(pairs.image_noise)}};
}

/// With the noise of the run of --model, as far as it says: other defaults, which options change as ever.
data::DigitPairOptions pairs_of_run(const std::vector<std::string>& words) {
  const run_notes::OfWords notes(words);
  data::DigitPairOptions pairs;
  notes.read("pairs.sound_noise", pairs.sound_noise);
  notes.read("pairs.image_noise", pairs.image_noise);
  return pairs;
}

int command_train(const std::vector<std::string>& words) {
  TrainerSettings s;
  s.trainer.epochs = 30;
  s.trainer.lr = 2e-3;
  s.trainer.cooldown = 0.5;
  PairSource source;
  source.quick = read_options::is_quick(words);
  seq2seq::DigitSensesOptions model_options;
  DigitSensesTaskOptions task_options;
  std::string senses = "gated", recurrent = "gru";
  double held_out = 0.1;
  if (source.quick) {  // other defaults, which options change as ever
    model_options.hidden = 24;
    model_options.channels = 8;
    task_options = {.batch = 16, .epoch_batches = 20, .validation_pairs = 100};
    s.trainer.epochs = 15;
    s.trainer.lr = 1e-2;
  }
  po::options_description options("two_senses train");
  add_pair_options(options, source);
  auto add = options.add_options();
  add("senses", choice(senses, {seq2seq::senses_names.begin(), seq2seq::senses_names.end()}), "what the digit is told by");
  add("hidden", number(model_options.hidden, 2, largest_size), "size of what a sense makes of a step or a cell, even");
  add("channels", number(model_options.channels, 1, largest_size), "of the first convolution");
  add("recurrent", choice(recurrent, {nn::recurrent_names.begin(), nn::recurrent_names.end()}), "over the sound");
  add("dropout", number(model_options.dropout, 0, 0.99), "probability");
  add("held-out", number(held_out, 0.001, 0.5), "share of the images, at the end of the file, to validate on");
  add("batch", number(task_options.batch, 1, largest_size), "pairs of a batch");
  add("epoch-batches", number(task_options.epoch_batches, 1, largest_size), "batches of an epoch; no pair comes twice");
  add("validation-pairs", number(task_options.validation_pairs, 1, largest_size), "pairs to validate on");
  add_trainer_options(options, s);
  if (!read_options::read(words, options, std::cout, "two_senses train --help")) return 0;
  apply(s);
  if (model_options.hidden % 2 != 0) throw UsageError(fmt::format("--hidden {} must be even", model_options.hidden));
  if (senses == "image") read_options::refuse_idle("recurrent", recurrent, std::string("gru"), "the sound", "--senses image");
  const data::LabelledImages images = images_of(source, 1, model_options.classes);
  const std::int64_t count = images.images.size(0);
  const auto kept = static_cast<std::int64_t>((1 - held_out) * static_cast<double>(count));
  if (kept == 0 || kept == count)
    throw FormatError(fmt::format("{} has {} images: too few to hold some out", source.images, count));
  const auto images_between = [&images](std::int64_t first, std::int64_t end) {
    return data::LabelledImages{images.images.slice(0, first, end), images.labels.slice(0, first, end)};
  };
  const data::LabelledImages train_images = images_between(0, kept), validation_images = images_between(kept, count);
  source.pairs.seed = s.trainer.seed;
  spoken_takes::Parts sounds = sounds_of(source);
  spoken_takes::check_training("two_senses", source.sounds, sounds);
  check_images(source, "images to learn from", train_images, digit_classes::Use::learn);
  check_images(source, "images to validate on (--held-out)", validation_images, digit_classes::Use::measure);
  const std::size_t recordings = sounds.train.size();
  const std::string made_of = source.str();
  const data::DigitPairs train_pairs =
      of_data(made_of, [&] { return data::DigitPairs(std::move(sounds.train), train_images, source.pairs); });
  source.pairs.part = data::Part::validation;
  const data::DigitPairs validation_pairs =
      of_data(made_of, [&] { return data::DigitPairs(std::move(sounds.validation), validation_images, source.pairs); });
  const data::LogMel log_mel({.bands = model_options.bands});
  model_options.senses = seq2seq::senses_of(senses);
  model_options.recurrent = nn::recurrent_kind(recurrent);
  model_options.height = train_pairs.image_height();
  model_options.width = train_pairs.image_width();
  auto model = of_data(made_of, [&] {
    return seq2seq::DigitSenses(model_options, nn::Scope{.owner = nullptr, .name = {}, .seed = s.trainer.seed});
  });
  DigitSensesTask task(model, log_mel, train_pairs, validation_pairs, task_options,
                       run_notes::for_run(notes_of(images, source.pairs), s.trainer));
  fmt::print(stderr, "{} recordings, {} images, {} more to validate on, {} parameters, {}\n", recordings, kept, count - kept,
             model.num_parameters(), format_count(s.threads, "thread"));
  const TrainingResult result = weft::train(task, s.trainer, std::cerr);
  fmt::print("{}, {}, {}, {}\n", format_count(result.updates, "update"),
             result.best ? fmt::format("{:.1f} % of the validation pairs named", *result.best) : "not validated yet",
             speed_of(result, "pairs"), format_duration(result.seconds));
  return exit_code(result);
}

struct Asking {
  PairSource source;
  std::string folder;
  std::int64_t pairs = 2000;
  int threads = num_threads();
};

void add_asking_options(po::options_description& options, Asking& a, std::int64_t most_pairs) {
  add_pair_options(options, a.source);
  auto add = options.add_options();
  add("model", option(a.folder), "folder of a training run");
  add("pairs", number(a.pairs, 1, most_pairs), "pairs to make");
  add("seed", number(a.source.pairs.seed, 0), "of what the pairs are");
  add("threads", number(a.threads, 1, most_threads), "threads");
}

data::DigitPairs test_pairs(const Asking& a, const seq2seq::DigitSenses& model) {
  data::DigitPairOptions options = a.source.pairs;
  options.part = data::Part::test;
  const data::LabelledImages images = images_of(a.source, 2, model.options().classes);
  spoken_takes::Parts sounds = sounds_of(a.source);
  spoken_takes::check_test("two_senses", a.source.sounds, sounds);
  check_images(a.source, "images", images, digit_classes::Use::measure);
  warn_of_learned("two_senses", a.folder, a.source.images, images);
  return of_data(a.source.str(), [&] { return data::DigitPairs(std::move(sounds.test), images, options); });
}

int command_evaluate(const std::vector<std::string>& words) {
  Asking a;
  a.source.pairs = pairs_of_run(words);
  po::options_description options("two_senses evaluate");
  add_asking_options(options, a, largest_size);
  if (!read_options::read(words, options, std::cout, "two_senses evaluate --help")) return 0;
  set_num_threads(a.threads);
  const auto model = seq2seq::DigitSenses::load(required(a.folder, "model"));
  const data::LogMel log_mel({.bands = model->options().bands});
  const data::DigitPairs pairs = test_pairs(a, *model);
  const SensesScore score = of_data(a.source.str(), [&] { return score_senses(*model, pairs, log_mel, a.pairs); });
  const auto errors = [](std::int64_t right, std::int64_t all) {
    return 100 * static_cast<double>(all - right) / static_cast<double>(all);
  };
  fmt::print("{:.2f} % errors in {} pairs\n", errors(score.right(), score.pairs()), score.pairs());
  for (const auto& [name, part] : {std::pair("sound", score.sound_spoilt), std::pair("image", score.image_spoilt)}) {
    if (part.pairs == 0) {
      fmt::print("{} spoilt in no pair\n", name);
      continue;
    }
    fmt::print("{} spoilt: {:.2f} % errors in {} pairs", name, errors(part.right, part.pairs), part.pairs);
    if (model->options().senses == seq2seq::Senses::gated) fmt::print(", the sound counts {:.3f}", part.gate);
    fmt::print("\n");
  }
  return 0;
}

/// A pair with what the model listened to and looked at.
void add_pair(report::Report& page, const DigitPairBatch& batch, const seq2seq::SensesOutput& output, const Tensor& names,
              std::int64_t row, const data::LogMelOptions& frame) {
  const data::DigitPair& pair = batch.pairs[static_cast<std::size_t>(row)];
  const std::string title =
      fmt::format("of a {}, named {}; the {} is spoilt{}", pair.label, names.at({row}),
                  pair.spoilt == data::Sense::sound ? "sound" : "image",
                  output.gate.defined() ? fmt::format("; the sound counts {:.2f}", output.gate.value().at({row})) : "");
  const auto frames = static_cast<std::int64_t>(batch.lengths.at({row}));
  const std::vector<std::string> outputs = {fmt::to_string(names.at({row}))};
  if (output.sound_weights.defined())
    page.over_spectrogram({.title = "the sound " + title,
                           .outputs = outputs,
                           .spectrogram = batch.sound.select(0, row).slice(0, 0, frames),
                           .weights = output.sound_weights.value().slice(0, row, row + 1).slice(1, 0, frames),
                           .seconds_per_frame = static_cast<double>(frame.hop) / static_cast<double>(frame.rate)});
  if (output.image_weights.defined())
    page.over_frames({.title = "the image " + title,
                      .outputs = outputs,
                      .frames = batch.images.slice(0, row, row + 1),
                      .weights = output.image_weights.value().slice(0, row, row + 1).unsqueeze(1)});
}

int command_report(const std::vector<std::string>& words) {
  Asking a;
  a.source.pairs = pairs_of_run(words);
  a.pairs = 8;
  std::string output;
  po::options_description options("two_senses report");
  add_asking_options(options, a, 1000);  // as one batch
  options.add_options()("output", option(output), "the page; none: report.html in the model's folder");
  if (!read_options::read(words, options, std::cout, "two_senses report --help")) return 0;
  const std::string page_path = output_file::page_of(output, a.folder);
  set_num_threads(a.threads);
  const auto model = seq2seq::DigitSenses::load(required(a.folder, "model"));
  report::Report page("Digits that are heard and seen");
  page.text(fmt::format("{}, {} parameters.", name_of(model->options().senses), format_count(model->num_parameters())));
  report_training(page, read_training_log(std::filesystem::path(a.folder) / "train.log"));
  page.section("What the model listens to and looks at");
  const NoGrad nothing_recorded;
  const data::LogMel log_mel({.bands = model->options().bands});
  const DigitPairBatch batch = digit_pair_batch(test_pairs(a, *model), log_mel, 0, a.pairs);
  const seq2seq::SensesOutput told =
      of_data(a.source.str(), [&] { return (*model)(batch.sound, batch.lengths, batch.images); });
  const Tensor names = argmax(told.logits, 1);
  for (std::int64_t row = 0; row < a.pairs; ++row) add_pair(page, batch, told, names, row, log_mel.options());
  page.write(page_path);
  fmt::print("{}\n", page_path);
  return 0;
}

commands::Program two_senses() {
  std::map<std::string, const char*> options = {
      {"digit_senses.senses", "--senses"},
      {"digit_senses.hidden", "--hidden"},
      {"digit_senses.channels", "--channels"},
      {"digit_senses.recurrent", "--recurrent"},
      {"digit_senses.dropout", "--dropout"},
      {"digit_senses.height", "--images"},
      {"digit_senses.width", "--images"},
      {"training_pairs", "--sounds, --images, --labels, --held-out, --sound-noise, --image-noise, --seed"},
      {"validation_pairs", "--validation-pairs, --sounds, --images, --labels, --held-out, --sound-noise, --image-noise"},
      {digits_note, "--images"},
      {"pairs.sound_noise", "--sound-noise"},
      {"pairs.image_noise", "--image-noise"},
      {"log_mel", "the features of sounds"},
      {"batch", "--batch"},
      {"epoch_batches", "--epoch-batches"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return {"two_senses",
          usage,
          {{"train", command_train}, {"evaluate", command_evaluate}, {"report", command_report}},
          std::move(options)};
}

}  // namespace

int main(int argc, char** argv) { return commands::main_of(two_senses(), argc, argv); }
