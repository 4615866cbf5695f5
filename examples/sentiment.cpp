// Learns which class a text is of, such as whether a review praises a film, and shows what it looked at: sentiment --help.
#include <array>
#include <cmath>

#include "commands.hpp"
#include "input.hpp"
#include "labelled_texts.hpp"
#include "output_file.hpp"
#include "run_notes.hpp"
#include "sentiment_faithfulness.hpp"
#include "sentiment_pictures.hpp"
#include "sentiment_settings.hpp"
#include "weft/data/lines.hpp"
#include "weft/metrics/classification.hpp"
#include "weft/train/classification_task.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"

using namespace weft;
using namespace sentiment_settings;
using namespace labelled_texts;

namespace {

constexpr const char* usage = R"(sentiment COMMAND [options]

  train         learn from a folder that has a folder of texts, one sentence a line, for each class
  evaluate      accuracy of one or more runs, each on the texts that it has not seen
  classify      the class of texts from standard input, with a blank line between them
  report        a run as a page, with texts from standard input shaded by what the model looks at and decides by
  faithfulness  what becomes of a run's decisions without the words that it weighs most, and with other weights

sentiment COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

int command_train(const std::vector<std::string>& words) {
  TrainSettings s = settings_for(read_options::is_quick(words));
  po::options_description options("sentiment train");
  add_task_options(options, s);
  add_model_options(options, s);
  options.add_options()("quick", po::bool_switch(&s.quick), "a small model on generated reviews, in seconds");
  add_trainer_options(options, s);
  if (!read_options::read(words, options, std::cout, "sentiment train --help")) return 0;
  apply_all(s);
  const data::LabelledDocuments all = data_for(s.quick, s.folder);
  const data::DocumentSplit split = data::split_documents(all, s.split);
  const std::vector<data::Document> train_on = chosen(all, split.train), held_out = chosen(all, split.held_out);
  const text::Symbols symbols = seq2seq::document_symbols(train_on, s.least);
  if (symbols.size() == 1) throw FormatError(fmt::format("no word occurs as often as --least {}", s.least));
  if (held_out.empty())
    throw FormatError(fmt::format("no text is left to choose the best weights by: --held-out {} of {} texts (--data, --folds)",
                                  s.split.held_out, all.documents.size()));
  if (s.split.fold > 0 && split.test.empty())
    throw FormatError(
        fmt::format("--fold {} of --folds {} has no text of the {}", s.split.fold, s.split.folds, all.documents.size()));
  if (const std::string missing = classes_without(all.classes, train_on); !missing.empty())
    throw FormatError(fmt::format(
        "{} has no text of the class {} to learn from: fold {} of {} (--fold, --folds) and the held-out ones (--held-out "
        "{}) are all that there are",
        s.quick ? "the generated reviews" : s.folder, missing, s.split.fold, s.split.folds, s.split.held_out));
  if (const std::string missing = classes_without(all.classes, held_out); !missing.empty())
    fmt::print(stderr, "sentiment: the held-out texts, which choose the best weights, have none of the class {} (--held-out)\n",
               missing);
  seq2seq::TextClassifier classifier(s.model, {symbols, all.classes, s.max_words}, s.trainer.seed);
  ClassificationTask task(classifier, train_on, held_out, s.task,
                          {{"fold", fmt::to_string(s.split.fold)},
                           {"folds", fmt::to_string(s.split.folds)},
                           {"kept", data::checksum(chosen(all, split.test))}});
  fmt::print(stderr, "{} texts to learn from, {} held out, {} kept for evaluation; {} words, {} parameters, {}\n",
             train_on.size(), held_out.size(), split.test.size(), classifier.vocabulary().symbols.size() - 1,
             classifier.model().num_parameters(), format_count(s.threads, "thread"));
  s.trainer.settings = run_notes::for_run({{"deviation", fmt::to_string(s.model.embedding_deviation)}}, s.trainer);
  const TrainingResult result = train(task, s.trainer, std::cerr);
  fmt::print("{}, best held-out {} {}, {}, {}\n", steps_of(result), s.best_by,
             result.best ? fmt::format("{:.4f}", std::abs(*result.best)) : "not validated yet", speed_of(result, "words"),
             format_duration(result.seconds));
  return exit_code(result);
}

int command_evaluate(const std::vector<std::string>& words) {
  std::vector<std::string> models;
  std::string folder;
  bool all = false, quick = false;
  int threads = num_threads();
  po::options_description options("sentiment evaluate");
  auto add = options.add_options();
  add("model", po::value(&models)->multitoken(), "folders of one or more training runs");
  add("data", option(folder), "the folder that they learned from");
  add("all", po::bool_switch(&all), "score all texts of the data, not those alone that a run kept for evaluation");
  add("quick", po::bool_switch(&quick), "on the generated reviews");
  add("threads", number(threads, 1, most_threads), "threads");
  if (!read_options::read(words, options, std::cout, "sentiment evaluate --help")) return 0;
  if (models.empty()) throw UsageError("--model is needed");
  set_num_threads(threads);
  const data::LabelledDocuments data = data_for(quick, folder);
  double sum = 0;
  metrics::ConfusionMatrix together(static_cast<std::int64_t>(data.classes.size()));
  for (const std::string& model : models) {
    const auto classifier = seq2seq::TextClassifier::load(model);
    const std::vector<data::Document> texts = texts_for(*classifier, data, all, model);
    const auto classified = classifier->classify(encoded(*classifier, texts));
    metrics::ConfusionMatrix matrix(together.classes());
    for (std::size_t i = 0; i < texts.size(); ++i)
      for (auto* each : {&matrix, &together}) each->add(std::array{texts[i].label}, std::array{classified[i].label});
    fmt::print("{}: {} texts, accuracy {:.2f} %\n", model, texts.size(), 100 * matrix.accuracy());
    sum += matrix.accuracy();
  }
  for (std::size_t i = 0; i < data.classes.size(); ++i) {
    const metrics::ClassScore score = together.of_class(static_cast<std::int64_t>(i));
    fmt::print("{}: precision {:.3f}, recall {:.3f}, F1 {:.3f}\n", data.classes[i], score.precision, score.recall, score.f1);
  }
  fmt::print("mean accuracy of {} run{}: {:.2f} %\n", models.size(), models.size() == 1 ? "" : "s",
             100 * sum / static_cast<double>(models.size()));
  return 0;
}

/// A text of standard input, as its lines; none where `fault` says why it can't be read.
struct Text {
  std::vector<std::string> lines;
  std::string fault;

  bool empty() const { return lines.empty() && fault.empty(); }
};

/// Texts with a blank line between them. One that the input can't be read on in is none.
std::vector<Text> read_texts(Input& input) {
  std::vector<Text> texts(1);
  std::string line, fault;
  while (input.next(line, fault)) {
    if (!fault.empty())
      texts.back().fault = fault;
    else if (!data::is_blank(line))
      texts.back().lines.push_back(line);
    else if (!texts.back().empty())
      texts.emplace_back();
  }
  if (texts.back().empty() || input.broken()) texts.pop_back();
  return texts;
}

struct Read {
  std::unique_ptr<seq2seq::TextClassifier> classifier;
  std::vector<std::string> verdicts;          ///< of each text given
  std::vector<seq2seq::SentenceWords> texts;  ///< those that have words
  std::vector<std::size_t> numbers;           ///< which of those given each is, from 1
  std::vector<seq2seq::Classification> classified;
};

struct Reading {
  std::string folder;
  int threads = num_threads();
};

void add_reading_options(po::options_description& options, Reading& reading) {
  auto add = options.add_options();
  add("model", option(reading.folder), "folder of a training run");
  add("threads", number(reading.threads, 1, most_threads), "threads");
}

/// The texts of standard input by a model.
Read read_input(Input& input, const Reading& reading) {
  set_num_threads(reading.threads);
  const std::string folder = required(reading.folder, "model");
  Read read{seq2seq::TextClassifier::load(folder), {}, {}, {}, {}};
  const seq2seq::TextClassifier::Vocabulary& vocabulary = read.classifier->vocabulary();
  std::vector<seq2seq::Sentences> encoded;
  for (const Text& text : read_texts(input)) {
    read.verdicts.emplace_back(text.fault.empty() ? "no words" : "no text");
    const std::size_t number = read.verdicts.size();
    if (!text.fault.empty()) {
      input.leave_out(number, fmt::format("text {}: {}", number, text.fault));
      continue;
    }
    seq2seq::SentenceWords words = read.classifier->words(text.lines);
    if (words.empty()) {
      input.leave_out(number, fmt::format("text {} of standard input has no words", number));
      continue;
    }
    encoded.push_back(read.classifier->encode(words));
    read.texts.push_back(std::move(words));
    read.numbers.push_back(number);
  }
  read.classified = read.classifier->classify(encoded);
  for (std::size_t i = 0; i < read.texts.size(); ++i) {
    const seq2seq::Classification& c = read.classified[i];
    const auto label = static_cast<std::size_t>(c.label);
    read.verdicts[read.numbers[i] - 1] = fmt::format("{} {:.3f}", vocabulary.classes[label], c.probabilities[label]);
  }
  return read;
}

int command_classify(const std::vector<std::string>& words) {
  Reading reading;
  po::options_description options("sentiment classify");
  add_reading_options(options, reading);
  if (!read_options::read(words, options, std::cout, "sentiment classify --help")) return 0;
  Input input("sentiment", "texts");
  const Read read = read_input(input, reading);
  for (const std::string& verdict : read.verdicts) fmt::print("{}\n", verdict);
  return input.end(read.verdicts.size());
}

int command_report(const std::vector<std::string>& words) {
  Reading reading;
  std::string output;
  po::options_description options("sentiment report");
  add_reading_options(options, reading);
  options.add_options()("output", option(output), "the page; none: report.html in the model's folder");
  if (!read_options::read(words, options, std::cout, "sentiment report --help")) return 0;
  const std::string page_path = output_file::page_of(output, reading.folder);
  Input input("sentiment", "texts");
  const Read read = read_input(input, reading);
  const std::string& folder = reading.folder;
  report::Report page(fmt::format("Classifier {}", folder));
  page.text(fmt::format("{} parameters, {} words, classes {}.", format_count(read.classifier->model().num_parameters()),
                        format_count(read.classifier->vocabulary().symbols.size() - 1),
                        fmt::join(read.classifier->vocabulary().classes, ", ")));
  report_training(page, read_training_log(std::filesystem::path(folder) / "train.log"));
  if (!read.texts.empty()) sentiment_pictures::begin(page);
  for (std::size_t i = 0; i < read.texts.size(); ++i)
    sentiment_pictures::draw(page, *read.classifier,
                             fmt::format("Text {}: {}", read.numbers[i], read.verdicts[read.numbers[i] - 1]), read.texts[i],
                             read.classified[i]);
  page.write(page_path);
  fmt::print("{}\n", page_path);
  return input.end(read.verdicts.size());
}

commands::Program sentiment() {
  std::map<std::string, const char*> options = {
      {"document_classifier.embedding", "--embedding"},
      {"document_classifier.words", "--word-encoder, --word-hidden, --word-join, --kernel-size"},
      {"document_classifier.sentences", "--sentence-encoder, --sentence-hidden, --sentence-join, --kernel-size"},
      {"document_classifier.normaliser", "--normaliser"},
      {"document_classifier.dropout", "--dropout"},
      {"document_classifier.word_dropout", "--word-dropout"},
      {"document_classifier.vocabulary", "--least, --data"},
      {"document_classifier.classes", "--data"},
      {"symbols.symbols", "--least, --data"},
      {"classes", "--data"},
      {"max_words", "--max-words"},
      {"fold", "--fold"},
      {"folds", "--folds"},
      {"kept", "--data, --fold"},
      {"training_documents", "--data, --fold, --held-out"},
      {"validation_documents", "--data, --fold, --held-out"},
      {"documents", "--documents"},
      {"sentence_dropout", "--sentence-dropout"},
      {"label_smoothing", "--label-smoothing"},
      {"best_by", "--best-by"},
      {"order", "--seed"},
      {"deviation", "--deviation"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return {"sentiment",
          usage,
          {{"train", command_train},
           {"evaluate", command_evaluate},
           {"classify", command_classify},
           {"report", command_report},
           {"faithfulness", sentiment_faithfulness::command}},
          std::move(options)};
}

}  // namespace

int main(int argc, char** argv) { return commands::main_of(sentiment(), argc, argv); }
