#include "compare/peer.hpp"

#include <ATen/Context.h>

#include <cstdlib>
#include <string_view>

namespace bench {
namespace {

constexpr Entry entries[] = {{"lstm", lstm},     {"transformer", transformer},
                             {"gpt2", gpt2},     {"attention", attention},
                             {"ragged", ragged}, {"conv", conv},
                             {"ctc", ctc},       {"mlp", mlp},
                             {"tape", tape}};

template <class Value>
void fill(torch::Tensor target, const Value& value) {
  const std::int64_t count = target.numel();
  if (target.scalar_type() == torch::kFloat64) {
    auto* elements = target.data_ptr<double>();
    for (std::int64_t i = 0; i < count; ++i) elements[i] = value(i);
  } else {
    auto* elements = target.data_ptr<float>();
    for (std::int64_t i = 0; i < count; ++i) elements[i] = static_cast<float>(value(i));
  }
}

bool asked(const char* variable, bool otherwise) {
  const char* value = std::getenv(variable);
  return value == nullptr ? otherwise : std::string_view(value) == "1";
}

// Rows with a token before or after them (-1: none), padded to `length`.
torch::Tensor padded(const Rows& rows, std::int64_t length, std::int32_t before, std::int32_t after) {
  torch::Tensor ids = torch::full({static_cast<std::int64_t>(rows.size()), length}, pad_id, torch::kInt64);
  auto* row = ids.data_ptr<std::int64_t>();
  for (const auto& tokens : rows) {
    std::int64_t* place = row;
    if (before >= 0) *place++ = before;
    place = std::copy(tokens.begin(), tokens.end(), place);
    if (after >= 0) *place = after;
    row += length;
  }
  return ids;
}

}  // namespace

std::span<const Entry> works() { return entries; }

// compare.sh tries libtorch's settings, by environment variables of 0 or 1.
void prepare(const Settings& settings) {
  torch::set_num_threads(settings.threads);
  torch::set_num_interop_threads(1);
  at::globalContext().setFlushDenormal(asked("PEER_FLUSH_DENORMALS", true));
  at::globalContext().setUserEnabledMkldnn(asked("PEER_MKLDNN", true));
  torch::set_default_dtype(caffe2::TypeMeta::fromScalarType(settings.f64 ? torch::kFloat64 : torch::kFloat32));
  torch::manual_seed(1);
}

bool drops_gradients() { return asked("PEER_DROP_GRADIENTS", true); }

torch::Tensor data(std::string_view name, torch::IntArrayRef sizes, double scale) {
  torch::Tensor result = torch::empty(sizes);
  fill(result, [&](std::int64_t i) { return scale * value_of(name, i); });
  return result;
}

torch::Tensor tokens(torch::IntArrayRef sizes, std::int64_t vocabulary, std::int64_t seed) {
  torch::Tensor result = torch::empty(sizes, torch::kInt64);
  auto* elements = result.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < result.numel(); ++i) elements[i] = token_of(i, vocabulary, seed);
  return result;
}

void fill_parameters(torch::nn::Module& model) {
  const torch::NoGradGuard no_grad;
  for (const auto& item : model.named_parameters()) {
    const std::vector<std::int64_t> sizes = item.value().sizes().vec();
    fill(item.value(), [&](std::int64_t i) { return first_value(item.key(), sizes, i); });
  }
}

Pairs sentence_pairs(std::int64_t rows, std::int64_t length, std::int64_t vocabulary) {
  const Rows source = token_rows(rows, length, vocabulary, 1), target = token_rows(rows, length - 1, vocabulary, 2);
  Pairs pairs;
  pairs.source = padded(source, length, -1, -1);
  pairs.mask = pairs.source != pad_id;
  pairs.lengths = pairs.mask.sum(1);
  pairs.target_in = padded(target, length, begin_id, -1);
  pairs.target_out = padded(target, length, -1, end_id);
  for (const auto& row : target) pairs.target_tokens += static_cast<double>(row.size() + 1);
  return pairs;
}

torch::Tensor smoothed_loss(const torch::Tensor& logits, const torch::Tensor& targets) {
  namespace F = torch::nn::functional;
  return F::cross_entropy(logits, targets, F::CrossEntropyFuncOptions().ignore_index(pad_id).label_smoothing(0.1));
}

}  // namespace bench
