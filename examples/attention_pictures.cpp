// The pictures of docs/attention.md: the weights of every kind, computed by its module on a small input whose right alignment
// is plain. The modules' parameters are set by hand, so that what makes a kind different from others is all that one sees.
//
//   attention_pictures FOLDER     writes an SVG file for each kind into FOLDER
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>
#include <weft/train/heat_map.hpp>
#include <weft/weft.hpp>

using namespace weft;
using namespace weft::nn::attention;

namespace {

using Numbers = std::vector<double>;
using Words = std::vector<std::string>;

// ---- Inputs ----

Tensor tensor(const Numbers& values, const Shape& shape) { return Tensor::from(std::span<const double>(values), shape); }

Numbers matrix(std::int64_t rows, std::int64_t columns, const std::function<double(std::int64_t, std::int64_t)>& element) {
  Numbers values;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) values.push_back(element(i, j));
  return values;
}

Numbers diagonal(std::int64_t size, double value) {
  return matrix(size, size, [&](auto i, auto j) { return i == j ? value : 0; });
}

/// The letters of `text` as one-hot vectors over those of `alphabet`, of length `scale`: [1, letters, size of the alphabet].
Tensor one_hot(const std::string& text, const std::string& alphabet, double scale = 1) {
  const auto places = static_cast<std::int64_t>(text.size()), size = static_cast<std::int64_t>(alphabet.size());
  return tensor(matrix(places, size,
                       [&](auto i, auto j) {
                         return text[static_cast<std::size_t>(i)] == alphabet[static_cast<std::size_t>(j)] ? scale : 0;
                       }),
                {1, places, size});
}

/// A sequence of numbers: [1, count, 1].
Tensor column(const Numbers& values) { return tensor(values, {1, static_cast<std::int64_t>(values.size()), 1}); }

/// Letters and their places as one vector of `size`: the letter (of "abc") from element 0 on, the place from element 3 on.
Tensor letters_and_places(const std::string& text, std::int64_t size) {
  const Tensor letters = one_hot(text, "abc");
  const std::int64_t places = letters.size(1);
  return tensor(matrix(places, size,
                       [&](auto i, auto j) {
                         if (j < 3) return letters.at({0, i, j});
                         return j == 3 + i ? 1.0 : 0.0;
                       }),
                {1, places, size});
}

/// The module in f64, with these values for the parameters that are named and zeros for all others.
void set(nn::ModuleBase& module, const std::vector<std::pair<std::string, Numbers>>& values) {
  module.to(f64);
  StateDict state = module.state_dict();
  for (auto& [name, value] : state) value.fill(0);
  for (const auto& [wanted, numbers] : values) {
    const auto same = [&](const NamedTensor& parameter) { return parameter.name == wanted; };
    const auto found = std::find_if(state.begin(), state.end(), same);
    if (found == state.end()) throw ValueError("no parameter " + wanted);
    found->tensor.copy_from(tensor(numbers, found->tensor.shape()));
  }
}

// ---- Pictures ----

Words letters(const std::string& text) {
  Words words;
  for (const char letter : text) words.emplace_back(1, letter);
  return words;
}

Words numbered(const std::string& word, int count) {
  Words words;
  for (int i = 1; i <= count; ++i) words.push_back(fmt::format("{} {}", word, i));
  return words;
}

Words counted(int count) {
  Words words;
  for (int i = 0; i < count; ++i) words.push_back(fmt::format("{}", i));
  return words;
}

Words joined(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Numbers numbers_of(const Var& x) {
  const Tensor dense = x.value().contiguous();
  return {dense.data<double>(), dense.data<double>() + dense.numel()};
}

HeatMap picture(std::string title, Words rows, Words columns, Numbers weights, std::string row_axis = "query",
                std::string column_axis = "key") {
  // To the digits that are written. Halves, which the last bit of a processor's sum would round up or down, go up.
  for (double& weight : weights) weight = std::floor(1000 * weight + 0.5 + 1e-6) / 1000;
  return {.title = std::move(title),
          .rows = std::move(rows),
          .columns = std::move(columns),
          .weights = std::move(weights),
          .row_axis = std::move(row_axis),
          .column_axis = std::move(column_axis)};
}

Var weights_of(Attention& attention, const Tensor& query, const Tensor& keys) { return attention(query, keys, keys).weights; }

// ---- Scores ----

const std::string cases = "aBcAbC";  // a capital letter is the small one's vector, twice as long

Tensor cased(double length) {
  Tensor x = one_hot("abcabc", "abc", length);
  auto* to = x.mutable_data<double>();
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (std::size_t j = 0; j < 3 && cases[i] < 'a'; ++j) to[3 * i + j] *= 2;
  return x;
}

HeatMap dot() {
  Dot attention;
  return picture("Dot: letters, capitals twice as long", letters(cases), letters(cases),
                 numbers_of(weights_of(attention, cased(1.5), cased(1.5))));
}

HeatMap scaled_dot() {
  Dot attention({.scaled = true});
  return picture("Scaled dot: letters, capitals twice as long", letters(cases), letters(cases),
                 numbers_of(weights_of(attention, cased(1.5), cased(1.5))));
}

HeatMap cosine() {
  Cosine attention({.temperature = 0.25});
  return picture("Cosine: letters, capitals twice as long", letters(cases), letters(cases),
                 numbers_of(weights_of(attention, cased(1.5), cased(1.5))));
}

HeatMap general() {
  General attention({.query_dim = 4, .key_dim = 4});
  set(attention, {{"query.weight", matrix(4, 4, [](auto to, auto from) { return to == from + 1 ? 4 : 0; })}});
  return picture("General: W makes of a letter the next one", letters("abc"), letters("badcab"),
                 numbers_of(weights_of(attention, one_hot("abc", "abcd"), one_hot("badcab", "abcd"))));
}

const Numbers digits = {3, 1, 4, 1, 5, 9, 2, 6};

HeatMap additive() {
  // tanh(3 (k - q) + 1.5) - tanh(3 (k - q) - 1.5): a bump where both are equal. A query is a number and a 1.
  Additive attention({.query_dim = 2, .key_dim = 1, .hidden = 2});
  set(attention, {{"query.weight", {-3, 1.5, -3, -1.5}}, {"key.weight", {3, 3}}, {"score.weight", {3, -3}}});
  const Tensor queries = tensor({1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1}, {1, 6, 2});
  return picture("Additive: numbers that are near", letters("123456"), letters("31415926"),
                 numbers_of(weights_of(attention, queries, column(digits))));
}

HeatMap concat() {
  Concat attention({.query_dim = 1, .key_dim = 1, .hidden = 1});
  set(attention, {{"projection.weight", {-2, 2}}, {"score.weight", {3}}});
  return picture("Concat: numbers that are larger", letters("123456"), letters("31415926"),
                 numbers_of(weights_of(attention, column({1, 2, 3, 4, 5, 6}), column(digits))));
}

HeatMap location() {
  // One unit for the first place, one for the place behind the last query's.
  Location attention({.query_dim = 1, .key_dim = 1, .hidden = 2, .channels = 1, .kernel = 3});
  set(attention, {{"key.weight", {1, 0}}, {"filters", {1, 0, 0}}, {"location.weight", {0, 3}}, {"score.weight", {4, 6}}});
  return picture("Location-aware: all places alike but the first", numbered("query", 7), letters("^aaaaaa"),
                 numbers_of(weights_of(attention, Tensor::zeros({1, 7, 1}, f64), column({1, 0, 0, 0, 0, 0, 0}))));
}

HeatMap coverage() {
  Coverage attention({.query_dim = 1, .key_dim = 1, .hidden = 2});
  set(attention, {{"key.weight", {0.1, 0}}, {"coverage.weight", {0, 1}}, {"score.weight", {60, -45}}});
  return picture("Coverage: one query again and again", numbered("query", 5), letters("35142"),
                 numbers_of(weights_of(attention, Tensor::zeros({1, 5, 1}, f64), column({3, 5, 1, 4, 2}))));
}

// ---- Reach ----

HeatMap local_m() {
  const std::string text = "abcababc";
  LocalM attention({.query_dim = 3, .key_dim = 3, .window = 2});
  set(attention, {{"query.weight", diagonal(3, 3)}});
  return picture("Local-m: the same letter, within 2 places", letters(text), letters(text),
                 numbers_of(weights_of(attention, one_hot(text, "abc"), one_hot(text, "abc"))));
}

HeatMap local_p() {
  constexpr double places = 8, small = 0.01;  // tanh of small numbers is nearly the number
  LocalP attention({.query_dim = 1, .key_dim = 1, .hidden = 1, .window = 2});
  set(attention, {{"position.weight", {small}}, {"position_score.weight", {1 / small}}});
  Words rows;
  Numbers queries;
  for (const double position : {6.2, 5.2, 4.2, 3.2, 2.2, 1.2}) {
    rows.push_back(fmt::format("{}", position));
    queries.push_back(std::log(position / (places - position)));
  }
  return picture("Local-p: keys alike, D = 2", rows, counted(8),
                 numbers_of(weights_of(attention, column(queries), Tensor::zeros({1, 8, 1}, f64))), "predicted", "place");
}

HeatMap sparse(SparsePattern pattern, std::string title) {
  const std::string text = "abcabcabc";
  const Tensor x = one_hot(text, "abc", 1.5).unsqueeze(1);
  const Var weights =
      sparse_attention(x, x, x, {.pattern = pattern, .reach = 3, .causal = true, .scale = 1, .need_weights = true}).weights;
  return picture(std::move(title), letters(text), letters(text), numbers_of(weights));
}

HeatMap block() { return sparse(SparsePattern::block, "Block-local: causal, blocks of 3"); }
HeatMap strided() { return sparse(SparsePattern::strided, "Strided: causal, every 3rd place"); }
HeatMap window() { return sparse(SparsePattern::window, "Window: causal, 3 places"); }

// ---- Several levels ----

HeatMap pooling() {
  const std::string text = "attention", alphabet = "aeiont";
  Pooling attention({.size = 6, .hidden = 2});
  Numbers weights;
  for (const Numbers& context : {Numbers{4, 0}, Numbers{0, 4}}) {
    set(attention, {{"key.weight", {2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 2}}, {"context", context}});
    const Numbers row = numbers_of(attention(one_hot(text, alphabet)).weights);
    weights.insert(weights.end(), row.begin(), row.end());
  }
  return picture("Pooling: two learned vectors", {"for vowels", "for t"}, letters(text), weights, "vector", "place");
}

HeatMap hierarchical() {
  // Each word is a number: how much it tells. Encoders that pass it on (update gates 0), and vectors that look for large ones.
  Hierarchical attention({.input_size = 1, .hidden = 1, .context = 1});
  std::vector<std::pair<std::string, Numbers>> values;
  for (const int level : {0, 1}) {
    const std::string path = fmt::format("levels.{}.", level);
    for (const char* direction : {"", "_reverse"}) {
      const Numbers candidate = level == 0 ? Numbers{0, 0, 0, 0, 0.4, 0.4} : Numbers{0, 0, 2};
      values.emplace_back(path + "encoder.weight_ih_l0" + direction, candidate);
      values.emplace_back(path + "encoder.bias_ih_l0" + direction, Numbers{0, -40, 0});
    }
    values.emplace_back(path + "pooling.key.weight", Numbers{1, 1});
    values.emplace_back(path + "pooling.context", Numbers{4});
  }
  set(attention, values);
  const Tensor words = tensor({0, 0, 0, 0.15, 0, 0, 0.15, 2, 0, 0, 0, 0}, {1, 3, 4, 1});
  const HierarchicalOutput out = attention(words);
  const Numbers sentences = numbers_of(out.weights[0]), in_sentence = numbers_of(out.weights[1]);
  Numbers weights;
  for (std::size_t i = 0; i < 3; ++i) {
    weights.push_back(sentences[i]);
    for (std::size_t j = 0; j < 4; ++j) weights.push_back(in_sentence[4 * i + j]);
  }
  return picture("Hierarchical: sentences, and their words", {"we saw a film", "it was so good", "then home by bus"},
                 joined({"sentence"}, numbered("word", 4)), weights, "document", "weight of");
}

// ---- Over pictures, heads of decoders ----

HeatMap grid() {
  const std::string board[] = {"x.o.", ".ox.", "o...", "..ox"};
  Tensor cells = one_hot(board[0] + board[1] + board[2] + board[3], "xo.", 2);  // [1, 16, 3]
  Dot attention;
  const nn::AttentionMemory memory = remember_grid(attention, cells.transpose(1, 2).reshape({1, 3, 4, 4}));
  const Var weights = attention(one_hot("x", "xo.", 2), memory).weights;
  return picture("Grid: the query is a cross", {board, board + 4}, letters("1234"), numbers_of(on_grid(weights, 4, 4)), "row",
                 "column");
}

HeatMap pointer_generator() {
  PointerGenerator pointer({.context_dim = 1, .state_dim = 1});
  Numbers rows;
  for (const double gate : {40.0, 0.0, -40.0}) {
    set(pointer, {{"gate.bias", {gate}}});
    const Var none = Tensor::zeros({1, 1, 1}, f64);
    const PointerGeneratorOutput out = pointer(PointerGeneratorInput{.context = none,
                                                                     .state = none,
                                                                     .logits = tensor({2, 1, 1, 3}, {1, 1, 4}),
                                                                     .weights = tensor({0.1, 0.9}, {1, 1, 2}),
                                                                     .source = Tensor::from<std::int64_t>({1, 4}, {1, 2}),
                                                                     .extended = 5});
    const Numbers row = numbers_of(out.output);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return picture("Pointer-generator: after the source “met Nyx”", {"g = 1: generate", "g = ½", "g = 0: copy"},
                 {"she", "met", "saw", "<unk>", "Nyx"}, rows, "gate", "next word");
}

// ---- Heads ----

const std::string looped = "abcab";

HeatMap multi_head() {
  constexpr std::int64_t size = 16, head = 8;
  nn::MultiheadAttention attention({.embed_dim = size, .num_heads = 2});
  Numbers projection(3 * size * size, 0.0);
  const auto at = [&](std::int64_t row, std::int64_t from) -> double& {
    return projection[static_cast<std::size_t>(row * size + from)];
  };
  for (int letter = 0; letter < 3; ++letter) at(letter, letter) = at(size + letter, letter) = 3.5;
  for (int place = 0; place < 5; ++place) {
    at(head + place, 3 + place) = 3.5;             // a query asks for what says: I am before it
    at(size + head + place + 1, 3 + place) = 3.5;  // a key says so to the place behind
  }
  set(attention, {{"in_proj_weight", projection}});
  const Tensor x = letters_and_places(looped, size);
  Words rows;
  for (const char* name : {"1: ", "2: "})
    for (const char letter : looped) rows.push_back(name + std::string(1, letter));
  return picture("Multi-head: two heads", rows, letters(looped),
                 numbers_of(attention(x, x, x, AttentionMask{}, nn::AttentionWeights::per_head).weights), "head: query");
}

HeatMap grouped_query() {
  constexpr std::int64_t size = 32, head = 8;
  nn::MultiheadAttention attention({.embed_dim = size, .num_heads = 4, .kv_heads = 2});
  Numbers projection((size + 4 * head) * size, 0.0);
  const auto at = [&](std::int64_t row, std::int64_t from) -> double& {
    return projection[static_cast<std::size_t>(row * size + from)];
  };
  for (int letter = 0; letter < 3; ++letter) {
    at(letter, letter) = at(head + (letter + 1) % 3, letter) = 3.5;  // heads 1 and 2
    at(size + letter, letter) = 3.5;                                 // their keys
  }
  for (int place = 0; place < 5; ++place) {
    if (place > 0) at(2 * head + place - 1, 3 + place) = 3.5;  // head 3
    at(3 * head + place + 1, 3 + place) = 3.5;                 // head 4
    at(size + head + place, 3 + place) = 3.5;                  // their keys
  }
  set(attention, {{"in_proj_weight", projection}});
  const Tensor x = letters_and_places(looped, size);
  const Tensor weights = attention(x, x, x, AttentionMask{}, nn::AttentionWeights::per_head).weights.value();
  return picture("Grouped-query: 4 heads, 2 of keys", {"1, letters", "2, letters", "3, places", "4, places"}, letters(looped),
                 numbers_of(weights.select(2, 2)), "head, keys of (query c)");
}

// ---- Positions ----

/// Per-head weights [heads, queries, keys] of attention of x to itself.
Tensor to_itself(nn::MultiheadAttention& attention, const Tensor& x, bool causal) {
  return attention(x, x, x, AttentionMask{.causal = causal}, nn::AttentionWeights::per_head).weights.value().select(0, 0);
}

HeatMap sinusoid() {
  nn::SinusoidalPositions positions;
  const Tensor x = positions(Tensor::zeros({1, 8, 16}, f64)).value();
  Dot attention;
  return picture("Sinusoids: the dot products of places", counted(8), counted(8), numbers_of(weights_of(attention, x, x)));
}

HeatMap rotary() {
  // Letter a is in the second pair of numbers, which turns by 0.43 from place to place, b in the fourth: 0.08.
  const std::string text = "abababab";
  nn::MultiheadAttention attention(
      {.embed_dim = 8, .num_heads = 1, .positions = nn::AttentionPositions::rotary, .rotary_base = 30});
  set(attention, {{"in_proj_weight", matrix(24, 8, [](auto i, auto j) { return i < 16 && i % 8 == j ? 3.4 : 0; })}});
  const Tensor x = tensor(
      matrix(8, 8, [&](auto i, auto j) { return j == (text[static_cast<std::size_t>(i)] == 'a' ? 2 : 6) ? 1 : 0; }), {1, 8, 8});
  return picture("Rotary: a in a quick pair, b in a slow one", letters(text), letters(text),
                 numbers_of(to_itself(attention, x, false)));
}

/// The weights of the last place for all before it, head after head, where the input says nothing.
Numbers of_last_place(nn::MultiheadAttention& attention, std::int64_t places, std::int64_t size) {
  const Tensor weights = to_itself(attention, Tensor::zeros({1, places, size}, f64), true);
  return numbers_of(weights.select(1, places - 1));
}

HeatMap alibi() {
  nn::MultiheadAttention attention({.embed_dim = 8, .num_heads = 8, .positions = nn::AttentionPositions::alibi});
  set(attention, {});
  return picture("ALiBi: 8 heads, the query is the last place", numbered("head", 8), counted(8), of_last_place(attention, 8, 8),
                 "head", "place");
}

HeatMap shaw() {
  nn::MultiheadAttention attention(
      {.embed_dim = 1, .num_heads = 1, .positions = nn::AttentionPositions::shaw, .max_distance = 2});
  set(attention, {{"in_proj_weight", {1, 0, 0}}, {"relative.key", {2, 4, 1, 0, 0}}});
  const Tensor x = Tensor::ones({1, 7, 1}, f64);
  return picture("Shaw: distances −2 to 2", counted(7), counted(7), numbers_of(to_itself(attention, x, false)), "query",
                 "place");
}

HeatMap t5() {
  nn::MultiheadAttention attention({.embed_dim = 3,
                                    .num_heads = 3,
                                    .positions = nn::AttentionPositions::t5,
                                    .max_distance = 16,
                                    .num_buckets = 8,
                                    .bidirectional = false});
  set(attention, {{"relative_bias.weight", matrix(8, 3, [](auto bucket, auto head) {
                     const auto b = static_cast<double>(bucket);
                     if (head == 0) return -b;
                     return head == 1 ? b : -2 * std::abs(b - 4);
                   })}});
  return picture("T5: 8 buckets, the query is the last place", {"falling bias", "rising bias", "bucket 4"}, counted(14),
                 of_last_place(attention, 14, 3), "head", "place");
}

// ---- Weights that are 0 ----

HeatMap normalisers() {
  const Numbers scores = {2, 1.6, 1.2, 0.8, 0.4, 0, -0.4, -0.8};
  Words columns;
  for (const double score : scores) columns.push_back(fmt::format("{}", score));
  Numbers weights;
  for (const nn::Normaliser kind : {nn::Normaliser::softmax, nn::Normaliser::entmax15, nn::Normaliser::sparsemax}) {
    const Numbers row = numbers_of(nn::normalised(kind, tensor(scores, {1, 8})));
    weights.insert(weights.end(), row.begin(), row.end());
  }
  return picture("The same scores", {"softmax", "1.5-entmax", "sparsemax"}, columns, weights, "normaliser", "score");
}

HeatMap adaptive_span() {
  nn::MultiheadAttention attention({.embed_dim = 4, .num_heads = 4, .max_span = 8, .span_ramp = 3});
  set(attention, {{"span.span", {0, 0.25, 0.5, 1}}});
  return picture("Adaptive span: R = 3, the query is the last place", {"z = 0", "z = 2", "z = 4", "z = 8"}, counted(10),
                 of_last_place(attention, 10, 4), "head", "place");
}

// ---- Light and dynamic ----

HeatMap lightweight() {
  nn::LightweightConv convolution({.embed_dim = 1, .num_heads = 1, .kernel_size = 3});
  set(convolution, {{"weight", {0, 1, 2}}});
  const Tensor x = Tensor::ones({1, 8, 1}, f64);
  const Var weights = convolution(x, AttentionMask{.causal = true}, nn::AttentionWeights::per_head).weights;
  return picture("Lightweight convolution: 3 places, causal", counted(8), counted(8), numbers_of(weights), "query", "place");
}

HeatMap dynamic() {
  // The first half of linear1 passes x on, the second is its gate, open. a wants itself, b and c the places before.
  const std::string text = "aabcabca";
  nn::DynamicConv convolution({.embed_dim = 3, .num_heads = 1, .kernel_size = 3});
  set(convolution, {{"linear1.weight", matrix(6, 3, [](auto i, auto j) { return i == j ? 1 : 0; })},
                    {"linear1.bias", {0, 0, 0, 40, 40, 40}},
                    {"weight_linear.weight", {0, 0, 4, 0, 4, 0, 4, 0, 0}}});
  const Var weights = convolution(one_hot(text, "abc"), AttentionMask{.causal = true}, nn::AttentionWeights::per_head).weights;
  return picture("Dynamic convolution: 3 places, causal", letters(text), letters(text), numbers_of(weights));
}

HeatMap linear_attention() {
  const std::string text = "attention", alphabet = "aeiont", asked = "tne";
  const Numbers projection = diagonal(6, 3);
  nn::LinearAttention linear({.embed_dim = 6, .num_heads = 1});
  set(linear, {{"q_proj.weight", projection}, {"k_proj.weight", projection}});
  const Tensor query = one_hot(asked, alphabet), keys = one_hot(text, alphabet);
  Dot softmax({.scaled = true});
  const Numbers sharp = numbers_of(weights_of(softmax, one_hot(asked, alphabet, 3), one_hot(text, alphabet, 3)));
  Numbers weights = numbers_of(linear(query, keys, keys, AttentionMask{}, nn::AttentionWeights::per_head).weights);
  weights.insert(weights.end(), sharp.begin(), sharp.end());
  return picture("Linear attention and softmax",
                 {"linear: t", "linear: n", "linear: e", "softmax: t", "softmax: n", "softmax: e"}, letters(text), weights);
}

HeatMap gated_attention() {
  const std::string text = "attend";
  nn::GatedAttentionUnit unit({.embed_dim = 5, .hidden = 1, .key_dim = 5});
  Numbers projection(7 * 5, 0.0);
  for (std::size_t i = 0; i < 5; ++i) projection[(2 + i) * 5 + i] = 4;
  Numbers gamma(10, 0.3);
  std::fill_n(gamma.begin(), 5, 1.0);
  set(unit, {{"in_proj.weight", projection}, {"gamma", gamma}});
  return picture("Gated attention unit: relu² of letters", letters(text), letters(text),
                 numbers_of(unit(one_hot(text, "adent"), AttentionMask{}, nn::AttentionWeights::per_head).weights));
}

// ---- Several kinds of input ----

HeatMap gated_fusion() {
  // Each input is a 1 and how clear it is. tanh(W x) is 1 for the first, 0 for the second: the output is the gate.
  nn::GatedFusion fusion({.in_features = {2, 2}, .out_features = 1});
  set(fusion, {{"inputs.0.weight", {40, 0}}, {"gates.0.weight", {0, 6, 0, -6}}});
  Words names;
  Numbers first, second;
  for (int i = 0; i < 5; ++i) {
    names.push_back(fmt::format("{}", 0.25 * i));
    for (int j = 0; j < 5; ++j) {
      first.insert(first.end(), {1, 0.25 * i});
      second.insert(second.end(), {1, 0.25 * j});
    }
  }
  return picture("Gated fusion: the gate of the first input", names, names,
                 numbers_of(fusion(Var(tensor(first, {25, 2})), Var(tensor(second, {25, 2})))), "first’s clearness",
                 "second’s clearness");
}

HeatMap co_attention() {
  // Regions d(og), b(all), t(ree), s(ky); words w(hich), T(here) and the regions' names. Nouns agree with their region.
  const std::string alphabet = "dbtswT";
  nn::CoAttention attention({.first_dim = 6, .second_dim = 6, .hidden = 1});
  set(attention, {{"affinity.weight", diagonal(6, 2)},
                  {"first.weight", {1, 1, 1, 1, 0, 0}},
                  {"second.weight", {1, 1, 1, 1, 0, 0}},
                  {"first_score.weight", {12}},
                  {"second_score.weight", {4}}});
  Numbers weights;
  for (const char* question : {"wdT", "wtT", "wbT"}) {
    const auto out = attention(one_hot("dbts", alphabet), one_hot(question, alphabet));
    for (const Var& part : {out.first_weights, out.second_weights}) {
      const Numbers row = numbers_of(part);
      weights.insert(weights.end(), row.begin(), row.end());
    }
  }
  return picture("Co-attention: a picture’s regions and a question’s words",
                 {"which dog there", "which tree there", "which ball there"},
                 joined({"dog", "ball", "tree", "sky"}, numbered("word", 3)), weights, "question", "region, word");
}

struct Named {
  const char* name;
  HeatMap (*map)();
};

constexpr Named pictures[] = {
    {"dot", dot},
    {"scaled_dot", scaled_dot},
    {"general", general},
    {"additive", additive},
    {"concat", concat},
    {"cosine", cosine},
    {"location", location},
    {"coverage", coverage},
    {"local_m", local_m},
    {"local_p", local_p},
    {"block", block},
    {"strided", strided},
    {"window", window},
    {"pooling", pooling},
    {"hierarchical", hierarchical},
    {"grid", grid},
    {"pointer_generator", pointer_generator},
    {"multi_head", multi_head},
    {"grouped_query", grouped_query},
    {"sinusoid", sinusoid},
    {"rotary", rotary},
    {"alibi", alibi},
    {"shaw", shaw},
    {"t5", t5},
    {"normalisers", normalisers},
    {"adaptive_span", adaptive_span},
    {"lightweight_conv", lightweight},
    {"dynamic_conv", dynamic},
    {"linear_attention", linear_attention},
    {"gated_attention", gated_attention},
    {"gated_fusion", gated_fusion},
    {"co_attention", co_attention},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    fmt::print(stderr, "usage: attention_pictures FOLDER\n");
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    const NoGrad no_grad;
    for (const auto& [name, map] : pictures) write_heat_map(folder / fmt::format("{}.svg", name), map());
    fmt::print("{} pictures in {}\n", std::size(pictures), folder.string());
  } catch (const std::exception& error) {
    fmt::print(stderr, "attention_pictures: {}\n", error.what());
    return 1;
  }
}
