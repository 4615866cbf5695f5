// Learns to recognise spoken digits, one or many after the other, and shows what it listens to: speech --help.
#include <algorithm>
#include <limits>

#include "commands.hpp"
#include "left_out.hpp"
#include "output_file.hpp"
#include "speech_faithfulness.hpp"
#include "speech_settings.hpp"
#include "spoken_strings.hpp"
#include "weft/data/sound.hpp"
#include "weft/report/report.hpp"
#include "weft/seq2seq/speech_recognizer.hpp"
#include "weft/seq2seq/speech_score.hpp"
#include "weft/train/progress.hpp"
#include "weft/train/training_log.hpp"

using namespace weft;
using namespace speech_settings;
using namespace spoken_strings;

namespace {

constexpr const char* usage = R"(speech COMMAND [options]

  train         learn from a folder of recordings DIGIT_SPEAKER_TAKE.wav (or .flac)
  evaluate      digit error on strings of the test recordings, and accuracy on these one by one
  recognize     the digits that are said in sound files
  report        an HTML page of a training run, with what the model listens to in sound files
  faithfulness  what becomes of what is heard without the steps that a run weighs most, and with other weights

speech COMMAND --help lists a command's options; --config FILE reads them from a file (option = value).
)";

std::int64_t shortest_frames(const std::vector<data::SpokenWord>& words, const data::LogMelOptions& options) {
  const data::LogMel log_mel(options);
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
  for (const data::SpokenWord& word : words)
    shortest = std::min(shortest, log_mel.frames(static_cast<std::int64_t>(word.samples.size())));
  return std::max<std::int64_t>(shortest, 1);
}

/// Says how many strings of a part the model can't learn from or be measured with.
void say_strings_left_out(const StringsLeftOut& strings, const char* part) {
  if (strings.count > 0)
    fmt::print(stderr,
               "speech: {} of {} strings {} have fewer steps than their digits need and are left out (--stack); the first is "
               "{}\n",
               strings.count, strings.all, part, strings.first);
}

int command_train(const std::vector<std::string>& words) {
  Settings s = settings_for(read_options::is_quick(words));
  po::options_description options("speech train");
  add_training_options(options, s);
  if (!read_options::read(words, options, std::cout, "speech train --help")) return 0;
  apply(s);
  if (s.quick) refuse_data(s.data, "data");
  const spoken_takes::Parts parts = s.quick ? spoken_takes::parts_of(data::tone_words(3, 12))
                                            : spoken_takes::read_parts("speech", required(s.data, "data"), rate);
  spoken_takes::check_training("speech", s.data, parts);
  if (s.model.model == seq2seq::SpeechModel::attention) s.model.label_frames = shortest_frames(parts.train, s.model.log_mel);
  seq2seq::SpeechRecognizer recognizer(s.model, nn::Scope{.owner = nullptr, .name = {}, .seed = s.trainer.seed});
  SpeechTask task(recognizer, parts.train, parts.validation, s.task);
  fmt::print(stderr, "{} recordings to learn from, {} to validate on, {} parameters, {}\n", parts.train.size(),
             parts.validation.size(), format_count(recognizer.num_parameters()), format_count(s.threads, "thread"));
  say_strings_left_out(task.validation_left_out(), "to validate on");
  say_strings_left_out(task.first_epoch_left_out(), "of the first epoch");
  const TrainingResult result = train(task, s.trainer, std::cerr);
  say_strings_left_out(task.left_out(), "of the epochs since the start");
  fmt::print("{}, best digit error {}, {}, {}\n", steps_of(result),
             result.best ? fmt::format("{:.2f} % in validation", 100 - *result.best) : "not validated yet",
             speed_of(result, "digits"), format_duration(result.seconds));
  return exit_code(result);
}

struct Listening {
  std::string model;
  std::vector<std::string> sounds;
  seq2seq::RecognizeOptions options = {};
  int threads = num_threads();
};

void add_listening_options(po::options_description& options, Listening& l, bool sounds) {
  auto add = options.add_options();
  add("model", option(l.model), "folder of a training run");
  if (sounds) add("sounds", po::value(&l.sounds)->multitoken(), "files, WAV or FLAC of 8,000 samples a second");
  add("beam", number(l.options.beam, 1, most_hypotheses), "1 is greedy");
  add("batch", number(l.options.batch, 1, largest_size), "sounds at a time");
  add("threads", number(l.threads, 1, most_threads), "threads");
}

int command_evaluate(const std::vector<std::string>& words) {
  Listening l;
  TestStrings test;
  po::options_description options("speech evaluate");
  add_test_options(options, test);
  add_listening_options(options, l, false);
  if (!read_options::read(words, options, std::cout, "speech evaluate --help")) return 0;
  set_num_threads(l.threads);
  const auto recognizer = seq2seq::SpeechRecognizer::load(required(l.model, "model"));
  const std::vector<data::SpokenWord> recordings = read_test(test);
  const double begin = steady_seconds();
  const auto composed = data::compose_strings(recordings, test.strings);
  const seq2seq::SpeechScore score = score_strings(*recognizer, recordings, composed, test.strings, l.options);
  const double seconds = steady_seconds() - begin;
  std::int64_t samples = 0;
  for (const data::SpokenString& string : composed) samples += data::samples_of(recordings, string);
  metrics::ErrorRate digits = score.words;
  digits.name = "digit error";
  fmt::print("strings: {}, {:.1f} % of {} without error\n", digits.str(), score.accuracy(), score.sounds);
  const seq2seq::SpeechScore single = score_words(*recognizer, recordings, l.options);
  fmt::print("single digits: {:.2f} % of {} right\n", single.accuracy(), single.sounds);
  fmt::print("{:.0f} s of sound in {:.1f} s\n", static_cast<double>(samples) / static_cast<double>(rate), seconds);
  return 0;
}

/// The files that can be read, with their samples; `left_out` gets the others' reasons.
std::vector<std::pair<std::string, std::vector<float>>> read_sounds(const std::vector<std::string>& paths,
                                                                    std::vector<std::string>& left_out) {
  if (paths.empty()) throw UsageError("--sounds is needed");
  std::vector<std::pair<std::string, std::vector<float>>> sounds;
  for (const std::string& path : paths) {
    try {
      sounds.emplace_back(path, data::read_sound(path, rate).samples);
    } catch (const Error& error) {
      left_out.emplace_back(error.what());
    }
  }
  return sounds;
}

int command_recognize(const std::vector<std::string>& words) {
  Listening l;
  po::options_description options("speech recognize");
  add_listening_options(options, l, true);
  if (!read_options::read(words, options, std::cout, "speech recognize --help")) return 0;
  set_num_threads(l.threads);
  const auto recognizer = seq2seq::SpeechRecognizer::load(required(l.model, "model"));
  std::vector<std::string> left_out;
  const auto sounds = read_sounds(l.sounds, left_out);
  std::vector<Tensor> features;
  for (const auto& [path, samples] : sounds) features.push_back(recognizer->features(samples));
  for (std::size_t i = 0; const seq2seq::Recognition& heard : recognizer->recognize(features, l.options))
    fmt::print("{}: {}\n", sounds[i++].first, heard.text);
  say_left_out("speech", left_out, l.sounds.size());
  return left_out.empty() ? 0 : 1;
}

/// Strings of the generated tones, by what is said in them.
std::vector<std::pair<std::string, std::vector<float>>> made_sounds() {
  TestStrings test;
  test.quick = true;
  test.strings.strings = 6;
  const std::vector<data::SpokenWord> recordings = read_test(test);
  std::vector<std::pair<std::string, std::vector<float>>> sounds;
  for (const data::SpokenString& string : data::compose_strings(recordings, test.strings))
    sounds.emplace_back(fmt::format("tones of {}", fmt::join(data::labels_of(recordings, string), " ")),
                        data::joined(recordings, string, test.strings));
  return sounds;
}

/// A sound with what each digit looked at; where nothing was heard it has one row without weight.
report::SoundWeights picture_of(const seq2seq::SpeechRecognizer& recognizer, const std::string& path,
                                const std::vector<float>& samples, const seq2seq::Recognition& heard) {
  const data::LogMel& log_mel = recognizer.log_mel();
  report::SoundWeights picture;
  picture.title = path + ": " + (heard.labels.empty() ? "nothing was heard" : heard.text);
  picture.spectrogram = log_mel(samples);
  picture.seconds_per_frame = static_cast<double>(log_mel.options().hop) / static_cast<double>(log_mel.options().rate);
  if (!heard.weights.defined()) {
    picture.outputs = {"(nothing)"};
    picture.weights = Tensor::zeros({1, picture.spectrogram.size(0)});
    return picture;
  }
  for (const std::int32_t label : heard.labels)
    picture.outputs.push_back(recognizer.options().labels[static_cast<std::size_t>(label)]);
  if (heard.weights.size(0) > static_cast<std::int64_t>(heard.labels.size())) picture.outputs.emplace_back("(end)");
  picture.weights = seq2seq::over_frames(heard.weights, picture.spectrogram.size(0), recognizer.options().stack);
  return picture;
}

int command_report(const std::vector<std::string>& words) {
  Listening l;
  std::string output;
  bool quick = false;
  po::options_description options("speech report");
  options.add_options()("output", option(output), "the page; none: report.html in the model's folder")(
      "quick", po::bool_switch(&quick), "of the generated tones");
  add_listening_options(options, l, true);
  if (!read_options::read(words, options, std::cout, "speech report --help")) return 0;
  if (quick) refuse_data(l.sounds.empty() ? "" : l.sounds.front(), "sounds");
  const std::string page_path = output_file::page_of(output, l.model);
  set_num_threads(l.threads);
  const auto recognizer = seq2seq::SpeechRecognizer::load(required(l.model, "model"));
  l.options.weights = recognizer->options().model != seq2seq::SpeechModel::transducer;
  if (recognizer->options().model == seq2seq::SpeechModel::ctc && l.options.beam != 1)
    throw UsageError(fmt::format("--beam {} has no weights to show of a run of ctc; take 1", l.options.beam));
  std::vector<std::string> left_out;
  const auto sounds = quick ? made_sounds() : read_sounds(l.sounds, left_out);
  report::Report page("Speech");
  page.text(fmt::format("{} parameters.", format_count(recognizer->num_parameters())));
  report_training(page, read_training_log(std::filesystem::path(l.model) / "train.log"));
  page.section("What the model listens to");
  std::vector<Tensor> features;
  for (const auto& [path, samples] : sounds) features.push_back(recognizer->features(samples));
  for (std::size_t i = 0; const seq2seq::Recognition& heard : recognizer->recognize(features, l.options)) {
    const auto& [path, samples] = sounds[i++];
    if (heard.weights.defined() || heard.labels.empty())
      page.over_spectrogram(picture_of(*recognizer, path, samples, heard));
    else
      page.text(fmt::format("{}: {}", path, heard.text));
  }
  page.write(page_path);
  fmt::print("{}\n", page_path);
  say_left_out("speech", left_out, l.sounds.size());
  return left_out.empty() ? 0 : 1;
}

commands::Program speech() {
  return {"speech",
          usage,
          {{"train", command_train},
           {"evaluate", command_evaluate},
           {"recognize", command_recognize},
           {"report", command_report},
           {"faithfulness", speech_faithfulness::command}},
          options_of_settings()};
}

}  // namespace

int main(int argc, char** argv) { return commands::main_of(speech(), argc, argv); }
