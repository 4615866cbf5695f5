#pragma once
// The works on libtorch, one file each; what they share.
#include <torch/torch.h>

#include <string_view>
#include <vector>

#include "work/values.hpp"
#include "work/work.hpp"

namespace bench {

Work attention(const Settings& settings);
Work conv(const Settings& settings);
Work ctc(const Settings& settings);
Work gpt2(const Settings& settings);
Work lstm(const Settings& settings);
Work mlp(const Settings& settings);
Work ragged(const Settings& settings);
Work tape(const Settings& settings);
Work transformer(const Settings& settings);

/// As data() and tokens() of models/models.hpp; ids are i64, which libtorch's embedding is fastest with.
torch::Tensor data(std::string_view name, torch::IntArrayRef sizes, double scale = 1);
torch::Tensor tokens(torch::IntArrayRef sizes, std::int64_t vocabulary, std::int64_t seed);
/// Gives every parameter its first values by its name.
void fill_parameters(torch::nn::Module& model);

/// Sentence pairs as weft::seq2seq::make_batch makes them: i64 ids [rows, length], lengths [rows] on the host, mask bool, true
/// at tokens.
struct Pairs {
  torch::Tensor source, lengths, mask, target_in, target_out;
  double target_tokens = 0;
};
Pairs sentence_pairs(std::int64_t rows, std::int64_t length, std::int64_t vocabulary);

/// Cross entropy with label smoothing 0.1 over the targets that aren't padding; logits [n, V], targets [n].
torch::Tensor smoothed_loss(const torch::Tensor& logits, const torch::Tensor& targets);

}  // namespace bench
