// Trains a translator, translates with it, scores it and draws its attention: translator --help.
#include "weft/seq2seq/translator.hpp"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>
#include <map>

#include "commands.hpp"
#include "input.hpp"
#include "output_file.hpp"
#include "say_batched.hpp"
#include "translator_decoding.hpp"
#include "translator_settings.hpp"
#include "weft/base/error.hpp"
#include "weft/data/grammar.hpp"
#include "weft/data/lines.hpp"
#include "weft/metrics/bleu.hpp"
#include "weft/metrics/bootstrap.hpp"
#include "weft/metrics/chrf.hpp"
#include "weft/metrics/ter.hpp"
#include "weft/nn/average_checkpoints.hpp"
#include "weft/report/report.hpp"
#include "weft/seq2seq/attention_maps.hpp"
#include "weft/train/heat_map.hpp"
#include "weft/train/kept_checkpoints.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"
#include "weft/train/translation_task.hpp"

using namespace weft;
using namespace translator_settings;
using namespace translator_decoding;

namespace {

constexpr const char* usage = R"(translator COMMAND [options]

  train       learn from two aligned text files (plain or gzip)
  translate   standard input to standard output, a line each, in order
  evaluate    BLEU, chrF and TER of translations of a file against a reference
  average     one model out of the weights that a run with --keep has kept
  attention   an SVG picture of the attention for each line of standard input
  report      an HTML page of a training run, with the attention for each line of standard input
  quickstart  all of it on built-in English-French pairs

translator COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

/// False when it was only --help. The description's caption is the call.
bool read_options(const std::vector<std::string>& words, po::options_description& options, const char* call,
                  const read_options::Hint& hint = {}) {
  return read_options::read(words, options, std::cout, fmt::format("{} --help", call), hint);
}

/// The same of a command that trains a model of kind `kind`.
bool read_options(const std::vector<std::string>& words, po::options_description& options, const char* call,
                  const std::string& kind) {
  return read_options(words, options, call, [&kind](const std::string& name) { return hint(kind, name); });
}

std::vector<std::string> read_lines(data::LineReader reader) {
  std::vector<std::string> lines;
  std::string line;
  while (reader.next(line)) lines.push_back(line);
  return lines;
}

/// Whether there is a run to go on with.
bool goes_on(const Settings& s) {
  return s.trainer.resume != Resume::never && std::filesystem::exists(std::filesystem::path(s.output) / "last.safetensors");
}

/// Given models, those of the run that goes on, or new ones trained on the text.
seq2seq::Vocabularies vocabularies_for(const Settings& s, const data::ParallelText& text) {
  const text::SentencePieceOptions options{
      .model_type = s.subword == "bpe" ? text::SubwordModel::bpe : text::SubwordModel::unigram,
      .vocab_size = s.vocabulary,
      .seed = s.trainer.seed};
  const auto vocabulary = [&](const std::string& given, const char* name, std::span<const std::string> lines) {
    if (given.empty() && goes_on(s)) return text::SentencePiece::load(std::filesystem::path(s.output) / name);
    if (given.empty()) return text::SentencePiece::train(lines, options);
    auto model = text::SentencePiece::load(given);
    model.vocabulary().require_special_pieces(given);
    return model;
  };
  if (s.joint && !goes_on(s)) {
    std::vector<std::string> both = text.source;
    both.insert(both.end(), text.target.begin(), text.target.end());
    const auto shared = vocabulary(s.source_model, "source.model", both);
    return {shared, shared};
  }
  return {vocabulary(s.source_model, "source.model", text.source),
          vocabulary(s.joint ? s.source_model : s.target_model, "target.model", text.target)};
}

TrainingResult train_on(Settings& s, const data::ParallelText& text, const data::ParallelText& validation) {
  const seq2seq::Vocabularies vocabularies = vocabularies_for(s, text);
  seq2seq::Translator translator(s.model(vocabularies.source.size(), vocabularies.target.size()), vocabularies, s.trainer.seed);
  TranslationTask task(translator, text, validation, s.task);
  fmt::print(stderr, "{} pairs, vocabularies of {} and {}, {} parameters, {}\n", format_count(task.batcher().kept()),
             vocabularies.source.size(), vocabularies.target.size(), format_count(translator.model().num_parameters()),
             format_count(num_threads(), "thread"));
  say_batched("translator", task.batcher(), "--max-length");
  // Not over those of a run that goes on: what is in the folder stays whole.
  TrainerOptions trainer = s.trainer;
  if (!goes_on(s)) trainer.begin = [&] { seq2seq::save_vocabularies(vocabularies, s.output); };
  trainer.settings = {{"vocabulary", fmt::to_string(s.vocabulary)}, {"subword", s.subword}};
  return train(task, trainer, std::cerr);
}

data::ParallelText read_pairs(const std::string& source, const std::string& target) {
  const data::ParallelFiles files = data::read_parallel_text(source, target);
  if (files.dropped() > 0) fmt::print(stderr, "{} and {}: {} blank pairs left out\n", source, target, files.dropped());
  return files.text;
}

int command_train(const std::vector<std::string>& words) {
  Settings s = settings_for(model_kind(words));
  po::options_description options("translator train");
  options.add_options()("source", option(s.source), "text to translate from")("target", option(s.target), "and to")(
      "valid-source", option(s.valid_source), "held-out text")("valid-target", option(s.valid_target), "and its translation")(
      "lowercase-bleu", po::bool_switch(&s.task.bleu.lowercase), "ignore case in validation")(
      "tokenized", po::value<bool>()->implicit_value(true)->zero_tokens()->notifier([&s](bool on) {
        if (on) s.task.bleu.tokenize = metrics::Tokenization::none;
      }),
      "the text is tokenised: BLEU takes its words as they are");
  add_training_options(options, s);
  if (!read_options(words, options, "translator train", s.kind)) return 0;
  apply(s);
  const auto text = read_pairs(required(s.source, "source"), required(s.target, "target"));
  const auto validation = read_pairs(required(s.valid_source, "valid-source"), required(s.valid_target, "valid-target"));
  const TrainingResult result = train_on(s, text, validation);
  const std::string best = fmt::format("best BLEU {}", result.best ? fmt::format("{:.2f}", *result.best) : "not validated yet");
  fmt::print("{}, {}, {}, {}\n", steps_of(result), best, speed_of(result, "words"), format_duration(result.seconds));
  return exit_code(result);
}

int command_translate(const std::vector<std::string>& words) {
  Decoding d;
  po::options_description options("translator translate");
  add_decoding_options(options, d);
  if (!read_options(words, options, "translator translate")) return 0;
  const auto translator = load(d);
  return commands::answer_lines("translator", d.options.batch,
                                [&](const auto& lines) { return translator->translate(lines, d.options); });
}

int command_evaluate(const std::vector<std::string>& words) {
  Decoding d;
  std::string source, reference, tokenization = "13a";
  metrics::BleuOptions bleu;
  metrics::BootstrapOptions bootstrap{.samples = 0};
  bool ter = false;
  po::options_description options("translator evaluate");
  options.add_options()("source", option(source), "text to translate")("reference", option(reference), "its translation")(
      "tokenize", choice(tokenization, {"13a", "none", "char", "intl"}), "how BLEU splits lines into words")(
      "lowercase", po::bool_switch(&bleu.lowercase), "ignore case in BLEU")("ter", po::bool_switch(&ter), "print TER as well")(
      "bootstrap", number(bootstrap.samples, 0, largest_size), "print 95 % intervals of so many resamples; 0: none");
  add_decoding_options(options, d);
  if (!read_options(words, options, "translator evaluate")) return 0;
  bleu.tokenize = metrics::parse_tokenization(tokenization);
  // Every line counts, blank ones too, as in other scorers.
  const data::ParallelText text{read_lines(data::LineReader(required(source, "source"))),
                                read_lines(data::LineReader(required(reference, "reference")))};
  if (text.source.size() != text.target.size())
    throw FormatError(fmt::format("{} has {} lines, {} has {}", source, text.source.size(), reference, text.target.size()));
  const auto translator = load(d);
  const double begin = steady_seconds();
  std::vector<std::string> translations;
  std::int64_t cut = 0;
  for (auto& translation : translator->translate(text.source, d.options)) {
    translations.push_back(std::move(translation.text));
    cut += translation.source_cut > 0 ? 1 : 0;
  }
  if (cut > 0)
    fmt::print(stderr, "translator: cut: {} of {} longer than --max-source {}\n", format_count(cut, "line"), source,
               d.options.max_source);
  const double seconds = steady_seconds() - begin;
  const metrics::BleuScore score = metrics::bleu(translations, {text.target}, bleu);
  fmt::print("{}\n{}\n{:.1f} sentences/s\n", score.str(), score.signature, static_cast<double>(text.size()) / seconds);
  fmt::print("chrF = {:.2f}\n", metrics::chrf(translations, {text.target}).score);
  if (ter) fmt::print("{}\n", metrics::ter(translations, {text.target}).str());
  if (bootstrap.samples == 0) return 0;
  const auto print_interval = [&](const char* name, const metrics::SentenceStatistics& statistics) {
    fmt::print("{} {}\n", name, metrics::bootstrap(statistics, bootstrap).str());
  };
  print_interval("BLEU", metrics::bleu_statistics(translations, {text.target}, bleu));
  print_interval("chrF", metrics::chrf_statistics(translations, {text.target}));
  if (ter) print_interval("TER", metrics::ter_statistics(translations, {text.target}));
  return 0;
}

HeatMap picture_of(const std::string& line, const seq2seq::Translation& translation) {
  HeatMap map{.title = line + " → " + translation.text, .rows = translation.target_words, .columns = translation.source_words};
  const Tensor weights = translation.attention.contiguous();
  for (std::int64_t i = 0; i < weights.numel(); ++i) map.weights.push_back(static_cast<double>(weights.data<float>()[i]));
  return map;
}

/// Pictures of some lines' attention in `folder`; their paths.
std::vector<std::filesystem::path> draw(seq2seq::Translator& translator, const std::vector<std::string>& lines,
                                        const std::filesystem::path& folder, seq2seq::TranslateOptions options) {
  options.search.attention = true;
  std::filesystem::create_directories(folder);
  std::vector<std::filesystem::path> paths;
  const auto translations = translator.translate(lines, options);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (translations[i].source_words.empty()) continue;
    paths.push_back(folder / fmt::format("attention-{}.svg", i + 1));
    write_heat_map(paths.back(), picture_of(lines[i], translations[i]));
  }
  return paths;
}

/// The lines of standard input; those without words are left out of what is drawn.
std::vector<std::string> lines_to_draw(Input& input, const seq2seq::Translator& translator) {
  std::vector<std::string> lines = input.rest();
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (translator.vocabularies().source.encode(lines[i]).empty()) input.leave_out_wordless(i + 1);
  return lines;
}

int command_average(const std::vector<std::string>& words) {
  std::string model, output;
  std::int64_t last = 0;
  po::options_description options("translator average");
  options.add_options()("model", option(model), "folder of a training run with --keep")(
      "output", option(output), "folder for the averaged model, to translate and evaluate with")(
      "last", number(last, 0, largest_size), "so many of the newest; 0: all");
  if (!read_options(words, options, "translator average")) return 0;
  const std::filesystem::path from = required(model, "model"), to = required(output, "output");
  if (!std::filesystem::is_directory(from)) throw IoError(fmt::format("there is no folder {}", model));
  std::vector<std::filesystem::path> paths;
  for (const auto& [update, path] : kept_checkpoints(from)) paths.push_back(path);
  if (paths.empty()) throw IoError(fmt::format("{} has no update-NUMBER.safetensors: train with --keep", model));
  const auto available = static_cast<std::int64_t>(paths.size());
  if (last > available) throw UsageError(fmt::format("--last {} is more than the {} that {} has", last, available, model));
  if (last > 0) paths.erase(paths.begin(), paths.end() - last);
  if (std::filesystem::exists(to) && std::filesystem::equivalent(from, to))
    throw UsageError(fmt::format("--output {} is the run's own folder, whose best model it would replace", output));
  const auto vocabularies = seq2seq::load_vocabularies(from);
  const SafetensorsFile mean = nn::average_checkpoints(paths);
  std::filesystem::create_directories(to);
  seq2seq::save_vocabularies(vocabularies, to);
  save_safetensors(to / "best.safetensors", mean.tensors, mean.metadata);
  for (const auto& path : paths) fmt::print("{}\n", path.string());
  return 0;
}

int command_attention(const std::vector<std::string>& words) {
  Decoding d;
  std::string output = "attention";
  po::options_description options("translator attention");
  options.add_options()("output", option(output), "folder for the pictures");
  add_decoding_options(options, d);
  if (!read_options(words, options, "translator attention")) return 0;
  const auto translator = load(d);
  Input input("translator");
  const std::vector<std::string> lines = lines_to_draw(input, *translator);
  for (const auto& path : draw(*translator, lines, output, d.options)) fmt::print("{}\n", path.string());
  return input.end(lines.size());
}

/// A page of the run in `d.models[0]`: its curves, and what the model looks at in some lines.
void write_report(seq2seq::Translator& translator, const std::vector<std::string>& lines, const Decoding& d,
                  const std::filesystem::path& path) {
  const auto folder = std::filesystem::absolute(d.models[0]).lexically_normal();
  report::Report page(
      fmt::format("Translator {}", (folder.has_filename() ? folder : folder.parent_path()).filename().string()));
  page.text(fmt::format("{} parameters, vocabularies of {} and {} pieces.", format_count(translator.model().num_parameters()),
                        translator.vocabularies().source.size(), translator.vocabularies().target.size()));
  report_training(page, read_training_log(std::filesystem::path(d.models[0]) / "train.log"));
  if (!lines.empty()) page.section("What the model looks at");
  report::HeadEntropies entropies;
  for (const auto& line : lines)
    for (const auto& map : seq2seq::attention_maps(translator, line, d.options, &entropies)) page.attention(map);
  entropies.draw(page);
  page.write(path);
}

int command_report(const std::vector<std::string>& words) {
  Decoding d;
  std::string output;
  po::options_description options("translator report");
  options.add_options()("output", option(output), "the page; none: report.html in the model's folder");
  add_decoding_options(options, d);
  if (!read_options(words, options, "translator report")) return 0;
  if (d.models.size() > 1) throw UsageError("a report is of one --model");
  const std::string page_path = output_file::page_of(output, d.models.empty() ? "" : d.models[0]);
  const auto translator = load(d);
  Input input("translator");
  const std::vector<std::string> lines = lines_to_draw(input, *translator);
  write_report(*translator, lines, d, page_path);
  fmt::print("{}\n", page_path);
  return input.end(lines.size());
}

int command_quickstart(const std::vector<std::string>& words) {
  Settings s = settings_for(model_kind(words));
  s.output = "quickstart";
  s.vocabulary = 1000;
  s.lstm = {.embedding = 128, .hidden = 256};
  s.transformer = {.width = 128, .feed_forward = 256, .encoder_layers = 2};
  s.dropout = 0.1;
  s.trainer.epochs = 12;
  s.minutes = 100.0 / 60;
  s.trainer.lr = 3e-3;
  if (s.is_transformer()) s.trainer.warmup = 200;
  s.task.batching.max_tokens = 2048;
  s.task.validation_sentences = 200;
  data::GrammarOptions sentences;
  bool quick = read_options::is_quick(words);
  if (quick) {  // other defaults, which options change as ever
    s.output = "quickstart-quick";
    s.minutes = 0;  // its epochs are few
    sentences = {.train = 3000, .validation = 100, .test = 100};
    s.vocabulary = 150;
    s.lstm = {.embedding = 48, .hidden = 96};
    s.transformer = {.width = 64, .feed_forward = 128, .encoder_layers = 1};
    s.trainer.epochs = 8;
    s.trainer.lr = 1e-2;
    s.task.batching.max_tokens = 1024;
  }
  po::options_description options("translator quickstart");
  options.add_options()("quick", po::bool_switch(&quick), "a small model on fewer sentences, in seconds");
  add_training_options(options, s);
  if (!read_options(words, options, "translator quickstart", s.kind)) return 0;
  apply(s);
  sentences.seed = s.trainer.seed;
  const data::GrammarCorpus corpus = data::make_grammar_corpus(sentences);
  const TrainingResult result = train_on(s, corpus.train, corpus.validation);
  if (result.signal != 0) return exit_code(result);

  const auto translator = seq2seq::Translator::load(s.output);
  std::vector<std::string> translations;
  for (auto& translation : translator->translate(corpus.test.source)) translations.push_back(std::move(translation.text));
  const std::vector<std::string> shown(corpus.test.source.begin(), corpus.test.source.begin() + 10);
  for (std::size_t i = 0; i < shown.size(); ++i) fmt::print("{}\n  {}\n", shown[i], translations[i]);
  std::vector<std::filesystem::path> pictures;
  if (s.is_transformer() || s.attention != "none")
    pictures = draw(*translator, shown, std::filesystem::path(s.output) / "attention", {});
  fmt::print("{} on {} held-out sentences\n", metrics::bleu(translations, {corpus.test.target}).str(), corpus.test.size());
  fmt::print("{:.0f} words/s in training, {} in {}\n", result.words_per_second, format_count(result.updates, "update"),
             format_duration(result.seconds));
  constexpr std::int64_t enough_epochs = 3;
  if (s.trainer.seconds > 0 && result.seconds >= s.trainer.seconds && result.epochs < std::min(enough_epochs, s.trainer.epochs))
    fmt::print(
        "the time was over in epoch {} of {}, too early for good translations: the machine is slow or busy; "
        "the same command with --minutes 10 goes on from here\n",
        result.epochs + 1, s.trainer.epochs);
  for (const auto& path : pictures) fmt::print("{}\n", path.string());
  const auto page = std::filesystem::path(s.output) / "report.html";
  write_report(*translator, shown, {.models = {s.output}}, page);
  fmt::print("{}\n", page.string());
  return 0;
}

commands::Program translator() {
  std::map<std::string, const char*> options = {{"batching.seed", "--seed"},
                                                {"translator.embedding", "--embedding"},
                                                {"translator.hidden", "--hidden"},
                                                {"translator.model", "--model"},
                                                {"translator.width", "--width"},
                                                {"translator.heads", "--heads, --attention-heads"},
                                                {"translator.normaliser", "--normaliser"},
                                                {"translator.recurrent", "--recurrent"},
                                                {"translator.feed_forward", "--feed-forward"},
                                                {"translator.norm_first", "--post-norm"},
                                                {"translator.positions", "--positions"},
                                                {"translator.mixing", "--mixing"},
                                                {"translator.kernel_size", "--kernel-size"},
                                                {"translator.reach", "--reach"},
                                                {"translator.max_span", "--max-span"},
                                                {"translator.span_weight", "--span-weight"},
                                                {"translator.kv_heads", "--kv-heads"},
                                                {"translator.encoder_layers", "--encoder-layers, --layers"},
                                                {"translator.decoder_layers", "--decoder-layers, --layers"},
                                                {"translator.attention", "--attention"},
                                                {"translator.window", "--window"},
                                                {"translator.input_feeding", "--no-input-feeding"},
                                                {"translator.tie_output", "--untied"},
                                                {"translator.share_embeddings", "--joint"},
                                                {"translator.dropout", "--dropout"},
                                                {"batching.max_tokens", "--batch-tokens"},
                                                {"batching.max_length", "--max-length"},
                                                {"label_smoothing", "--label-smoothing"},
                                                {"scheduled_sampling", "--scheduled-sampling, --sampling-epochs"},
                                                {"vocabulary", "--vocabulary"},
                                                {"subword", "--subword"},
                                                {"source_vocabulary", "--source-model"},
                                                {"target_vocabulary", "--target-model"},
                                                {"training_text", "--source, --target"},
                                                {"validation_text", "--valid-source, --valid-target"},
                                                {"validation.bleu", "--tokenized, --lowercase-bleu"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return {"translator",
          usage,
          {{"train", command_train},
           {"translate", command_translate},
           {"evaluate", command_evaluate},
           {"average", command_average},
           {"attention", command_attention},
           {"report", command_report},
           {"quickstart", command_quickstart}},
          std::move(options)};
}

}  // namespace

int main(int argc, char** argv) { return commands::main_of(translator(), argc, argv); }
