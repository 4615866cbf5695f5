#include "weft/seq2seq/transducer_model.hpp"

#include <map>
#include <set>

#include "base/fail.hpp"
#include "seq2seq/feature_encoder.hpp"
#include "seq2seq/label_batch.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/sequence_loss.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "TransducerModel";

TransducerModelOptions checked(const TransducerModelOptions& o) {
  with_positive_sizes(where, o);
  check<ValueError>(o.embedding > 0 && o.prediction > 0 && o.joint > 0, where,
                    "embedding {}, prediction {}, joint {}; each must be positive", o.embedding, o.prediction, o.joint);
  return o;
}

using Classes = std::vector<std::int64_t>;

// Fewest labels first: each behind those that it goes on from.
struct ByLength {
  bool operator()(const Classes& a, const Classes& b) const { return a.size() != b.size() ? a.size() < b.size() : a < b; }
};

}  // namespace

/// What the prediction network makes of labels, by the labels; made when it is asked for, and kept.
class TransducerModel::Predictions {
 public:
  explicit Predictions(TransducerModel& model) : model_(model) {}

  /// Makes those of all places that aren't known yet, as many at a time as have one length.
  void make(const std::vector<nn::TransducerPlace>& places) {
    std::set<Classes, ByLength> missing;
    for (const nn::TransducerPlace& place : places)
      for (Classes labels = place.labels;
           known_.find(labels) == known_.end() && missing.insert(labels).second && !labels.empty();)
        labels.pop_back();
    while (!missing.empty()) {
      std::vector<Classes> alike;
      while (!missing.empty() && (alike.empty() || missing.begin()->size() == alike[0].size()))
        alike.push_back(std::move(missing.extract(missing.begin()).value()));
      step(alike);
    }
  }

  /// V prediction of labels that were made [joint].
  const Tensor& of(const Classes& labels) const { return known_.at(labels).projected; }

 private:
  struct Known {
    LSTMState state;
    Tensor projected;
  };

  void step(const std::vector<Classes>& all) {
    const auto count = static_cast<std::int64_t>(all.size());
    Tensor last = Tensor::zeros({count, 1}, i64);
    LSTMState before;
    if (!all[0].empty()) {
      PoolVector<Var> h, c;
      for (std::int64_t i = 0; i < count; ++i) {
        const Classes& labels = all[static_cast<std::size_t>(i)];
        last.mutable_data<std::int64_t>()[i] = labels.back();
        const LSTMState& parent = known_.at(Classes(labels.begin(), labels.end() - 1)).state;
        h.push_back(parent.h);
        if (parent.c.defined()) c.push_back(parent.c);
      }
      before = {concat(h, 1), c.empty() ? Var() : concat(c, 1)};
    }
    const nn::LSTMOutput out = model_.prediction_(model_.embedding_(last), {}, before);
    const Tensor projected = model_.from_prediction_(out.output).value();  // [count, 1, joint]
    for (std::int64_t i = 0; i < count; ++i)
      known_[all[static_cast<std::size_t>(i)]] = {
          {slice(out.h, 1, i, i + 1), out.c.defined() ? slice(out.c, 1, i, i + 1) : Var()},
          projected.select(0, i).select(0, 0)};
  }

  TransducerModel& model_;
  std::map<Classes, Known> known_;
};

TransducerModel::TransducerModel(const TransducerModelOptions& options, const nn::Scope& scope)
    : Module(scope),
      options_(checked(options)),
      encoder_(options.recurrent, encoder_options(options), {this, "encoder"}),
      embedding_({.num_embeddings = options.labels + 1, .embedding_dim = options.embedding}, {this, "embedding"}),
      prediction_(options.recurrent, {.input_size = options.embedding, .hidden_size = options.prediction},
                  {this, "prediction"}),
      from_encoder_({.in_features = 2 * options.hidden, .out_features = options.joint}, {this, "from_encoder"}),
      from_prediction_({.in_features = options.prediction, .out_features = options.joint, .bias = false},
                       {this, "from_prediction"}),
      output_({.in_features = options.joint, .out_features = options.labels + 1}, {this, "output"}),
      dropout_({.p = options.dropout}, {this, "dropout"}) {}

Var TransducerModel::classes_of(const Var& sums) { return output_(dropout_(tanh(sums))); }

Var TransducerModel::encoded(const Padded& source) {
  const Tensor& x = checked_features(where, source, options_.source_size);
  return from_encoder_(dropout_(encoder_(x.to(output_.weight->value().dtype()), source.lengths).output));
}

Var TransducerModel::forward(const Padded& source, std::span<const TokenIds* const> targets) {
  return logits(source, label_batch(where, source, targets, options_.labels));
}

Var TransducerModel::logits(const Padded& source, const LabelBatch& labels) {
  const std::int64_t rows = labels.classes.size(0), most = labels.classes.size(1);
  const Tensor behind = Tensor::zeros({rows, most + 1}, i64);  // the blank, then the labels
  Tensor said = behind.slice(1, 1, most + 1);
  said.copy_from(labels.classes);
  const Var predicted = from_prediction_(dropout_(prediction_(embedding_(behind)).output));
  return classes_of(unsqueeze(encoded(source), 2) + unsqueeze(predicted, 1));
}

Var TransducerModel::loss(const Padded& source, std::span<const TokenIds* const> targets) {
  const nn::ModuleScope scope(*this);
  const LabelBatch labels = label_batch(where, source, targets, options_.labels);
  return transducer_loss(logits(source, labels), labels.classes, source.lengths, labels.lengths,
                         {.reduction = LossReduction::sum}) /
         static_cast<double>(labels.count);
}

std::vector<nn::DecodedLabels> TransducerModel::transcribe(const Padded& source, std::int64_t beam, std::int64_t max_labels) {
  const NoGrad nothing_recorded;
  const nn::ModuleScope scope(*this);
  const Tensor frames = encoded(source).value();
  Predictions predictions(*this);
  const nn::TransducerScores scores = [&](const std::vector<nn::TransducerPlace>& places) {
    predictions.make(places);
    const auto count = static_cast<std::int64_t>(places.size());
    Tensor heard = Tensor::empty({count, options_.joint}, frames.dtype()), said = heard.empty_like();
    for (std::int64_t i = 0; i < count; ++i) {
      const nn::TransducerPlace& place = places[static_cast<std::size_t>(i)];
      Tensor to = heard.select(0, i), from = said.select(0, i);
      to.copy_from(frames.select(0, place.row).select(0, place.frame));
      from.copy_from(predictions.of(place.labels));
    }
    return classes_of(Var(heard) + Var(said)).value();
  };
  std::vector<nn::DecodedLabels> result;
  if (beam == 1) {
    result = nn::transducer_greedy(scores, source.lengths, {.max_labels = max_labels});
  } else {
    for (auto& found : nn::transducer_beam_search(scores, source.lengths, {.max_labels = max_labels, .beam_width = beam})) {
      check<ValueError>(!found.empty(), where, "row {}: the blank has the probability 0, without which nothing ends",
                        result.size());
      result.push_back(std::move(found[0]));
    }
  }
  for (nn::DecodedLabels& row : result)
    for (std::int64_t& label : row.labels) --label;
  return result;
}

}  // namespace weft::seq2seq
