#pragma once
#include <array>
#include <functional>
#include <vector>

#include "weft/nn/attention/attention.hpp"

namespace weft::test {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

/// Rows of a matrix, or of a weight.
Matrix matrix_of(const Tensor& x);
double product(const Vector& a, const Vector& b);
Vector product(const Matrix& w, const Vector& x);

/// Weights of one query's scores, zeros where a place isn't open; all zeros where none is.
using PlainNormaliser = std::function<Vector(const Vector& scores, const std::vector<bool>& open)>;
Vector plain_softmax(const Vector& scores, const std::vector<bool>& open);
PlainNormaliser plain_normaliser(nn::Normaliser normaliser);
/// Each has its plain form.
inline constexpr std::array normalisers = {nn::Normaliser::softmax, nn::Normaliser::sparsemax, nn::Normaliser::entmax15};

/// Weights [queries][places] of one row as loops in double make them: queries, keys, which places are open.
using PlainWeights = std::function<Matrix(const Matrix& queries, const Matrix& keys, const std::vector<bool>& open)>;
/// Those of a score that looks at one query and one key.
PlainWeights weights_of(PlainNormaliser normalise, std::function<double(const Vector& query, const Vector& key)> score);

/// The sizes of what check_attention gives.
inline constexpr std::int64_t attention_size = 3;

/// What every kind of attention (of queries and keys of size 3) must do, in f64: equal the plain loops to 1e-10; give zeros to
/// rows without places; let nothing of what is masked through; give padded rows what they get alone to 1e-12; give queries one
/// by one, beams of one sentence and chosen rows what they get all at once, gradients too; pass the gradient check to second
/// order.
void check_attention(nn::attention::Attention& attention, const PlainWeights& plain);
/// The same but for the plain loops and values of any size, for a kind whose context isn't a mean of the values (of size 2).
void check_attention(nn::attention::Attention& attention);

/// Gradients by the history that a kind is given, to second order, in f64.
void check_history_gradients(nn::attention::Attention& attention);

/// Bad input that every kind must refuse, naming itself and both shapes. `kept`: how a memory of values [3, 4, 3] shows.
void check_refusals(nn::attention::Attention& attention, const std::string& name, const std::string& kept = "f64[3, 4, 3]");

}  // namespace weft::test
