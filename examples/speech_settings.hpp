#pragma once
#include <map>
#include <string>

#include "trainer_settings.hpp"
#include "weft/train/speech_task.hpp"

/// What the speech program is told on the command line to train.
namespace speech_settings {

using namespace trainer_settings;

inline constexpr std::int64_t rate = 8000;

/// Settings of a run, with defaults that work untouched.
struct Settings : TrainerSettings {
  std::string data, kind = "ctc", recurrent = "lstm", normaliser = "softmax", scale = "htk";
  seq2seq::SpeechRecognizerOptions model = {};
  SpeechTaskOptions task = {};
  bool quick = false;
};

inline Settings settings_for(bool quick) {
  Settings s;
  s.quick = quick;
  s.task.unit = "digits";
  for (int digit = 0; digit < 10; ++digit) s.model.labels.push_back(fmt::to_string(digit));
  s.trainer.epochs = 20;
  s.trainer.lr = 2e-3;
  s.trainer.cooldown = 0.5;
  if (!quick) return s;
  s.model.hidden = 32;
  s.model.layers = 1;
  s.model.dropout = 0.1;
  s.model.stack = 6;
  s.task.masks.time_masks = 0;  // a tone would be gone
  s.task.masks.frequency_masks = 1;
  s.task.strings.strings = 400;
  s.task.strings.max_words = s.task.validation.max_words = 4;
  s.task.validation.strings = 40;
  s.task.batch = 8;
  s.trainer.epochs = 12;
  s.trainer.lr = 5e-3;
  return s;
}

inline void add_training_options(po::options_description& options, Settings& s) {
  auto add = options.add_options();
  add("data", option(s.data), "folder of the recordings");
  add("model", choice(s.kind, {seq2seq::speech_model_names.begin(), seq2seq::speech_model_names.end()}),
      "what it is trained with");
  add("hidden", number(s.model.hidden, 1, largest_size), "units of each direction of the encoder");
  add("layers", number(s.model.layers, 1, 1000), "of the encoder");
  add("recurrent", choice(s.recurrent, {nn::recurrent_names.begin(), nn::recurrent_names.end()}),
      "of the encoder, and of an attention decoder or a prediction network");
  add("normaliser", choice(s.normaliser, {nn::normaliser_names.begin(), nn::normaliser_names.end()}),
      "of the attention's weights");
  add("embedding", number(s.model.embedding, 1, largest_size),
      "of the digits that an attention decoder or a prediction network reads");
  add("dropout", number(s.model.dropout, 0, 0.99), "probability");
  add("bands", number(s.model.log_mel.bands, 1, 1000), "of the log-mel energies");
  add("mel", choice(s.scale, {"htk", "slaney"}), "their scale");
  add("stack", number(s.model.stack, 1, 1000), "frames of 10 ms that make a step");
  add("strings", number(s.task.strings.strings, 1, largest_size), "of an epoch, put together anew each time");
  add("max-digits", number(s.task.strings.max_words, 1, 1000), "of a training string, from 1 on");
  add("valid-strings", number(s.task.validation.strings, 1, largest_size), "to validate on");
  add("batch", number(s.task.batch, 1, largest_size), "strings of a step");
  add("time-masks", number(s.task.masks.time_masks, 0, 1000), "of SpecAugment in a string");
  add("frequency-masks", number(s.task.masks.frequency_masks, 0, 1000), "and over the bands");
  add("label-smoothing", number(s.task.label_smoothing, 0, 0.99), "of the attention model");
  add("quick", po::bool_switch(&s.quick), "a small model on generated tones, in seconds");
  add_trainer_options(options, s);
}

inline void apply(Settings& s) {
  trainer_settings::apply(s);
  if (s.kind != "attention" && s.normaliser != "softmax")
    throw UsageError(fmt::format("--normaliser {} is of attention; --model {} has none", s.normaliser, s.kind));
  if (s.kind != "attention")
    read_options::refuse_idle("label-smoothing", s.task.label_smoothing, SpeechTaskOptions().label_smoothing,
                              "--model attention", s.kind);
  if (s.kind == "ctc")
    read_options::refuse_idle("embedding", s.model.embedding, seq2seq::SpeechRecognizerOptions().embedding,
                              "--model attention and transducer", s.kind);
  s.model.model = seq2seq::speech_model(s.kind);
  s.model.recurrent = nn::recurrent_kind(s.recurrent);
  s.model.normaliser = nn::normaliser_of(s.normaliser);
  s.model.log_mel.scale = s.scale == "htk" ? data::MelScale::htk : data::MelScale::slaney;
  try {
    const data::LogMel possible(s.model.log_mel);
  } catch (const ValueError& error) {
    throw UsageError(fmt::format("--bands {}: {}", s.model.log_mel.bands, error.what()));
  }
  s.task.strings.seed = s.trainer.seed;
}

/// The options that make a run's settings, by the setting's name.
inline std::map<std::string, const char*> options_of_settings() {
  std::map<std::string, const char*> options = {{"speech.model", "--model"},
                                                {"speech.hidden", "--hidden"},
                                                {"speech.layers", "--layers"},
                                                {"speech.recurrent", "--recurrent"},
                                                {"speech.normaliser", "--normaliser"},
                                                {"speech.embedding", "--embedding"},
                                                {"speech.dropout", "--dropout"},
                                                {"speech.bands", "--bands"},
                                                {"speech.scale", "--mel"},
                                                {"speech.stack", "--stack"},
                                                {"speech.label_frames", "--data, --model"},
                                                {"strings", "--strings, --max-digits, --seed"},
                                                {"validation.strings", "--valid-strings, --quick"},
                                                {"batch", "--batch"},
                                                {"masks", "--time-masks, --frequency-masks"},
                                                {"label_smoothing", "--label-smoothing"},
                                                {"training_sounds", "--data"},
                                                {"validation_sounds", "--data"}};
  options.insert(option_of_setting.begin(), option_of_setting.end());
  return options;
}

}  // namespace speech_settings
