// Learns to follow two digits through a film, to name them and to say where they are, and shows where it looks:
// moving_digits --help.
#include "weft/data/moving_digits.hpp"

#include <algorithm>

#include "commands.hpp"
#include "digit_images.hpp"
#include "first_run.hpp"
#include "of_data.hpp"
#include "output_file.hpp"
#include "run_notes.hpp"
#include "trainer_settings.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/shape.hpp"
#include "weft/report/report.hpp"
#include "weft/train/digit_tracking_task.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"

using namespace weft;
using namespace trainer_settings;

namespace {

constexpr const char* usage = R"(moving_digits COMMAND [options]

  train      learn from films that are made of digits (IDX files, plain or gzip)
  evaluate   names and positions in films of other digits, which move as those that were learned from
  report     an HTML page of a training run, with the attention over the frames of some films

moving_digits COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

/// Digits and what films are made of them.
struct FilmSource {
  std::string images, labels;
  bool quick = false;
  data::MovingDigitsOptions films;
  std::string str() const { return quick ? "digits drawn by code" : images; }
};

void add_film_options(po::options_description& options, FilmSource& source) {
  auto add = options.add_options();
  add("images", option(source.images), "file of digits");
  add("labels", option(source.labels), "file of their names");
  add("frames", number(source.films.frames, 1, 10000), "frames of a film");
  add("least-speed", number(source.films.least_speed, 0), "of a digit, in pixels a frame");
  add("most-speed", number(source.films.most_speed, 0), "of a digit, in pixels a frame");
  add("quick", po::bool_switch(&source.quick), "digits drawn by code");
}

data::LabelledImages digits_of(const FilmSource& source, std::uint64_t seed, std::int64_t classes) {
  return read_digits(source.images, source.labels, source.quick, seed, classes);
}

/// What a run notes of its digits and films; a frame's size is among the tracker's options.
Metadata notes_of(const data::LabelledImages& digits, const data::MovingDigitsOptions& films) {
  return {{digits_note, checksum_of(digits.images)},
          {"films.frames", fmt::to_string(films.frames)},
          {"films.least_speed", fmt::to_string(films.least_speed)},
          {"films.most_speed", fmt::to_string(films.most_speed)}};
}

/// Films as the run of --model learned from, as far as it says; other defaults, which options change as ever.
data::MovingDigitsOptions films_of_run(const std::vector<std::string>& words) {
  const run_notes::OfWords notes(words);
  data::MovingDigitsOptions films;
  notes.read("films.frames", films.frames);
  notes.read("films.least_speed", films.least_speed);
  notes.read("films.most_speed", films.most_speed);
  return films;
}

/// Films of digits; what can't be says of which.
data::MovingDigits films_of(const FilmSource& source, const data::LabelledImages& digits) {
  const data::MovingDigitsOptions& films = source.films;
  const std::int64_t room =
      films.size - std::max(digits.images.size(1), digits.images.size(2)) / 2;  // a frame's digits are halved
  if (room > 0 && !(films.least_speed <= films.most_speed && films.most_speed <= static_cast<double>(room)))
    throw UsageError(
        fmt::format("--least-speed {} and --most-speed {} must be in this order, and {} at most in frames of {} pixels",
                    films.least_speed, films.most_speed, room, films.size));
  return of_data(source.str(), [&] { return data::MovingDigits(digits, source.films); });
}

/// Throws FormatError for digits that can't be learned from or measured with.
void check_part(const FilmSource& source, const char* items, const data::LabelledImages& digits, digit_classes::Use use) {
  check_digits("moving_digits", source.str(), items, digits, use);
}

data::LabelledImages part_of(const data::LabelledImages& digits, std::int64_t first, std::int64_t end) {
  return {digits.images.slice(0, first, end), digits.labels.slice(0, first, end)};
}

int command_train(const std::vector<std::string>& words) {
  TrainerSettings s;
  s.trainer.epochs = 30;
  s.trainer.lr = 2e-3;
  s.trainer.cooldown = 0.5;
  FilmSource source;
  source.quick = read_options::is_quick(words);
  seq2seq::DigitTrackerOptions model_options;
  DigitTrackingTaskOptions task_options;
  std::string start, recurrent = "lstm";
  double held_out = 0.1;
  if (source.quick) {  // other defaults, which options change as ever
    source.films.frames = 5;
    source.films.most_speed = 1;
    model_options.channels = 6;
    model_options.hidden = 32;
    task_options = {.batch = 16, .epoch_batches = 20, .validation_films = 32};
    s.trainer.epochs = 20;
    s.trainer.lr = 1e-2;
  }
  po::options_description options("moving_digits train");
  add_film_options(options, source);
  auto add = options.add_options();
  add("size", number(source.films.size, 8, 1024), "pixels a side of a frame, a multiple of 4");
  add("held-out", number(held_out, 0.001, 0.5), "share of the digits, at the end of the file, to validate on");
  add("validation-films", number(task_options.validation_films, 1, largest_size), "films of them");
  add("start", option(start), "folder of another run whose best weights this one begins with; none: drawn by the seed");
  add("channels", number(model_options.channels, 1, 10000),
      "of the first convolution; the others have two and four times as many");
  add("hidden", number(model_options.hidden, 1, largest_size), "size of the recurrent network");
  add("recurrent", choice(recurrent, {nn::recurrent_names.begin(), nn::recurrent_names.end()}), "from frame to frame");
  add("conv-lstm", number(model_options.conv_lstm, 0, 10000), "channels of a ConvLSTM over the frames' cells; 0: none");
  add("batch", number(task_options.batch, 1, largest_size), "films of a batch");
  add("epoch-batches", number(task_options.epoch_batches, 1, largest_size), "batches of an epoch; no film comes twice");
  add("short-epochs", number(task_options.short_epochs, 0, largest_epochs), "epochs at the beginning that show only");
  add("short-frames", number(task_options.short_frames, 1, 10000), "the first frames of each film, which costs less");
  add_trainer_options(options, s);
  if (!read_options::read(words, options, std::cout, "moving_digits train --help")) return 0;
  apply(s);
  if (source.films.size % 4 != 0) throw UsageError(fmt::format("--size {} must be a multiple of 4", source.films.size));
  if (task_options.short_epochs > s.trainer.epochs)
    throw UsageError(fmt::format("--short-epochs {} are more than --epochs {}", task_options.short_epochs, s.trainer.epochs));
  if (task_options.short_epochs == 0)
    read_options::refuse_idle("short-frames", task_options.short_frames, DigitTrackingTaskOptions().short_frames,
                              "--short-epochs 1 and more", "--short-epochs 0");
  if (task_options.short_epochs > 0 && task_options.short_frames > source.films.frames)
    throw UsageError(
        fmt::format("--short-frames {} are more than --frames {}", task_options.short_frames, source.films.frames));
  const data::LabelledImages digits = digits_of(source, 1, model_options.classes);
  const std::int64_t count = digits.images.size(0);
  const auto kept = std::clamp<std::int64_t>(static_cast<std::int64_t>((1 - held_out) * static_cast<double>(count)), 1, count);
  if (kept == count) throw FormatError(fmt::format("{} has {} digits: too few to hold some out", source.images, count));
  const data::LabelledImages train_digits = part_of(digits, 0, kept), validation_digits = part_of(digits, kept, count);
  check_part(source, "images to learn from", train_digits, digit_classes::Use::learn);
  check_part(source, "images to validate on (--held-out)", validation_digits, digit_classes::Use::measure);
  source.films.seed = s.trainer.seed;
  const data::MovingDigits train_films = films_of(source, train_digits);
  source.films.part = data::Part::validation;
  const data::MovingDigits validation_films = films_of(source, validation_digits);
  model_options.size = source.films.size;
  model_options.recurrent = nn::recurrent_kind(recurrent);
  seq2seq::DigitTracker tracker(model_options, nn::Scope{.owner = nullptr, .name = {}, .seed = s.trainer.seed});
  if (!start.empty()) first_run::start_from(start, tracker, s.trainer);
  DigitTrackingTask task(tracker, train_films, validation_films, task_options,
                         run_notes::for_run(notes_of(digits, source.films), s.trainer));
  fmt::print(stderr, "{} digits, {} more to validate on, {} parameters, {}\n", kept, count - kept, tracker.num_parameters(),
             format_count(s.threads, "thread"));
  const TrainingResult result = weft::train(task, s.trainer, std::cerr);
  fmt::print(
      "{}, {}, {}, {}\n", format_count(result.updates, "update"),
      result.best ? fmt::format("both digits named in {:.1f} % of the validation films", *result.best) : "not validated yet",
      speed_of(result, "frames"), format_duration(result.seconds));
  return exit_code(result);
}

struct Watching {
  FilmSource source;
  std::string folder;
  std::int64_t films = 2000;
  int threads = num_threads();
};

void add_watching_options(po::options_description& options, Watching& w, std::int64_t most_films) {
  add_film_options(options, w.source);
  auto add = options.add_options();
  add("model", option(w.folder), "folder of a training run");
  add("films", number(w.films, 1, most_films), "films to make of the digits");
  add("seed", number(w.source.films.seed, 0), "of what the films show");
  add("threads", number(w.threads, 1, most_threads), "threads");
}

data::LabelledImages digits_for(const Watching& w, const seq2seq::DigitTracker& tracker) {
  data::LabelledImages digits = digits_of(w.source, 2, tracker.options().classes);
  check_part(w.source, "images", digits, digit_classes::Use::measure);
  return digits;
}

data::MovingDigits films_for(Watching& w, const seq2seq::DigitTracker& tracker, const data::LabelledImages& digits) {
  w.source.films.size = tracker.options().size;
  w.source.films.part = data::Part::test;
  return films_of(w.source, digits);
}

int command_evaluate(const std::vector<std::string>& words) {
  Watching w;
  w.source.films = films_of_run(words);
  po::options_description options("moving_digits evaluate");
  add_watching_options(options, w, largest_size);
  if (!read_options::read(words, options, std::cout, "moving_digits evaluate --help")) return 0;
  set_num_threads(w.threads);
  const auto tracker = seq2seq::DigitTracker::load(required(w.folder, "model"));
  const data::LabelledImages digits = digits_for(w, *tracker);
  warn_of_learned("moving_digits", w.folder, w.source.images, digits);
  const TrackingScore score = score_tracks(*tracker, films_for(w, *tracker, digits), w.films);
  const auto percent = [](std::int64_t part, std::int64_t all) {
    return 100 * static_cast<double>(part) / static_cast<double>(all);
  };
  fmt::print("both digits named in {:.1f} % of {} films, {:.1f} % of the digits\n", percent(score.both_named, score.films),
             score.films, percent(score.named, 2 * score.films));
  if (score.passing == 0) {
    fmt::print("position in the last frame: {:.2f} pixels off; in no film one passes behind the other\n", score.distance);
    return 0;
  }
  fmt::print("position in the last frame: {:.2f} pixels off, {:.2f} in the {} films in which one passes behind the other\n",
             score.distance, score.passing_distance, score.passing);
  fmt::print("the front one told from the back one in {:.1f} % of these\n", percent(score.front_right, score.passing));
  return 0;
}

/// A film with what the tracker looked at, the digit that it takes for the front one first.
void add_film(report::Report& page, const data::DigitFilm& film, const seq2seq::Tracks& tracks) {
  const DigitAnswer answer = digit_answer(tracks, 0, film);
  const std::int64_t last = film.centres.size(0) - 1;
  std::vector<std::string> outputs;
  std::vector<Var> weights;
  for (std::size_t digit = 0; digit < 2; ++digit) {
    const auto d = static_cast<std::int64_t>(digit);
    outputs.push_back(fmt::format("{} digit, a {}: named {}, at row {:.1f}, column {:.1f} in the end ({:.1f}, {:.1f} there)",
                                  digit == 0 ? "front" : "back", film.names[digit], answer.names[digit],
                                  answer.centres[digit][0], answer.centres[digit][1], film.centres.at({last, d, 0}),
                                  film.centres.at({last, d, 1})));
    weights.emplace_back(tracks.cell_weights.value().select(0, 0).select(0, static_cast<std::int64_t>(answer.tracks[digit])));
  }
  page.over_frames({.title = fmt::format("{} in front of {}", film.names[0], film.names[1]),
                    .outputs = outputs,
                    .frames = film.frames,
                    .weights = stack(weights, 0).value()});
}

int command_report(const std::vector<std::string>& words) {
  Watching w;
  w.source.films = films_of_run(words);
  w.films = 6;
  std::string output;
  po::options_description options("moving_digits report");
  add_watching_options(options, w, 1000);
  options.add_options()("output", option(output), "the page; none: report.html in the model's folder");
  if (!read_options::read(words, options, std::cout, "moving_digits report --help")) return 0;
  const std::string page_path = output_file::page_of(output, w.folder);
  set_num_threads(w.threads);
  const auto tracker = seq2seq::DigitTracker::load(required(w.folder, "model"));
  const data::MovingDigits films = films_for(w, *tracker, digits_for(w, *tracker));
  report::Report page("Moving digits");
  page.text(fmt::format("{} parameters.", format_count(tracker->num_parameters())));
  report_training(page, read_training_log(std::filesystem::path(w.folder) / "train.log"));
  page.section("Where the model looks for each digit");
  const NoGrad nothing_recorded;
  for (std::int64_t number = 0; number < w.films; ++number) {  // one at a time, however many and long they are
    const FilmBatch batch = film_batch(films, static_cast<std::uint64_t>(number), 1);
    add_film(page, batch.films.front(), (*tracker)(batch.frames));
  }
  page.write(page_path);
  fmt::print("{}\n", page_path);
  return 0;
}

commands::Program moving_digits() {
  std::map<std::string, const char*> options = {
      {"digit_tracker.size", "--size"},
      {"digit_tracker.channels", "--channels"},
      {"digit_tracker.hidden", "--hidden"},
      {"digit_tracker.recurrent", "--recurrent"},
      {"digit_tracker.conv_lstm", "--conv-lstm"},
      {"training_films", "--images, --labels, --held-out, --frames, --size, --least-speed, --most-speed, --seed"},
      {"validation_films", "--validation-films, --images, --labels, --held-out, --frames"},
      {digits_note, "--images"},
      {"films.frames", "--frames"},
      {"films.least_speed", "--least-speed"},
      {"films.most_speed", "--most-speed"},
      {"training.start", "--start"},
      {"batch", "--batch"},
      {"epoch_batches", "--epoch-batches"},
      {"short_epochs", "--short-epochs, --short-frames"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return {"moving_digits",
          usage,
          {{"train", command_train}, {"evaluate", command_evaluate}, {"report", command_report}},
          std::move(options)};
}

}  // namespace

int main(int argc, char** argv) { return commands::main_of(moving_digits(), argc, argv); }
