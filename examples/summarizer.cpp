// Learns to write headlines of news, words of the news included, and writes them: summarizer --help.
#include "weft/seq2seq/summarizer.hpp"

#include <algorithm>
#include <filesystem>

#include "commands.hpp"
#include "input.hpp"
#include "left_out.hpp"
#include "made_news.hpp"
#include "output_file.hpp"
#include "run_notes.hpp"
#include "say_batched.hpp"
#include "summarizer_settings.hpp"
#include "weft/base/file.hpp"
#include "weft/data/headlines.hpp"
#include "weft/metrics/bootstrap.hpp"
#include "weft/metrics/rouge.hpp"
#include "weft/report/report.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"

using namespace weft;
using namespace summarizer_settings;

namespace {

constexpr const char* usage = R"(summarizer COMMAND [options]

  train      learn from a file of headlines (split, headline and paragraph, with tabs between them; plain or gzip)
  evaluate   ROUGE of a model's headlines of a split of the file
  baseline   ROUGE of the first words of each paragraph
  summarize  standard input to standard output, a line each, in order
  report     an HTML page of a training run, with what was copied for each line of standard input

summarizer COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

/// What a run notes: how many stories at the end of the training part it didn't learn from.
constexpr const char* held_out_note = "held_out";

/// False when it was only --help. The description's caption is the call.
bool read_options(const std::vector<std::string>& words, po::options_description& options, const char* call) {
  return read_options::read(words, options, std::cout, fmt::format("{} --help", call));
}

data::Headlines read_data(const std::string& path) {
  data::Headlines all = data::read_headlines(required(path, "data"));
  constexpr std::size_t most_shown = 5;
  for (std::size_t i = 0; i < std::min(all.left_out.size(), most_shown); ++i) say_left_out("summarizer", all.left_out[i]);
  say_left_out("summarizer", static_cast<std::size_t>(all.malformed), static_cast<std::size_t>(all.lines), "lines");
  if (all.blank_paragraphs + all.blank_headlines > 0)
    fmt::print(stderr, "{}: {} stories without a paragraph and {} without a headline left out\n", path, all.blank_paragraphs,
               all.blank_headlines);
  return all;
}

/// The last stories of a training part, which some must stay in.
data::ParallelText held_out(data::ParallelText& train, const std::string& path, std::int64_t count) {
  if (count >= static_cast<std::int64_t>(train.size()))
    throw FormatError(fmt::format("{} has {} stories of the split TRAIN: --held-out {} leaves none to learn from", path,
                                  train.size(), count));
  return data::hold_out(train, count);
}

struct Texts {
  data::ParallelText train, validation;
};

Texts texts_for(const Settings& s) {
  Texts texts;
  if (s.quick) {
    refuse_data(s.data, "data");
    texts.train = made_news::for_training(s.trainer.seed);
  } else {
    texts.train = read_data(s.data).train;
  }
  texts.validation = held_out(texts.train, s.quick ? "generated news" : s.data, s.held_out);
  return texts;
}

text::ExtendedVocabulary vocabulary_of(const data::ParallelText& text, std::int64_t most) {
  std::vector<std::string> lines;
  for (const auto* side : {&text.source, &text.target})
    for (const std::string& line : *side) lines.push_back(seq2seq::as_words(line));
  return text::ExtendedVocabulary::of(lines, most);
}

int command_train(const std::vector<std::string>& words) {
  Settings s = settings_for(read_options::is_quick(words));
  po::options_description options("summarizer train");
  add_training_options(options, s);
  if (!read_options(words, options, "summarizer train")) return 0;
  apply(s);
  const Texts texts = texts_for(s);
  const auto vocabulary = vocabulary_of(texts.train, s.vocabulary);
  seq2seq::Summarizer summarizer(s.model_for(vocabulary.size()), vocabulary, s.trainer.seed);
  const Metadata notes = run_notes::for_run({{held_out_note, fmt::to_string(s.held_out)}}, s.trainer);
  SummarizationTask task(summarizer, texts.train, texts.validation, s.task, notes);
  fmt::print(stderr, "{} stories, {} to validate on, a vocabulary of {} words, {} parameters, {}\n",
             format_count(task.batcher().kept()), texts.validation.size(), format_count(vocabulary.size()),
             format_count(summarizer.model().num_parameters()), format_count(s.threads, "thread"));
  say_batched("summarizer", task.batcher(), "--max-source");
  const TrainingResult result = train(task, s.trainer, std::cerr);
  const std::string best =
      fmt::format("best ROUGE {}", result.best ? fmt::format("{:.2f}", *result.best) : "not validated yet");
  fmt::print("{}, {}, {}, {}\n", steps_of(result), best, speed_of(result, "words"), format_duration(result.seconds));
  return exit_code(result);
}

std::unique_ptr<seq2seq::Summarizer> load(const Decoding& d) {
  if (d.models.empty()) throw UsageError("--model is needed");
  set_num_threads(d.threads);
  auto summarizer = seq2seq::Summarizer::load(d.models[0]);
  for (std::size_t m = 1; m < d.models.size(); ++m) summarizer->add(std::move(*seq2seq::Summarizer::load(d.models[m])));
  if (d.options.search.beam > summarizer->vocabulary().size())
    throw UsageError(fmt::format("--beam {} is wider than the vocabulary of {} words", d.options.search.beam,
                                 summarizer->vocabulary().size()));
  return summarizer;
}

/// How many stories of the training part are to be scored as held out; says which models' runs held out others.
std::int64_t held_out_for(const Scoring& s, const std::vector<std::string>& models) {
  constexpr std::int64_t usual = 500;
  std::int64_t count = s.held_out;
  for (const std::string& model : models) {
    std::int64_t held = 0;  // of an older run, which doesn't say
    run_notes::read_number(model, run_notes::of_run(model), held_out_note, held);
    if (count == 0) count = held;
    if (held != 0 && held != count)
      fmt::print(stderr, "summarizer: {} held out {} stories, not {}{}\n", model, held, count,
                 held < count ? fmt::format(": it has learned from {} of those that are scored", count - held) : "");
  }
  return count == 0 ? usual : count;
}

/// The split that is to be scored: of the training part what `train` holds out.
data::ParallelText split_of(const Scoring& s, const std::vector<std::string>& models = {}) {
  if (s.quick) {
    refuse_data(s.data, "data");
    return made_news::for_testing();
  }
  data::Headlines all = read_data(s.data);
  if (s.split == "validation") return held_out(all.train, s.data, held_out_for(s, models));
  data::ParallelText chosen = s.split == "TEST" ? std::move(all.test) : std::move(all.not_used);
  if (chosen.size() == 0) throw FormatError(fmt::format("{} has no stories of the split {}", s.data, s.split));
  return chosen;
}

void print_rouge(const std::vector<std::string>& summaries, const std::vector<std::string>& references, const Scoring& s) {
  std::vector<std::vector<std::string>> all(1);
  for (const std::string& reference : references) all[0].push_back(seq2seq::as_words(reference));
  metrics::RougeOptions rouge;
  if (s.count == "all") rouge.tokenize = metrics::Tokenization::none;  // words already
  const auto print = [&](const metrics::RougeScore& score, const metrics::SentenceStatistics& statistics) {
    fmt::print("{}\n", score.str());
    if (s.bootstrap.samples > 0) fmt::print("  F1 {}\n", metrics::bootstrap(statistics, s.bootstrap).str());
  };
  for (const int n : {1, 2})
    print(metrics::rouge_n(summaries, all, n, rouge), metrics::rouge_n_statistics(summaries, all, n, rouge));
  print(metrics::rouge_l(summaries, all, rouge), metrics::rouge_l_statistics(summaries, all, rouge));
  fmt::print("{} stories; F1, mean over the stories; words in lower case, unstemmed: runs of letters and digits{}\n",
             summaries.size(), s.count == "all" ? ", other characters one by one" : "");
}

int command_evaluate(const std::vector<std::string>& words) {
  Decoding d;
  Scoring s;
  std::string output;
  po::options_description options("summarizer evaluate");
  add_scoring_options(options, s);
  options.add_options()("output", option(output), "file for the headlines, a line each; none: they aren't kept");
  add_decoding_options(options, d);
  if (!read_options(words, options, "summarizer evaluate")) return 0;
  if (!output.empty()) output_file::check(output);
  const auto summarizer = load(d);
  const data::ParallelText text = split_of(s, d.models);
  const double begin = steady_seconds();
  std::vector<std::string> summaries;
  for (auto& summary : summarizer->summarize(text.source, d.options)) summaries.push_back(std::move(summary.text));
  const double seconds = steady_seconds() - begin;
  print_rouge(summaries, text.target, s);
  fmt::print("{:.1f} stories/s\n", static_cast<double>(text.size()) / seconds);
  if (!output.empty()) write_atomically(output, fmt::format("{}\n", fmt::join(summaries, "\n")));
  return 0;
}

int command_baseline(const std::vector<std::string>& words) {
  Scoring s;
  std::int64_t count = 10;
  po::options_description options("summarizer baseline");
  add_scoring_options(options, s);
  options.add_options()("words", number(count, 1, largest_size), "of each paragraph");
  if (!read_options(words, options, "summarizer baseline")) return 0;
  const data::ParallelText text = split_of(s);
  std::vector<std::string> summaries;
  for (const std::string& paragraph : text.source) summaries.push_back(data::first_words(seq2seq::as_words(paragraph), count));
  print_rouge(summaries, text.target, s);
  return 0;
}

int command_summarize(const std::vector<std::string>& words) {
  Decoding d;
  po::options_description options("summarizer summarize");
  add_decoding_options(options, d);
  if (!read_options(words, options, "summarizer summarize")) return 0;
  const auto summarizer = load(d);
  return commands::answer_lines("summarizer", d.options.batch,
                                [&](const auto& lines) { return summarizer->summarize(lines, d.options); });
}

/// What a summary's words were made of: attention, what of each word's probability each word of the source gave, and shades.
void draw(report::Report& page, const std::string& line, const seq2seq::Summary& summary) {
  page.text(line);
  page.attention({.title = fmt::format("{}: attention", summary.text),
                  .rows = summary.words,
                  .columns = summary.source_words,
                  .weights = summary.attention,
                  .row_axis = "headline"});
  if (!summary.copied.defined()) return;
  const std::int64_t rows = summary.attention.size(0), columns = summary.attention.size(1);
  Tensor copying = summary.attention.clone();
  report::ShadedLine shades{.words = summary.words, .weights = {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    const double copied = 1 - summary.generate.at({i});
    for (std::int64_t j = 0; j < columns; ++j) copying.mutable_data<float>()[i * columns + j] *= static_cast<float>(copied);
    shades.weights.push_back(summary.copied.at({i}));
  }
  page.attention({.title = "Copying: the attention times the part of the gate that copies",
                  .rows = summary.words,
                  .columns = summary.source_words,
                  .weights = copying,
                  .row_axis = "headline"});
  page.shaded_text({.title = "How much of each word's probability was copied", .lines = {shades}});
}

int command_report(const std::vector<std::string>& words) {
  Decoding d;
  std::string output;
  po::options_description options("summarizer report");
  options.add_options()("output", option(output), "the page; none: report.html in the model's folder");
  add_decoding_options(options, d);
  if (!read_options(words, options, "summarizer report")) return 0;
  if (d.models.size() > 1) throw UsageError("a report is of one --model");
  const std::string page_path = output_file::page_of(output, d.models.empty() ? "" : d.models[0]);
  const auto summarizer = load(d);
  report::Report page("Summarizer");
  page.text(fmt::format("{} parameters, a vocabulary of {} words.", format_count(summarizer->model().num_parameters()),
                        format_count(summarizer->vocabulary().size())));
  report_training(page, read_training_log(std::filesystem::path(d.models[0]) / "train.log"));
  Input input("summarizer");
  const std::vector<std::string> lines = input.rest();
  d.options.search.attention = true;
  const auto summaries = summarizer->summarize(lines, d.options);
  if (!lines.empty()) page.section("What headlines are made of");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (summaries[i].words.empty())
      input.leave_out_wordless(i + 1);
    else
      draw(page, lines[i], summaries[i]);
  }
  page.write(page_path);
  fmt::print("{}\n", page_path);
  return input.end(lines.size());
}

}  // namespace

int main(int argc, char** argv) {
  return commands::main_of({"summarizer",
                            usage,
                            {{"train", command_train},
                             {"evaluate", command_evaluate},
                             {"baseline", command_baseline},
                             {"summarize", command_summarize},
                             {"report", command_report}},
                            option_of_settings()},
                           argc, argv);
}
