#include <doctest/doctest.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "weft/weft.hpp"

// What weft says to typical mistakes, word for word: the operation, both shapes, the module, and what to do.

using namespace weft;

namespace {

struct Mistake {
  std::string what;
  std::function<void()> make;
  std::string message;
};

Tensor t(const Shape& shape, DType dtype = f32) { return Tensor::zeros(shape, dtype); }
Tensor ids(std::initializer_list<std::int64_t> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

// A model with a path to name: "encoder", "layers.1".
class Tagger : public nn::Module<Tagger> {
 public:
  explicit Tagger(const nn::Scope& scope = {})
      : Module(scope),
        embed({.num_embeddings = 10, .embedding_dim = 4}, {this, "embed"}),
        encoder({.input_size = 4, .hidden_size = 3}, {this, "encoder"}),
        layers({this, "layers"}) {
    layers.emplace(nn::LinearOptions{.in_features = 3, .out_features = 5});
    layers.emplace(nn::LinearOptions{.in_features = 6, .out_features = 2});  // doesn't follow from 5
  }
  Var forward(const Tensor& words, const Tensor& lengths) {
    return layers[1](layers[0](encoder(embed(words), lengths).output));
  }

 private:
  nn::Embedding embed;
  nn::LSTM encoder;
  nn::List<nn::Linear> layers;
};

// Its layer is missing from the tree.
class Forgetful : public nn::Module<Forgetful> {
 public:
  Var forward(const Tensor& x) { return layer(x); }

 private:
  nn::Linear layer{{.in_features = 4, .out_features = 3}};
};

std::vector<Mistake> shape_mistakes() {
  return {
      {"adding what doesn't broadcast",
       [] {
         add(t({2, 3}), t({4}));
       },
       "[add] shapes [2, 3] and [4] don't broadcast: 3 against 4 at axis -1; sizes must be equal or one of them 1, counted "
       "from "
       "the last axis: reshape or unsqueeze an operand"},
      {"an element-wise product of two matrices for a matrix product",
       [] {
         mul(t({2, 3}), t({3, 2}));
       },
       "[mul] shapes [2, 3] and [3, 2] don't broadcast: 3 against 2 at axis -1; the product of matrices is matmul"},
      {"a matrix product with the sizes the wrong way round",
       [] {
         matmul(t({2, 3}), t({4, 3}));
       },
       "[matmul] 3 columns of shape [2, 3] meet 4 rows of shape [4, 3]; they must be equal: transpose or reshape an operand"},
      {"a matrix product with a vector",
       [] {
         matmul(t({2, 3}), t({3}));
       },
       "[matmul] operands have shapes [2, 3] and [3]; each needs two dimensions at least (unsqueeze a vector)"},
      {"batches that don't fit",
       [] {
         matmul(t({5, 2, 3}), t({4, 3, 2}));
       },
       "[matmul] batches of shapes [5, 2, 3] and [4, 3, 2] don't broadcast: 5 against 4 at axis -3; they must be equal or one "
       "of them 1"},
      {"a weight that is transposed",
       [] {
         linear(t({8, 4}), t({4, 3}));
       },
       "[linear] input [8, 4] doesn't fit weight [4, 3]: the input's last size must be the weight's second"},
      {"a bias of the wrong size",
       [] {
         linear(t({8, 4}), t({3, 4}), t({4}));
       },
       "[linear] bias f32[4] doesn't fit weight f32[3, 4]: one element an output is needed"},
      {"reshaping to another count",
       [] {
         reshape(t({2, 3}), {4, 2});
       },
       "[reshape] shape [2, 3] (6 elements) can't become [4, 2]: that has 8; one size may be -1, to be found"},
      {"reshaping with an open size that isn't whole",
       [] {
         reshape(t({2, 3}), {4, -1});
       },
       "[reshape] shape [2, 3] (6 elements) can't become [4, -1]: no size for -1 makes 6 elements of 4"},
      {"two open sizes",
       [] {
         reshape(t({2, 3}), {-1, -1});
       },
       "[reshape] only one size may be -1 for shape [2, 3]"},
      {"an axis that isn't there",
       [] {
         sum(t({2, 3}), {2});
       },
       "[sum] axis 2 is out of range for shape [2, 3] (rank 2)"},
      {"the same axis twice",
       [] {
         mean(t({2, 3}), {0, -2});
       },
       "[mean] axis 0 stands twice for shape [2, 3]"},
      {"the maximum of nothing",
       [] {
         max(t({0, 3}), {0});
       },
       "[max] there is nothing to choose from in f32[0, 3]"},
      {"joining along an axis where other sizes differ",
       [] {
         concat({t({2, 3}), t({2, 4})}, 0);
       },
       "[concat] shapes [2, 3] and [2, 4] differ in more than axis 0"},
      {"stacking different shapes",
       [] {
         stack({t({2, 3}), t({3, 2})}, 0);
       },
       "[stack] shapes [2, 3] and [3, 2] differ; all parts need one shape"},
      {"joining nothing", [] { concat(std::vector<Var>{}, 0); }, "[concat] nothing to join"},
      {"a slice past the end",
       [] {
         slice(t({5, 2}), 0, 3, 9);
       },
       "[slice] range 3 to 9 doesn't fit axis 0 of shape [5, 2]"},
      {"a slice that ends before it starts",
       [] {
         slice(t({5, 2}), 0, 3, 1);
       },
       "[slice] range 3 to 1 doesn't fit axis 0 of shape [5, 2]"},
      {"selecting past the end",
       [] {
         select(t({5, 2}), 0, 5);
       },
       "[select] index 5 is out of range for axis 0 of shape [5, 2]"},
      {"parts that don't add up",
       [] {
         split(t({5, 2}), {2, 2}, 0);
       },
       "[split] parts of 4 elements in all don't fill axis 0 of shape [5, 2]"},
      {"squeezing an axis that has a size",
       [] {
         squeeze(t({2, 3}), 0);
       },
       "[squeeze] axis 0 of shape [2, 3] has size 2, not 1"},
      {"expanding what isn't 1",
       [] {
         expand(t({2, 3}), {4, 3});
       },
       "[expand] shape [2, 3] doesn't expand to [4, 3]: 2 against 4 at axis 0"},
      {"a permutation that leaves an axis out",
       [] {
         permute(t({2, 3, 4}), {0, 1});
       },
       "[permute] 2 axes for shape [2, 3, 4]; each axis is named once"},
      {"a shape of too many elements",
       [] {
         Tensor::zeros({1LL << 40, 1LL << 40});
       },
       "[shape] the product of [1099511627776, 1099511627776] is too large for a tensor"},
      {"a negative size",
       [] {
         Tensor::zeros({2, -3});
       },
       "[shape] [2, -3] has a negative size"},
      {"values that don't fill the shape",
       [] {
         Tensor::from<float>({1, 2, 3}, {2, 2});
       },
       "[Tensor::from] 3 values don't fill shape [2, 2]"},
      {"layer norm of another width",
       [] {
         layer_norm(t({2, 5}), t({4}));
       },
       "[layer_norm] weight f32[4] doesn't fit input f32[2, 5]: one element for each of the last dimension is needed"},
      {"a mask of the wrong shape",
       [] {
         masked_softmax(t({2, 5}), t({2, 4}, boolean));
       },
       "[masked_softmax] shapes [2, 5] and [2, 4] don't broadcast: 5 against 4 at axis -1; sizes must be equal or one of them "
       "1, counted from the last axis: reshape or unsqueeze an operand"},
      {"an attention mask of other keys",
       [] {
         scaled_dot_product_attention(t({2, 1, 5, 4}), t({2, 1, 6, 4}), t({2, 1, 6, 4}), {.allowed = t({2, 1, 1, 5}, boolean)});
       },
       "[scaled_dot_product_attention] the mask [2, 1, 1, 5] isn't [batch, heads, queries, keys] = [2, 1, 5, 6], each that "
       "size or "
       "1; "
       "give one of each row's keys, [batch, keys], as mask.unsqueeze(1).unsqueeze(1) or by lengths, one of [queries, keys] as "
       "mask.unsqueeze(0).unsqueeze(0)"},
      {"an attention mask of keys for each row",
       [] {
         scaled_dot_product_attention(t({2, 1, 5, 4}), t({2, 1, 6, 4}), t({2, 1, 6, 4}), {.allowed = t({2, 6}, boolean)});
       },
       "[scaled_dot_product_attention] the mask [2, 6] isn't [batch, heads, queries, keys] = [2, 1, 5, 6], each that size or "
       "1; "
       "give one of each row's keys, [batch, keys], as mask.unsqueeze(1).unsqueeze(1) or by lengths, one of [queries, keys] as "
       "mask.unsqueeze(0).unsqueeze(0)"},
  };
}

std::vector<Mistake> dtype_and_index_mistakes() {
  return {
      {"mixing f32 and f64", [] { mul(t({2}), t({2}, f64)); }, "[mul] dtypes differ: f32[2] and f64[2]; convert one with to()"},
      {"the logarithm of integers", [] { log(t({2}, i64)); }, "[log] the operand is i64[2]; f32 or f64 is needed"},
      {"a mask of numbers",
       [] {
         masked_fill(t({2, 2}), t({2, 2}), 0);
       },
       "[masked_fill] the condition is f32[2, 2], not bool: compare, as in ne(x, 0)"},
      {"a condition of numbers", [] { where(t({2}), t({2}), t({2})); },
       "[where] the condition is f32[2], not bool: compare, as in ne(x, 0)"},
      {"a module in f32 and data in f64",
       [] {
         nn::Linear layer({.in_features = 4, .out_features = 3});
         layer(t({2, 4}, f64));
       },
       "[linear] input f64[2, 4] and weight f32[3, 4] must be of one floating type: convert data with x.to(f32), a module with "
       "model.to(f64)"},
      {"a product of f32 and f64",
       [] {
         matmul(t({2, 3}), t({3, 2}, f64));
       },
       "[matmul] operands are f32[2, 3] and f64[3, 2]; both must be f32 or both f64: convert data with x.to(f64), a module "
       "with "
       "model.to(f64)"},
      {"reading elements as another type",
       [] {
         const Tensor x = t({2}, f64);
         x.data<float>();
       },
       "[Tensor::data] asked for f32 elements of f64[2]"},
      {"the one element of many",
       [] {
         t({2, 3}).item();
       },
       "[Tensor::item] a tensor of shape [2, 3] has 6 elements, not one: reduce it (sum, mean), or read one with at({...})"},
      {"an id outside the vocabulary",
       [] {
         embedding(t({10, 4}), ids({3, 10, 2}));
       },
       "[embedding] index 10 at [1] of i64[3] is out of range; there are 10 rows: use ids 0 to 9, or a table with more rows "
       "(num_embeddings)"},
      {"a negative id",
       [] {
         embedding(t({10, 4}), ids({-1}));
       },
       "[embedding] index -1 at [0] of i64[1] is out of range; there are 10 rows: use 0 to 9, negative ones don't count from "
       "the "
       "end"},
      {"ids that are floats",
       [] {
         embedding(t({10, 4}), t({3}));
       },
       "[embedding] the index is f32[3]; it must be i32 or i64"},
      {"an index past the axis",
       [] {
         index_select(t({3, 4}), 1, ids({0, 4}));
       },
       "[index_select] index 4 at [1] of i64[2] is out of range; there are 4 rows: use 0 to 3"},
      {"gathering with another rank",
       [] {
         gather(t({3, 4}), 1, ids({0, 1}));
       },
       "[gather] index [2] and input [3, 4] differ in rank"},
      {"a class that isn't there",
       [] {
         cross_entropy(t({3, 5}), ids({1, 2, 5}));
       },
       "[cross_entropy] target 5 at [2] of targets [3] is outside 0 to 4, the classes of the input [3, 5], and isn't "
       "ignore_index "
       "-100; classes count from 0"},
      {"a class of a sequence that isn't there",
       [] {
         cross_entropy(t({2, 3, 5}), Tensor::from<std::int64_t>({0, 1, 2, 3, 7, 0}, {2, 3}));
       },
       "[cross_entropy] target 7 at [1, 1] of targets [2, 3] is outside 0 to 4, the classes of the input [2, 3, 5], and isn't "
       "ignore_index -100; classes count from 0"},
      {"classes second, as in PyTorch",
       [] {
         cross_entropy(t({2, 5, 3, 4}), t({2, 3, 4}, i64));
       },
       "[cross_entropy] targets [2, 3, 4] don't fit the input [2, 5, 3, 4]: one class for each row of the last dimension is "
       "needed; "
       "the classes are last here, not second as in PyTorch: permute(input, {0, 2, 3, 1})"},
      {"targets that are one-hot",
       [] {
         cross_entropy(t({3, 5}), t({3, 5}, i64));
       },
       "[cross_entropy] targets [3, 5] don't fit the input [3, 5]: one class for each row of the last dimension is needed; "
       "one-hot "
       "targets become classes by argmax(targets, -1)"},
      {"targets that are one-hot, of a single row", [] { cross_entropy(t({5}), t({5}, i64)); },
       "[cross_entropy] targets [5] don't fit the input [5]: one class for each row of the last dimension is needed; one-hot "
       "targets become classes by argmax(targets, -1)"},
      {"targets that are floats",
       [] {
         cross_entropy(t({3, 5}), t({3}));
       },
       "[cross_entropy] i32 or i64 is needed for the targets, not f32[3]"},
      {"a probability of 2",
       [] {
         Generator g(1);
         Tape tape(g);
         dropout(tape.leaf(t({2})), 2);
       },
       "[dropout] p is 2; it must be in [0, 1]"},
      {"label smoothing of 1.5",
       [] {
         cross_entropy(t({3, 5}), ids({1, 2, 3}), {.label_smoothing = 1.5});
       },
       "[cross_entropy] label_smoothing is 1.5; it must be in [0, 1]"},
      {"bounds the wrong way round", [] { clamp(t({2}), 1, -1); }, "[clamp] min 1 is above max -1"},
      {"an undefined tensor", [] { add(Tensor(), t({2})); }, "[add] the operands are undefined and f32[2]; both need a value"},
  };
}

std::vector<Mistake> tape_mistakes() {
  return {
      {"backward from more than one element",
       [] {
         Tape tape;
         const Var x = tape.leaf(t({3}));
         tape.backward(x * x);
       },
       "[backward] the output has shape [3]; only one element can be differentiated, so reduce it (sum, mean) or pass the "
       "gradient"},
      {"backward from a constant",
       [] {
         Tape tape;
         tape.backward(Var(t({})));
       },
       "[backward] the output doesn't depend on any leaf or parameter of a tape: it was computed without one or under NoGrad "
       "(make the Tape, a named variable, before the forward pass)"},
      {"backward under NoGrad",
       [] {
         Tape tape;
         const Var x = tape.leaf(t({}));
         const NoGrad guard;
         tape.backward(x * x);
       },
       "[backward] the output doesn't depend on any leaf or parameter of a tape: it was computed without one or under NoGrad "
       "(make the Tape, a named variable, before the forward pass)"},
      {"backward twice",
       [] {
         Tape tape;
         const Var x = tape.leaf(t({})), y = x * x;
         tape.backward(y);
         tape.backward(y);
       },
       "[backward] what 'mul' saved was released by an earlier backward; make a new Tape for each step, or pass {.retain = "
       "true} to "
       "the earlier one"},
      {"a gradient of another shape",
       [] {
         Tape tape;
         const Var x = tape.leaf(t({3}));
         tape.backward(x * x, t({2}));
       },
       "[backward] the gradient has shape [2], the output [3]"},
      {"a variable whose tape is gone",
       [] {
         Var x;
         {
           Tape tape;
           x = tape.leaf(t({3})) * 2;
         }
         Tape tape;
         tape.leaf(t({3})) * x;
       },
       "[mul] an input belongs to a tape that is gone (or lives on another thread); use var.detach() to carry its value"},
      {"a variable of an outer tape",
       [] {
         Tape outer;
         const Var x = outer.leaf(t({3}));
         Tape inner;
         inner.leaf(t({3})) * x;
       },
       "[mul] an input belongs to an outer tape; hand it in with tape.leaf(var), or use it before the inner tape"},
      {"the gradient of what isn't a leaf",
       [] {
         Tape tape;
         const Var x = tape.leaf(t({})), y = x * x;
         tape.backward(y);
         tape.grad(y);
       },
       "[Tape::grad] only a leaf of this tape keeps its gradient; for any other variable use weft::grad(output, {variable})"},
      {"changing a value before backward",
       [] {
         Tape tape;
         Tensor v = t({3});
         const Var x = tape.leaf(v), y = sum(x * x);
         v.fill(1);
         tape.backward(y);
       },
       "[backward] 'mul' had saved f32[3], which was changed before backward (in place, or by an optimizer's step); change it "
       "afterwards, or give the operation a clone()"},
      {"dropout on a tape without random numbers",
       [] {
         Tape tape;
         dropout(tape.leaf(t({3})), 0.5);
       },
       "[dropout] the tape has no random numbers; make it with Tape tape(generator)"},
      {"a gradient for integers",
       [] {
         Tape tape;
         tape.leaf(t({3}, i64));
       },
       "[Tape::leaf] i64[3] can't have a gradient; f32 and f64 can"},
      {"a gradient check in f32", [] { gradcheck([](const std::vector<Var>& in) { return in[0]; }, {t({3})}); },
       "[gradcheck] input 0 is f32[3]; gradients are checked in f64 (convert it with to(f64))"},
  };
}

std::vector<Mistake> module_mistakes() {
  const auto tagger = [](const Tensor& words, const Tensor& lengths) {
    Tagger model;
    model(words, lengths);
  };
  return {
      {"layers that don't follow from each other",
       [=] {
         tagger(t({2, 3}, i64), ids({3, 2}));
       },
       "[linear] input [2, 3, 5] doesn't fit weight [2, 6]: the input's last size must be the weight's second (in layers.1)"},
      {"an id outside a model's vocabulary",
       [=] {
         tagger(Tensor::full({2, 3}, 10, i64), {});
       },
       "[embedding] index 10 at [0, 0] of i64[2, 3] is out of range; there are 10 rows: use ids 0 to 9, or a table with more "
       "rows "
       "(num_embeddings) (in embed)"},
      {"a length beyond the sequence",
       [=] {
         tagger(t({2, 3}, i64), ids({3, 4}));
       },
       "[lstm] length 4 of row 1 is outside 0 to 3 (input [2, 3, 4]) (in encoder)"},
      {"lengths for another batch",
       [=] {
         tagger(t({2, 3}, i64), ids({3}));
       },
       "[lstm] lengths [1] don't fit input [2, 3, 4]: one a row is needed (in encoder)"},
      {"an input of another width",
       [] {
         nn::LSTM lstm({.input_size = 4, .hidden_size = 3});
         lstm(t({2, 5, 6}));
       },
       "[LSTM] input f32[2, 5, 6] is not [batch, steps, 4]"},
      {"an input that is not a sequence",
       [] {
         nn::LSTM lstm({.input_size = 4, .hidden_size = 3});
         lstm(t({2, 4}));
       },
       "[LSTM] input f32[2, 4] is not [batch, steps, 4]"},
      {"a state of another batch",
       [] {
         nn::LSTM lstm({.input_size = 4, .hidden_size = 3});
         lstm(t({2, 5, 4}), Tensor(), LSTMState{t({1, 3, 3}), t({1, 3, 3})});
       },
       "[LSTM] initial state f32[1, 3, 3] doesn't fit input f32[2, 5, 4]: [1, 2, 3] is needed"},
      {"a member that was constructed without its owner",
       [] {
         Forgetful model;
         Tape tape;
         model(t({2, 4}));
       },
       "[Module] Linear is called by Forgetful and isn't part of it: its parameters would be neither trained nor saved. "
       "Construct "
       "it with {this, \"name\"}; where it is meant to stand apart, put it into eval mode or call its forward"},
      {"dropout between the layers of one", [] { nn::GRU({.input_size = 4, .hidden_size = 3, .dropout = 0.5}); },
       "[GRU] dropout 0.5 stands between layers and would do nothing: num_layers is 1. Add layers, set it to 0, or put "
       "nn::Dropout "
       "behind"},
      {"a layer without a size", [] { nn::Linear linear({.in_features = 4}); },
       "[Linear] in_features is 4 and out_features 0; both must be positive"},
      {"keys of another size for dot attention",
       [] {
         nn::attention::Dot dot;
         dot(t({2, 1, 4}), t({2, 5, 6}), t({2, 5, 6}));
       },
       "[attention::Dot] query f32[2, 1, 4] and keys f32[2, 5, 6] differ in size"},
      {"a mask of other places",
       [] {
         nn::attention::Dot dot;
         dot(t({2, 1, 4}), t({2, 5, 4}), t({2, 5, 4}), t({2, 4}, boolean));
       },
       "[attention::Dot] mask bool[2, 4] doesn't fit keys f32[2, 5, 4]: [batch, places] is needed"},
      {"weights of another shape",
       [] {
         nn::Linear linear({.in_features = 4, .out_features = 3});
         linear.load_state_dict(StateDict{{"weight", t({4, 3})}, {"bias", t({3})}});
       },
       "[load_state_dict] the state doesn't fit the Linear, which is left as it was:\n  different: weight is f32[3, 4] in the "
       "model and f32[4, 3] in the state"},
      {"weights under other names",
       [] {
         nn::Linear linear({.in_features = 4, .out_features = 3});
         linear.load_state_dict(StateDict{{"w", t({3, 4})}, {"bias", t({3})}});
       },
       "[load_state_dict] the state doesn't fit the Linear, which is left as it was:\n  missing: weight\n  unexpected: w"},
      {"a negative learning rate",
       [] {
         nn::Linear linear({.in_features = 4, .out_features = 3});
         optim::Adam(linear.parameters(), {.lr = -1});
       },
       "[Adam] the learning rate is -1, not at least 0"},
      {"a step without a backward pass",
       [] {
         nn::Linear linear({.in_features = 4, .out_features = 3});
         optim::Adam(linear.parameters()).step();
       },
       "[Adam] no parameter has a gradient: call tape.backward(loss) before each step, which uses the gradients up, for a loss "
       "that "
       "was computed with these parameters"},
      {"weights from a text file",
       [] {
         nn::Linear linear({.in_features = 4, .out_features = 3});
         nn::load(linear, "LICENSE");
       },
       "[load_safetensors] 'LICENSE' is no safetensors file: it starts as a text does"},
      {"saving into a folder that isn't there",
       [] {
         nn::Linear linear({.in_features = 4, .out_features = 3});
         nn::save(linear, "no-such-folder/model.safetensors");
       },
       "[write] can't write 'no-such-folder/model.safetensors': its folder 'no-such-folder' doesn't exist; make it first"},
      {"clipping a gradient that is not finite",
       [] {
         nn::Linear linear({.in_features = 1, .out_features = 1});
         linear.parameters()[0]->add_grad(Tensor::full({1, 1}, 1.0 / 0.0));
         linear.parameters()[1]->add_grad(t({1}));
         optim::clip_grad_norm(linear.parameters(), 1.0);
       },
       "[clip_grad_norm] the gradient of 'weight' f32[1, 1] has the norm inf; look for a division by zero or an overflow, "
       "lower the learning rate, or skip such steps"},
  };
}

void check(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    INFO(mistake.what);
    std::string message = "no error";
    try {
      mistake.make();
    } catch (const Error& error) {
      message = error.what();
    }
    CHECK(message == mistake.message);
  }
}

}  // namespace

TEST_CASE("messages about shapes") { check(shape_mistakes()); }
TEST_CASE("messages about dtypes, indices and values") { check(dtype_and_index_mistakes()); }
TEST_CASE("messages about tapes") { check(tape_mistakes()); }
TEST_CASE("messages about modules and optimizers") { check(module_mistakes()); }
