// Learns to write like a text, scores another one, and writes: language_model --help.
#include "weft/seq2seq/language_model.hpp"

#include <boost/crc.hpp>
#include <charconv>
#include <cmath>

#include "commands.hpp"
#include "input.hpp"
#include "language_model_pictures.hpp"
#include "of_data.hpp"
#include "output_file.hpp"
#include "run_notes.hpp"
#include "trainer_settings.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/data/lines.hpp"
#include "weft/seq2seq/model_options.hpp"
#include "weft/train/language_model_task.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"

using namespace weft;
using namespace trainer_settings;

namespace {

constexpr const char* usage = R"(language_model COMMAND [options]

  train      learn from a text file (plain or gzip)
  evaluate   loss and perplexity of another text
  sample     go on from a prompt
  report     an HTML page of a training run, with what surprised the model in the lines of standard input

language_model COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

std::string read_text(const std::string& path) {
  data::LineReader reader(path);
  std::string text, line;
  bool blank = true;
  while (reader.next(line)) {
    text += line + '\n';
    blank = blank && data::is_blank(line);
  }
  if (blank) throw FormatError(fmt::format("{} has no text", path));
  return text;
}

struct Texts {
  std::string train, validation;
};

// Its last part is held out, from the beginning of a line on.
Texts parts_of(const std::string& all, double held_out) {
  const auto wanted = static_cast<std::size_t>((1 - held_out) * static_cast<double>(all.size()));
  const std::size_t line = all.find('\n', wanted);
  const std::size_t cut = line == std::string::npos ? all.size() : line + 1;
  return {all.substr(0, cut), all.substr(cut)};
}

Texts read_texts(const std::string& text, const std::string& validation, double held_out) {
  if (!validation.empty()) return {read_text(text), read_text(validation)};
  return parts_of(read_text(text), held_out);
}

// Sums, written out: short, and with something to learn.
std::string made_text() {
  std::string text;
  Generator generator(1);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t a = generator.below(10), b = generator.below(10);
    text += fmt::format("{} + {} = {}\n", a, b, a + b);
  }
  return text;
}

constexpr double usual_held_out = 0.1;
constexpr const char* text_note = "training_text";  // of a run: "1000 bytes, crc32 1a2b3c4d"

/// Notes beside the weights what they learned from, which is one of the task's settings already.
class NotingTask : public LanguageModelTask {
 public:
  using LanguageModelTask::LanguageModelTask;
  Metadata metadata() const override {
    Metadata notes = LanguageModelTask::metadata();
    notes[text_note] = settings().at(text_note);
    return notes;
  }
};

/// Says how much the run in `folder` has learned from of the text that is scored, the part of `all` from `begin` on: it learned
/// from the beginning of `all`, or from all of it.
void warn_of_learned(const std::string& folder, const std::string& all, std::size_t begin) {
  const std::string learned = run_notes::text(run_notes::of_run(folder), text_note);
  std::size_t size = 0;
  std::from_chars(learned.data(), learned.data() + learned.size(), size);
  if (size <= begin || size > all.size()) return;
  boost::crc_32_type crc;
  crc.process_bytes(all.data(), size);
  if (learned == fmt::format("{} bytes, crc32 {:08x}", size, crc.checksum()))
    fmt::print(stderr, "language_model: {} of the {} bytes were learned from, so this is no held-out score\n", size - begin,
               all.size() - begin);
}

std::string plural(text::SymbolUnit unit) { return unit == text::SymbolUnit::words ? "words" : "characters"; }

std::string describe(double loss, text::SymbolUnit unit) {
  return fmt::format(
      "loss {:.4f}, perplexity {:.2f}{}", loss, std::exp(loss),
      unit == text::SymbolUnit::characters ? fmt::format(", {:.3f} bits per character", loss / std::log(2)) : "");
}

int command_train(const std::vector<std::string>& words) {
  TrainerSettings s;
  s.trainer.epochs = 10;
  s.trainer.lr = 2e-3;
  std::string text_path, validation_path, unit = "characters", kind = "lstm", mixing = "attention", normaliser = "softmax";
  std::int64_t most_symbols = 0;
  double held_out = usual_held_out;
  bool untied = false, quick = read_options::is_quick(words);
  seq2seq::LanguageModelOptions model_options;
  if (quick) {  // other defaults, which options change as ever
    model_options.width = 64;
    model_options.layers = 1;
    s.trainer.epochs = 8;
    s.trainer.lr = 1e-2;
  }
  LanguageModelTaskOptions task_options;
  po::options_description options("language_model train");
  auto add = options.add_options();
  add("text", option(text_path), "text to learn from");
  add("valid", option(validation_path), "held-out text; otherwise the last part of --text");
  add("held-out", number(held_out, 0.001, 0.9), "how much of it");
  add("unit", choice(unit, {"characters", "words"}), "what a token is");
  add("symbols", number(most_symbols, 0, largest_size), "most different ones, the unknown one included; 0: all");
  add("model", choice(kind, {seq2seq::language_model_names.begin(), seq2seq::language_model_names.end()}), "kind of network");
  add("width", number(model_options.width, 2, largest_size), "size of embeddings and layers");
  add("layers", number(model_options.layers, 1, 1000), "layers");
  add("heads", number(model_options.heads, 1, largest_size), "heads of a Transformer's attention");
  add("mixing", choice(mixing, {nn::mixing_names.begin(), nn::mixing_names.end()}),
      "what the places of a Transformer see each other by");
  add("kernel-size", number(model_options.kernel_size, 1, largest_size), "places that light and dynamic convolutions see");
  add("reach", number(model_options.reach, 1, largest_size),
      "places of a block (block_local), from one to the next (strided) or behind (window)");
  add("normaliser", choice(normaliser, {nn::normaliser_names.begin(), nn::normaliser_names.end()}), "of attention's weights");
  add("feed-forward", number(model_options.feed_forward, 1, largest_size), "size inside of a Transformer's feed-forward parts");
  add("dropout", number(model_options.dropout, 0, 0.99), "probability");
  add("untied", po::bool_switch(&untied), "an output layer of its own instead of the embedding");
  add("rows", number(task_options.rows, 1, largest_size), "parts of the text that are read next to each other");
  add("window", number(task_options.window, 1, largest_size), "tokens of each in one step");
  add("quick", po::bool_switch(&quick), "a small model on generated text, in seconds");
  add_trainer_options(options, s);
  if (!read_options::read(words, options, std::cout, "language_model train --help")) return 0;
  apply(s);
  if (most_symbols == 1) throw UsageError("--symbols 1 leaves no symbol but the unknown one");
  if (kind == "transformer" && (model_options.width % 2 != 0 || model_options.width % model_options.heads != 0))
    throw UsageError(
        fmt::format("--width {} must be even and a multiple of --heads {}", model_options.width, model_options.heads));
  if (kind != "transformer" && (mixing != "attention" || normaliser != "softmax"))
    throw UsageError(fmt::format("--mixing and --normaliser are of --model transformer; {} has neither", kind));
  if (mixing != "attention" && normaliser != "softmax")
    throw UsageError(
        fmt::format("--normaliser {} is of --mixing attention; {} has no weights to normalise", normaliser, mixing));
  const seq2seq::LanguageModelOptions untouched;
  if (kind != "transformer") {
    read_options::refuse_idle("heads", model_options.heads, untouched.heads, "--model transformer", kind);
    read_options::refuse_idle("feed-forward", model_options.feed_forward, untouched.feed_forward, "--model transformer", kind);
    read_options::refuse_idle("kernel-size", model_options.kernel_size, untouched.kernel_size, "--model transformer", kind);
    read_options::refuse_idle("reach", model_options.reach, untouched.reach, "--model transformer", kind);
  }
  read_options::refuse_idle_mixing(mixing, model_options);
  if (!validation_path.empty()) read_options::refuse_idle("held-out", held_out, usual_held_out, "--text alone", "--valid");
  if (quick) {
    refuse_data(text_path, "text");
    refuse_data(validation_path, "valid");
  }
  const Texts texts =
      quick ? parts_of(made_text(), held_out) : read_texts(required(text_path, "text"), validation_path, held_out);
  const text::Symbols symbols =
      text::Symbols::of(texts.train, unit == "words" ? text::SymbolUnit::words : text::SymbolUnit::characters, most_symbols);
  model_options.kind = seq2seq::language_model_kind(kind);
  model_options.mixing = seq2seq::parse_mixing(mixing);
  model_options.normaliser = nn::normaliser_of(normaliser);
  model_options.vocabulary = symbols.size();
  model_options.tie_output = !untied;
  seq2seq::LanguageModel model(model_options, nn::Scope{.owner = nullptr, .name = {}, .seed = s.trainer.seed});
  const std::string source = quick ? "generated text"
                             : validation_path.empty()
                                 ? text_path
                                 : fmt::format("{} (training), {} (held-out)", text_path, validation_path);
  NotingTask task = of_data(source, [&] { return NotingTask(model, symbols, texts.train, texts.validation, task_options); });
  fmt::print(stderr, "{} bytes, {} different {}, {} parameters, {}\n", texts.train.size(), symbols.size() - 1, unit,
             model.num_parameters(), format_count(s.threads, "thread"));
  const TrainingResult result = train(task, s.trainer, std::cerr);
  fmt::print("{}, best validation {}, {}, {}\n", steps_of(result),
             result.best ? describe(-*result.best, symbols.unit()) : "not validated yet", speed_of(result, "tokens"),
             format_duration(result.seconds));
  return exit_code(result);
}

int command_evaluate(const std::vector<std::string>& words) {
  std::string folder, text_path;
  bool quick = false;
  std::int64_t rows = 8, window = 64;
  int threads = num_threads();
  po::options_description options("language_model evaluate");
  auto add = options.add_options();
  add("model", option(folder), "folder of a training run");
  add("text", option(text_path), "text to score: all but its first token and what --rows doesn't divide");
  add("quick", po::bool_switch(&quick), "score the last tenth of the generated text");
  add("rows", number(rows, 1, largest_size), "parts of the text that are read next to each other");
  add("window", number(window, 1, largest_size), "tokens at a time; a Transformer begins anew at each window");
  add("threads", number(threads, 1, most_threads), "threads");
  if (!read_options::read(words, options, std::cout, "language_model evaluate --help")) return 0;
  set_num_threads(threads);
  const auto trained = seq2seq::TrainedLanguageModel::load(required(folder, "model"));
  if (quick) refuse_data(text_path, "text");
  const std::string all = quick ? made_text() : read_text(required(text_path, "text"));
  const std::string text = quick ? parts_of(all, usual_held_out).validation : all;
  const std::vector<std::int32_t> ids = trained.symbols.encode(text);
  if (static_cast<std::int64_t>(ids.size()) <= rows)
    throw FormatError(fmt::format("{} has {} tokens, too few for --rows {}", quick ? "the text" : text_path, ids.size(), rows));
  warn_of_learned(folder, all, all.size() - text.size());
  const auto unknown = std::count(ids.begin(), ids.end(), 0);
  const seq2seq::TextWindows scored(ids, rows, window);
  const NoGrad nothing_recorded;
  fmt::print("{} tokens, {:.2f} % of them unknown to the model, {} scored: {}\n", ids.size(),
             100 * static_cast<double>(unknown) / static_cast<double>(ids.size()), scored.rows * scored.length,
             describe(seq2seq::language_model_loss(*trained.model, ids, rows, window), trained.symbols.unit()));
  return 0;
}

int command_sample(const std::vector<std::string>& words) {
  std::string folder, prompt = "\n";
  std::uint64_t seed = 1;
  double temperature = 1;
  seq2seq::ContinuationOptions sampling;
  po::options_description options("language_model sample");
  auto add = options.add_options();
  add("model", option(folder), "folder of a training run");
  add("prompt", option(prompt), "text to go on from; a new line where none is given");
  add("length", number(sampling.length, 0, largest_size), "tokens to write");
  add("temperature", number(temperature, 0, 100), "divides the logits; 0: always the likeliest");
  add("top-k", number(sampling.filter.top_k, 0, largest_size), "only the k likeliest; 0: any");
  add("top-p", number(sampling.filter.top_p, 1e-9, 1), "only the fewest that have so much of the probability");
  add("window", number(sampling.window, 1, largest_size), "a Transformer sees so many tokens");
  add("seed", number(seed, 0), "of the draws");
  if (!read_options::read(words, options, std::cout, "language_model sample --help")) return 0;
  if (temperature == 0) {
    const seq2seq::ContinuationOptions untouched;
    read_options::refuse_idle("top-k", sampling.filter.top_k, untouched.filter.top_k, "draws", "--temperature 0");
    read_options::refuse_idle("top-p", sampling.filter.top_p, untouched.filter.top_p, "draws", "--temperature 0");
    sampling.filter.top_k = 1;
  } else {
    sampling.filter.temperature = temperature;
  }
  const auto trained = seq2seq::TrainedLanguageModel::load(required(folder, "model"));
  Generator generator(seed);
  const std::vector<std::int32_t> start = trained.symbols.encode(prompt);
  if (const auto unknown = std::count(start.begin(), start.end(), 0); unknown > 0)
    fmt::print(stderr, "{} of the prompt's {} {} aren't known to the model\n", unknown, start.size(),
               plural(trained.symbols.unit()));
  const std::vector<std::int32_t> written = seq2seq::continuation(*trained.model, start, generator, sampling);
  // The prompt as it was given, unknown symbols too.
  const bool apart = trained.symbols.unit() == text::SymbolUnit::words && !prompt.ends_with('\n');
  fmt::print("{}{}{}\n", prompt, apart ? " " : "", trained.symbols.decode(written));
  return 0;
}

/// The lines of standard input, those that are longer than a model reads cut.
std::vector<std::string> lines_to_read(Input& input, const text::Symbols& symbols, std::int64_t window) {
  std::vector<std::string> lines = input.rest();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string beginning = language_model_pictures::beginning(symbols, lines[i], window);
    if (beginning.size() == lines[i].size()) continue;
    fmt::print(stderr, "language_model: of line {} of standard input the first {} {} are read (--window)\n", i + 1, window,
               plural(symbols.unit()));
    lines[i] = std::move(beginning);
  }
  return lines;
}

int command_report(const std::vector<std::string>& words) {
  std::string folder, output;
  std::int64_t window = 0;
  po::options_description options("language_model report");
  auto add = options.add_options();
  add("model", option(folder), "folder of a training run");
  add("output", option(output), "the page; none: report.html in the model's folder");
  add("window", number(window, 0, largest_size),
      "tokens of a line that are read, from its beginning; 0: 128 of a Transformer, 1000 of others");
  if (!read_options::read(words, options, std::cout, "language_model report --help")) return 0;
  const std::string page_path = output_file::page_of(output, folder);
  const auto trained = seq2seq::TrainedLanguageModel::load(required(folder, "model"));
  report::Report page("Language model");
  page.text(fmt::format("{} parameters, {} different {}.", format_count(trained.model->num_parameters()),
                        format_count(trained.symbols.size() - 1), plural(trained.symbols.unit())));
  report_training(page, read_training_log(std::filesystem::path(folder) / "train.log"));
  Input input("language_model");
  if (window == 0) window = trained.model->options().kind == seq2seq::LanguageModelKind::transformer ? 128 : 1000;
  std::vector<std::string> lines = lines_to_read(input, trained.symbols, window);
  const std::size_t all = lines.size();
  std::erase_if(lines, data::is_blank);
  if (!lines.empty()) language_model_pictures::draw(page, *trained.model, trained.symbols, lines);
  page.write(page_path);
  fmt::print("{}\n", page_path);
  return input.end(all);
}

commands::Program language_model() {
  std::map<std::string, const char*> options = {{"language_model.model", "--model"},
                                                {"language_model.width", "--width"},
                                                {"language_model.layers", "--layers"},
                                                {"language_model.heads", "--heads"},
                                                {"language_model.feed_forward", "--feed-forward"},
                                                {"language_model.mixing", "--mixing"},
                                                {"language_model.kernel_size", "--kernel-size"},
                                                {"language_model.reach", "--reach"},
                                                {"language_model.normaliser", "--normaliser"},
                                                {"language_model.dropout", "--dropout"},
                                                {"language_model.tie_output", "--untied"},
                                                {"language_model.vocabulary", "--symbols, --unit"},
                                                {"symbols.unit", "--unit"},
                                                {"symbols.symbols", "--text, --held-out"},
                                                {"training_text", "--text, --held-out"},
                                                {"validation_text", "--valid, --held-out"},
                                                {"rows", "--rows"},
                                                {"window", "--window"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return {"language_model",
          usage,
          {{"train", command_train}, {"evaluate", command_evaluate}, {"sample", command_sample}, {"report", command_report}},
          std::move(options)};
}

}  // namespace

int main(int argc, char** argv) { return commands::main_of(language_model(), argc, argv); }
