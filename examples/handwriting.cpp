// Learns to read handwritten words from the images of their letters, and shows where it looks: handwriting --help.
#include <algorithm>
#include <charconv>
#include <set>

#include "commands.hpp"
#include "left_out.hpp"
#include "of_data.hpp"
#include "output_file.hpp"
#include "run_notes.hpp"
#include "trainer_settings.hpp"
#include "weft/data/glyphs.hpp"
#include "weft/data/held_out.hpp"
#include "weft/data/letter_images.hpp"
#include "weft/data/png.hpp"
#include "weft/report/report.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"
#include "weft/train/word_reading_task.hpp"

using namespace weft;
using namespace trainer_settings;

namespace {

constexpr const char* usage = R"(handwriting COMMAND [options]

  train      learn from a file of words, a line each: fold, text, then the letters' pixels (plain or gzip)
  evaluate   letter error on other words
  read       the words of PNG pictures, letter by letter
  report     an HTML page of a training run, with what it reads in some words and its attention over their letters

handwriting COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

/// "0", "1-9", "1,3,5-7".
std::set<std::int64_t> folds_of(const std::string& text, const char* name) {
  const auto wrong = [&] {
    return UsageError(fmt::format(
        "--{} must be numbers or rising ranges from 0 to 999 with commas between them, as 1-9 or 0,3; not '{}'", name, text));
  };
  std::set<std::int64_t> folds;
  const char *at = text.data(), *const end = at + text.size();
  const auto number_at = [&] {
    std::int64_t fold = 0;
    const auto [read, error] = std::from_chars(at, end, fold);
    if (error != std::errc() || fold < 0 || fold > 999) throw wrong();
    at = read;
    return fold;
  };
  while (true) {
    const std::int64_t first = number_at();
    std::int64_t last = first;
    if (at != end && *at == '-') {
      ++at;
      last = number_at();
    }
    if (last < first) throw wrong();
    for (std::int64_t fold = first; fold <= last; ++fold) folds.insert(fold);
    if (at == end) return folds;
    if (*at++ != ',') throw wrong();
  }
}

struct WordSource {
  std::string path, folds;
  bool quick = false;

  std::string name() const { return quick ? "--quick" : path; }
};

/// The words of some folds; what was skipped is said.
std::vector<data::LetterWord> words_of(const WordSource& source, const char* name) {
  const std::set<std::int64_t> folds = folds_of(source.folds, name);
  std::vector<data::LetterWord> words;
  if (source.quick) {
    refuse_data(source.path, "data");
    words = data::made_letter_words(1000, 1);
  } else {
    data::LetterImages file = data::read_letter_images(required(source.path, "data"));
    for (const std::string& reason : file.first_skipped) fmt::print(stderr, "handwriting: left out: {}\n", reason);
    if (file.skipped > 0)
      fmt::print(stderr, "handwriting: {} of {} lines are no words and are left out\n", file.skipped, file.lines);
    words = std::move(file.words);
  }
  std::erase_if(words, [&](const data::LetterWord& word) { return !folds.contains(word.fold); });
  if (words.empty())
    throw FormatError(
        fmt::format("{} no words of folds {} (--{})", source.quick ? "there are" : source.path + " has", source.folds, name));
  return words;
}

/// The folds that some words are of.
std::set<std::int64_t> folds_among(const std::vector<data::LetterWord>& words) {
  std::set<std::int64_t> folds;
  for (const data::LetterWord& word : words) folds.insert(word.fold);
  return folds;
}

constexpr const char* learned_folds = "learned_folds";  // a run's note: numbers with commas between them

/// Says which of the folds the run in `folder` learned from, as far as it notes that.
void warn_of_learned(const std::string& folder, const std::vector<data::LetterWord>& words) {
  const std::string learned = fmt::format(",{},", run_notes::text(run_notes::of_run(folder), learned_folds));
  std::set<std::int64_t> folds = folds_among(words);
  std::erase_if(folds, [&](std::int64_t fold) { return learned.find(fmt::format(",{},", fold)) == std::string::npos; });
  if (!folds.empty())
    fmt::print(
        stderr,
        "handwriting: folds {} were learned from (--folds), so this is no held-out score unless --data is another file\n",
        fmt::join(folds, ", "));
}

text::Symbols letters_of(const std::vector<data::LetterWord>& words) {
  std::string all;
  for (const data::LetterWord& word : words) all += word.text;
  return text::Symbols::of(all, text::SymbolUnit::characters);
}

int command_train(const std::vector<std::string>& words) {
  TrainerSettings s;
  s.trainer.epochs = 40;
  s.trainer.lr = 2e-3;
  s.trainer.cooldown = 0.6;
  WordSource source{.path = {}, .folds = "1-9", .quick = read_options::is_quick(words)};
  std::string attention = "additive", normaliser = "softmax", recurrent = "lstm";
  double held_out = 0.05;
  seq2seq::WordReaderOptions model_options;
  WordReadingTaskOptions task_options;
  if (source.quick) {  // other defaults, which options change as ever
    model_options.channels = 8;
    model_options.embedding = 32;
    model_options.hidden = 64;
    task_options.batching.max_tokens = 256;
    s.trainer.epochs = 16;
    s.trainer.lr = 5e-3;
  }
  po::options_description options("handwriting train");
  auto add = options.add_options();
  add("data", option(source.path), "file of words");
  add("train-folds", option(source.folds), "parts of the data to learn from");
  add("held-out", number(held_out, 0.001, 0.5), "share of them to validate on");
  add("channels", number(model_options.channels, 1, largest_size), "of the first convolution; the second has twice as many");
  add("embedding", number(model_options.embedding, 1, largest_size), "size of a letter");
  add("hidden", number(model_options.hidden, 2, largest_size),
      "size of the decoder's state, even; each direction of the encoder has half");
  add("attention", choice(attention, {seq2seq::attention_names.begin(), seq2seq::attention_names.end()}), "kind of attention");
  add("normaliser", choice(normaliser, {nn::normaliser_names.begin(), nn::normaliser_names.end()}),
      "of the attention's weights");
  add("window", number(model_options.window, 1, largest_size), "letters on each side that local attention sees");
  add("attention-heads", number(model_options.heads, 1, largest_size), "of multi_head; --hidden is a multiple of them");
  add("recurrent", choice(recurrent, {nn::recurrent_names.begin(), nn::recurrent_names.end()}), "of encoder and decoder");
  add("dropout", number(model_options.dropout, 0, 0.99), "probability");
  add("label-smoothing", number(task_options.label_smoothing, 0, 0.99), "share of the target that goes to all letters");
  add("shift", number(task_options.shift, 0, 3), "most pixels that an image is moved in training");
  add("batch-tokens", number(task_options.batching.max_tokens, 200, largest_size), "images and letters of a batch");
  add("quick", po::bool_switch(&source.quick), "a small model on words drawn by code, in seconds");
  add_trainer_options(options, s);
  if (!read_options::read(words, options, std::cout, "handwriting train --help")) return 0;
  apply(s);
  if (model_options.hidden % 2 != 0)
    throw UsageError(fmt::format("--hidden {} must be even: each direction of the encoder has half", model_options.hidden));
  if (attention == "multi_head" && model_options.hidden % model_options.heads != 0)
    throw UsageError(
        fmt::format("--hidden {} must be a multiple of --attention-heads {}", model_options.hidden, model_options.heads));
  if (attention == "none" && normaliser != "softmax")
    throw UsageError(fmt::format("--normaliser {} is of attention; --attention none has none", normaliser));
  read_options::refuse_idle_attention(attention, model_options);
  const std::vector<data::LetterWord> all = words_of(source, "train-folds");
  std::vector<data::LetterWord> train, validation;
  for (std::size_t i = 0; i < all.size(); ++i)
    (data::is_held_out(static_cast<std::int64_t>(i), held_out) ? validation : train).push_back(all[i]);
  if (validation.empty())
    throw FormatError(fmt::format("{} has {} words of folds {} (--train-folds): too few to hold --held-out {} of them out",
                                  source.name(), all.size(), source.folds, held_out));
  model_options.attention = seq2seq::attention_kind(attention);
  model_options.normaliser = nn::normaliser_of(normaliser);
  model_options.recurrent = nn::recurrent_kind(recurrent);
  task_options.batching.seed = s.trainer.seed;
  seq2seq::WordReader reader(model_options, letters_of(all), nn::Scope{.owner = nullptr, .name = {}, .seed = s.trainer.seed});
  const Metadata notes = run_notes::for_run({{learned_folds, fmt::to_string(fmt::join(folds_among(all), ","))}}, s.trainer);
  auto task = of_data(source.name(), [&] { return WordReadingTask(reader, train, validation, task_options, notes); });
  if (task.left_out() > 0)
    fmt::print(stderr, "handwriting: {} words of more than {} letters are not learned from\n", task.left_out(),
               task_options.batching.max_length);
  fmt::print(stderr, "{} words, {} more to validate on, {} letters, {} parameters, {}\n",
             static_cast<std::int64_t>(train.size()) - task.left_out(), validation.size(), reader.letters().size() - 1,
             reader.num_parameters(), format_count(s.threads, "thread"));
  const TrainingResult result = weft::train(task, s.trainer, std::cerr);
  fmt::print("{}, least letter error {}, {}, {}\n", steps_of(result),
             result.best ? fmt::format("{:.2f} %", 100 - *result.best) : "not validated yet", speed_of(result, "words"),
             format_duration(result.seconds));
  return exit_code(result);
}

struct Reading {
  WordSource source{.path = {}, .folds = "0"};
  std::string folder;
  seq2seq::BeamSearchOptions search;
  int threads = num_threads();
};

void add_reading_options(po::options_description& options, Reading& r) {
  auto add = options.add_options();
  add("model", option(r.folder), "folder of a training run");
  add("beam", number(r.search.beam, 1, most_hypotheses), "hypotheses of the search; 1: the likeliest letter each time");
  add("threads", number(r.threads, 1, most_threads), "threads");
}

void add_source_options(po::options_description& options, WordSource& source) {
  auto add = options.add_options();
  add("data", option(source.path), "file of words");
  add("folds", option(source.folds), "parts of the data");
  add("quick", po::bool_switch(&source.quick), "words drawn by code");
}

int command_evaluate(const std::vector<std::string>& words) {
  Reading r;
  std::int64_t show = 0;
  po::options_description options("handwriting evaluate");
  add_reading_options(options, r);
  add_source_options(options, r.source);
  options.add_options()("show", number(show, 0, largest_size), "print so many words that were read wrongly");
  if (!read_options::read(words, options, std::cout, "handwriting evaluate --help")) return 0;
  set_num_threads(r.threads);
  const auto reader = seq2seq::WordReader::load(required(r.folder, "model"));
  const std::vector<data::LetterWord> tested = words_of(r.source, "folds");
  warn_of_learned(r.folder, tested);
  const WordScore score = score_words(*reader, tested, r.search);
  for (std::size_t i = 0; i < tested.size() && show > 0; ++i)
    if (score.read[i] != tested[i].text) {
      fmt::print("{} was read as {}\n", tested[i].text, score.read[i]);
      --show;
    }
  const metrics::EditCounts& edits = score.letters.edits;
  fmt::print("letter error {:.2f} % ({} substitutions, {} deletions, {} insertions in {} letters), {} of {} words right\n",
             score.letters.score, edits.substitutions, edits.deletions, edits.insertions, edits.reference_length(), score.right,
             score.words);
  return 0;
}

int command_read(const std::vector<std::string>& words) {
  Reading r;
  std::vector<std::string> pictures;
  po::options_description options("handwriting read");
  add_reading_options(options, r);
  options.add_options()(
      "pictures", po::value(&pictures)->multitoken(),
      "PNG files, of a word each: its letters side by side, dark on light, each 16 pixels high and 8 wide or a "
      "whole multiple of both");
  if (!read_options::read(words, options, std::cout, "handwriting read --help")) return 0;
  set_num_threads(r.threads);
  const auto reader = seq2seq::WordReader::load(required(r.folder, "model"));
  if (pictures.empty()) throw UsageError("--pictures is needed");
  std::vector<std::string> read, left_out;
  std::vector<Tensor> images;
  for (const std::string& path : pictures) {
    try {
      images.push_back(data::letters_of_picture(data::read_png(path)));
      read.push_back(path);
    } catch (const ShapeError& error) {
      left_out.push_back(path + ": " + error.what());
    } catch (const Error& error) {
      left_out.emplace_back(error.what());
    }
  }
  for (std::size_t i = 0; const seq2seq::WordReading& reading : reader->transcribe(images, r.search))
    fmt::print("{}: {}\n", read[i++], reading.text);
  say_left_out("handwriting", left_out, pictures.size());
  return left_out.empty() ? 0 : 1;
}

int command_report(const std::vector<std::string>& words) {
  Reading r;
  std::string output;
  std::int64_t shown = 12;
  po::options_description options("handwriting report");
  add_reading_options(options, r);
  add_source_options(options, r.source);
  auto add = options.add_options();
  add("words", number(shown, 0, 1000), "so many words, from all over the data");
  add("output", option(output), "the page; none: report.html in the model's folder");
  if (!read_options::read(words, options, std::cout, "handwriting report --help")) return 0;
  const std::string page_path = output_file::page_of(output, r.folder);
  set_num_threads(r.threads);
  const auto reader = seq2seq::WordReader::load(required(r.folder, "model"));
  const std::vector<data::LetterWord> all = words_of(r.source, "folds");
  report::Report page("Handwritten words");
  page.text(fmt::format("{} parameters, {} letters.", format_count(reader->num_parameters()), reader->letters().size() - 1));
  report_training(page, read_training_log(std::filesystem::path(r.folder) / "train.log"));
  page.section(reader->attends() ? "What the model looks at" : "What the model reads");
  r.search.attention = reader->attends();
  std::vector<std::vector<std::string>> read;  // without attention
  const auto count = std::min(static_cast<std::size_t>(shown), all.size());
  for (std::size_t i = 0; i < count; ++i) {
    const data::LetterWord& word = all[i * all.size() / count];
    const seq2seq::WordReading reading = reader->transcribe({&word.images, 1}, r.search).front();
    if (!reader->attends()) {
      read.push_back({word.text, reading.text});
      continue;
    }
    std::vector<std::string> outputs;
    for (const std::int32_t id : reading.ids) outputs.push_back(reader->decode_text({&id, 1}));
    if (static_cast<std::int64_t>(outputs.size()) < reading.attention.size(0)) outputs.emplace_back("end");
    page.over_frames({.title = fmt::format("{}, read as {}", word.text, reading.text),
                      .outputs = outputs,
                      .frames = word.images,
                      .weights = reading.attention});
  }
  if (!read.empty()) page.table({"word", "read as"}, read);
  page.write(page_path);
  fmt::print("{}\n", page_path);
  return 0;
}

commands::Program handwriting() {
  std::map<std::string, const char*> options = {{"word_reader.channels", "--channels"},
                                                {"word_reader.embedding", "--embedding"},
                                                {"word_reader.hidden", "--hidden"},
                                                {"word_reader.attention", "--attention"},
                                                {"word_reader.normaliser", "--normaliser"},
                                                {"word_reader.window", "--window"},
                                                {"word_reader.heads", "--attention-heads"},
                                                {"word_reader.recurrent", "--recurrent"},
                                                {"word_reader.dropout", "--dropout"},
                                                {"symbols.symbols", "--data, --train-folds"},
                                                {learned_folds, "--train-folds"},
                                                {"training_words", "--data, --train-folds, --held-out"},
                                                {"validation_words", "--data, --train-folds, --held-out"},
                                                {"shift", "--shift"},
                                                {"label_smoothing", "--label-smoothing"},
                                                {"batching.max_tokens", "--batch-tokens"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return {"handwriting",
          usage,
          {{"train", command_train}, {"evaluate", command_evaluate}, {"read", command_read}, {"report", command_report}},
          std::move(options)};
}

}  // namespace

int main(int argc, char** argv) { return commands::main_of(handwriting(), argc, argv); }
