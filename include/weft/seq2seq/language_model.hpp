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
#include "weft/nn/any_recurrent.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/positional_encoding.hpp"
#include "weft/nn/transformer.hpp"
#include "weft/seq2seq/sampling.hpp"
#include "weft/text/symbols.hpp"

namespace weft::seq2seq {

enum class LanguageModelKind : std::uint8_t { lstm, gru, transformer };

/// As checkpoints and command lines have them, in the order of the kinds.
inline constexpr std::array language_model_names = {"lstm", "gru", "transformer"};
std::string name_of(LanguageModelKind kind);
/// Throws ValueError that lists the names for another one.
LanguageModelKind language_model_kind(const std::string& name);

struct LanguageModelOptions {
  LanguageModelKind kind = LanguageModelKind::lstm;
  std::int64_t vocabulary = 0;
  std::int64_t width = 256;  ///< of embeddings and layers
  std::int64_t layers = 2;
  std::int64_t heads = 4;            ///< Transformer
  std::int64_t feed_forward = 1024;  ///< Transformer
  double dropout = 0.2;              ///< on embeddings, between and inside layers, before the output
  bool tie_output = true;            ///< the output layer is the embedding
  // Of a Transformer, as nn::TransformerLayerOptions has them.
  nn::Mixing mixing = nn::Mixing::attention;  ///< of the places of a text
  std::int64_t kernel_size = 7, reach = 8;
  nn::Normaliser normaliser = nn::Normaliser::softmax;  ///< of attention's weights
};

std::string to_json(const LanguageModelOptions& options);
/// Throws FormatError naming `source` for text that isn't of that form.
LanguageModelOptions language_model_options_of(const std::string& json, const std::string& source);

/// What a language model has read so far.
struct LanguageModelState {
  LSTMState recurrent;  ///< of LSTM and GRU
  nn::TransformerState transformer;
};

/// Which token comes next: embedding, layers of LSTM or GRU, or of a causal Transformer (normalised first, sinusoidal
/// positions, attention or another mixing of places), output layer.
class LanguageModel : public nn::Module<LanguageModel> {
 public:
  /// Throws ValueError for sizes that can't be.
  explicit LanguageModel(const LanguageModelOptions& options, const nn::Scope& scope = {});

  /// ids i32 or i64 [rows, steps] -> logits [rows, steps, vocabulary] of the ids that follow. `state` is where the text before
  /// ended (undefined: nowhere) and becomes where this one ends, detached; a GRU has no c in it, a Transformer keeps none.
  Var forward(const Tensor& ids, LSTMState& state);
  Var forward(const Tensor& ids);
  /// The same of a text from its beginning, with the tokens' vectors (not their positions) times `presence` [rows, steps]: how
  /// much of each token is there. Throws ShapeError.
  Var forward(const Tensor& ids, const Var& presence);
  /// The same behind all that the state has read, of a Transformer too: ids one by one get what they get all at once.
  Var step(const Tensor& ids, LanguageModelState& state);

  const LanguageModelOptions& options() const { return options_; }

 private:
  Var embedded(const Tensor& ids);
  Var read(const Var& x, LSTMState& state);
  Var logits(const Var& output);

  LanguageModelOptions options_;
  nn::Embedding embedding_;
  nn::SinusoidalPositions positions_;
  nn::Dropout dropout_;
  std::optional<nn::AnyRecurrent> recurrent_;
  std::optional<nn::TransformerEncoder> transformer_;
  std::optional<nn::Linear> output_;
};

/// What a run of LanguageModelTask has learned.
struct TrainedLanguageModel {
  /// The best weights of the run in `folder`, in evaluation mode. Throws IoError, FormatError.
  static TrainedLanguageModel load(const std::filesystem::path& folder);

  text::Symbols symbols;
  std::unique_ptr<LanguageModel> model;
};

/// A text cut into `rows` parts that are read next to each other, `window` tokens at a time.
struct TextWindows {
  TextWindows(std::span<const std::int32_t> ids, std::int64_t rows, std::int64_t window, std::int64_t offset = 0);

  std::int64_t count() const { return (length + window - 1) / window; }
  /// Window i: the tokens and those that follow them, i32 [rows, at most window].
  Tensor inputs(std::int64_t i) const { return cut(i, 0); }
  Tensor targets(std::int64_t i) const { return cut(i, 1); }

  std::span<const std::int32_t> ids;
  std::int64_t rows, window, offset;
  std::int64_t length;  ///< tokens of a row that have one behind them; what is left at the end has no row

 private:
  Tensor cut(std::int64_t i, std::int64_t shift) const;
};

/// Mean loss, in nats, of every token of a text but the first and what `rows` doesn't divide. LSTM and GRU read each row
/// through; a Transformer begins anew at every window. Nothing is recorded; dropout is as the model's mode says. Throws
/// ValueError for a text shorter than rows + 1.
double language_model_loss(LanguageModel& model, std::span<const std::int32_t> ids, std::int64_t rows, std::int64_t window);

/// The loss, in nats, of each token of a text but the first, read in one go; nothing is recorded. Throws ValueError for an
/// empty text.
std::vector<double> token_losses(LanguageModel& model, std::span<const std::int32_t> ids);

struct ContinuationOptions {
  std::int64_t length = 200;  ///< tokens to write
  TokenFilter filter = {};    ///< which can be drawn; top_k 1: the likeliest
  std::int64_t window = 128;  ///< a Transformer sees so many tokens at most; behind them it begins anew with the later half
};

/// Goes on from `prompt`, which isn't part of the result. Throws ValueError for an empty prompt and options that can't be,
/// NumericError where the model gives NaN or infinity.
std::vector<std::int32_t> continuation(LanguageModel& model, std::span<const std::int32_t> prompt, Generator& generator,
                                       const ContinuationOptions& options = {});

}  // namespace weft::seq2seq
