#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/base/random.hpp"
#include "weft/data/log_mel.hpp"
#include "weft/data/spec_augment.hpp"
#include "weft/nn/buffer.hpp"
#include "weft/seq2seq/ctc_model.hpp"
#include "weft/seq2seq/encoder_decoder.hpp"
#include "weft/seq2seq/forced_decoding.hpp"
#include "weft/seq2seq/transducer_model.hpp"

namespace weft::seq2seq {

enum class SpeechModel : std::uint8_t {
  ctc,        ///< CTCModel
  attention,  ///< EncoderDecoder over vectors, with location-aware attention (Chorowski et al. 2015)
  transducer  ///< TransducerModel
};

/// As checkpoints and command lines have them, in the order of the kinds.
inline constexpr std::array speech_model_names = {"ctc", "attention", "transducer"};
std::string name_of(SpeechModel model);
/// Throws ValueError that lists the names for another one.
SpeechModel speech_model(const std::string& name);

struct SpeechRecognizerOptions {
  SpeechModel model = SpeechModel::ctc;
  std::vector<std::string> labels;  ///< the words that it knows
  data::LogMelOptions log_mel = {};
  std::int64_t delta_orders = 1, delta_window = 2;  ///< data::with_deltas
  std::int64_t stack = 3;                           ///< frames of a step (data::stack_frames)
  /// Frames of the shortest recording of a label: an attention model, which would go on for ever where it has lost its place,
  /// is stopped one label behind as many as would fit into the sound. 0: not known, and it has beam search's own limit.
  std::int64_t label_frames = 0;
  std::int64_t hidden = 128;  ///< of each direction of the encoder; a decoder or joint network has twice that
  std::int64_t layers = 2;    ///< of the encoder
  nn::RecurrentKind recurrent = nn::RecurrentKind::lstm;  ///< of encoder and decoder, or prediction network
  nn::Normaliser normaliser = nn::Normaliser::softmax;    ///< of the attention's weights; softmax for models without any
  std::int64_t embedding = 32;                            ///< of the labels that a decoder or prediction network reads
  double dropout = 0.3;
};

std::string to_json(const SpeechRecognizerOptions& options);
/// Throws FormatError naming `source` for text that isn't of that form.
SpeechRecognizerOptions speech_recognizer_options_of(const std::string& json, const std::string& source);

struct RecognizeOptions {
  std::int64_t beam = 1;  ///< 1 is greedy
  /// What each label, and with attention the end, looked at. For CTC, greedy alone: the label's probability at the steps that
  /// were read as it. A transducer has none.
  bool weights = false;
  std::int64_t batch = 32;  ///< sounds at a time
};

/// What was heard.
struct Recognition {
  TokenIds labels;
  std::string text;            ///< the labels' words, with spaces between them
  double log_probability = 0;  ///< of the labels; for greedy CTC of the best alignment
  Tensor weights = {};         ///< f32 [labels (and end), steps], where asked for; undefined for no labels
};

/// Words of sounds: log-mel energies, normalised band by band, with deltas, some frames a step; then the model.
class SpeechRecognizer : public nn::Module<SpeechRecognizer> {
 public:
  /// Throws ValueError for options that can't be.
  explicit SpeechRecognizer(const SpeechRecognizerOptions& options, const nn::Scope& scope = {});
  /// From the folder of a training run: best.safetensors, in eval mode. Throws IoError, FormatError, ValueError.
  static std::unique_ptr<SpeechRecognizer> load(const std::filesystem::path& folder);

  /// Learns mean and deviation of each band from log-mel energies of sounds, f32 [frames, bands] each. They are part of the
  /// state. Throws ValueError for none.
  void learn_normalisation(std::span<const Tensor> log_mels);

  /// The model's input [steps, size] of a sound's samples, at log_mel.rate; with `masks` and a generator some of it hidden,
  /// before the deltas are taken. Throws ValueError for no samples.
  Tensor features(std::span<const float> samples) const;
  Tensor features(std::span<const float> samples, Generator& generator, const data::SpecAugmentOptions& masks) const;
  /// With some steps hidden: their frames are at their bands' mean, as masks leave them, before the deltas are taken. Throws
  /// IndexError for a step that the sound hasn't.
  Tensor features(std::span<const float> samples, std::span<const std::int64_t> hidden) const;
  /// Steps of a sound of so many samples; whether they hold the labels (CTC needs a step for each, the others one at all).
  std::int64_t steps(std::int64_t samples) const;
  bool fits(std::int64_t samples, const TokenIds& labels) const;

  /// Mean over the labels (and with attention ends) of all rows. Throws as CTCModel::loss.
  Var loss(std::span<const Tensor> features, std::span<const TokenIds> labels, double label_smoothing = 0);
  /// The label tokens over which that is a mean.
  std::int64_t tokens(std::span<const TokenIds> labels) const;

  /// In the order of `features`. Nothing is recorded. Throws ValueError for options that can't be, and as the search.
  std::vector<Recognition> recognize(std::span<const Tensor> features, const RecognizeOptions& options = {});

  /// What an attention model makes of labels that it is told, in the order of `features`, some sounds at a time: a token for
  /// each label, and the end. Nothing is recorded. Throws ValueError for models without weights, for counts that differ and
  /// `batch` below 1, IndexError for labels that it hasn't.
  std::vector<ForcedDecoding> read_labels(std::span<const Tensor> features, std::span<const TokenIds> labels,
                                          std::int64_t batch = 32);

  const SpeechRecognizerOptions& options() const { return options_; }
  const data::LogMel& log_mel() const { return log_mel_; }
  /// What a checkpoint says of itself.
  Metadata metadata() const;

 private:
  Tensor normalised(std::span<const float> samples) const;
  Tensor stacked(const Tensor& log_mel) const;
  std::vector<Recognition> recognize_ctc(const Padded& source, const RecognizeOptions& options);
  std::vector<Recognition> recognize_attention(const Padded& source, const RecognizeOptions& options);
  std::vector<Recognition> recognize_transducer(const Padded& source, const RecognizeOptions& options);
  void check_labels(std::span<const Tensor> features, std::span<const TokenIds> labels) const;
  std::string text_of(const TokenIds& labels) const;

  SpeechRecognizerOptions options_;
  data::LogMel log_mel_;
  nn::Buffer mean_, deviation_;  // [bands]
  std::optional<CTCModel> ctc_;
  std::optional<EncoderDecoder> attention_;
  std::optional<TransducerModel> transducer_;
};

/// weights [outputs, steps] over frames [outputs, frames], for a picture: each step's evenly over its frames.
Tensor over_frames(const Tensor& weights, std::int64_t frames, std::int64_t stack);

}  // namespace weft::seq2seq
