#include "weft/ops/einsum.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "ops/sizes.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/triangle.hpp"

namespace weft {
namespace {

// An axis goes by a label: 0 to 51 for A to Z and a to z; behind them those of "...", so that the last axis that it stands for
// has the last label in every operand. A set of labels is the bits of a number.
using Set = std::uint64_t;
constexpr int letters = 52;
constexpr Set ellipsis = ((Set{1} << max_rank) - 1) << letters;

Set set_of(int label) { return Set{1} << label; }

std::string name_of_label(int label) {
  if (label >= letters) return "...";
  return std::string(1, static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26));
}

int label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  return c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}

// What errors name.
struct Call {
  std::string_view equation;
  std::span<const Var> operands;

  std::string describe() const {
    std::string text = fmt::format("'{}' of", equation);
    for (const Var& x : operands) text += (&x == operands.data() ? " " : ", ") + x.describe();
    return text;
  }
};

// Labels in order, as many as a tensor can have axes.
class Labels {
 public:
  void add(int label, const Call& call) {
    check<ShapeError>(count_ < max_rank, "einsum", "{} needs more than the {} dimensions a tensor may have", call, max_rank);
    labels_[static_cast<std::size_t>(count_++)] = label;
    set_ |= set_of(label);
  }
  const int* begin() const { return labels_.data(); }
  const int* end() const { return labels_.data() + count_; }
  int size() const { return count_; }
  Set set() const { return set_; }
  int operator[](int axis) const { return labels_[static_cast<std::size_t>(axis)]; }
  int find(int label) const { return static_cast<int>(std::find(begin(), end(), label) - begin()); }
  /// Those that are in `chosen`, in their order.
  void append(const Labels& from, Set chosen, const Call& call) {
    for (const int label : from)
      if ((chosen & set_of(label)) != 0) add(label, call);
  }

 private:
  std::array<int, max_rank> labels_{};
  int count_ = 0;
  Set set_ = 0;
};

struct Term {
  Var value;
  Labels labels;
};

// One operand's part of the equation, spaces taken out: letters, and how many stand before "...".
struct Subscript {
  std::array<int, max_rank> labels{};
  int count = 0;
  int dots = -1;
};

Subscript parse(std::string_view text, const Call& call) {
  Subscript result;
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
    } else if (text.starts_with("...")) {
      check<ValueError>(result.dots < 0, "einsum", "{}: '...' stands twice in one term", call);
      result.dots = result.count;
      text.remove_prefix(3);
    } else {
      const int label = label_of(text.front());
      check<ValueError>(label >= 0, "einsum", "{}: '{}' is neither a letter nor '...', ',' or one '->'", call, text.front());
      check<ShapeError>(result.count < max_rank, "einsum", "{}: a term has more than {} letters", call, max_rank);
      result.labels[static_cast<std::size_t>(result.count++)] = label;
      text.remove_prefix(1);
    }
  }
  return result;
}

// The labels of all axes, "..." written out as `extra` of them.
Labels written_out(const Subscript& subscript, int extra, const Call& call) {
  Labels labels;
  for (int i = 0; i <= subscript.count; ++i) {
    if (i == subscript.dots)
      for (int k = max_rank - extra; k < max_rank; ++k) labels.add(letters + k, call);
    if (i < subscript.count) labels.add(subscript.labels[static_cast<std::size_t>(i)], call);
  }
  return labels;
}

Labels labels_of(std::string_view text, std::size_t operand, const Call& call) {
  const Subscript subscript = parse(text, call);
  const int rank = call.operands[operand].rank();
  check<ShapeError>(subscript.dots < 0 ? subscript.count == rank : subscript.count <= rank, "einsum",
                    "{}: operand {} has {} axes, its term names {}", call, operand, rank, subscript.count);
  return written_out(subscript, rank - subscript.count, call);
}

// The output that isn't given: what "..." stands for, then the letters that occur once.
Labels implied_output(std::span<const Term> terms, const Call& call) {
  Set once = 0, more = 0;
  for (const Term& term : terms)
    for (const int label : term.labels) {
      more |= once & set_of(label);
      once |= set_of(label);
    }
  Labels output;
  for (int label = letters; label < letters + max_rank; ++label)
    if ((once & set_of(label)) != 0) output.add(label, call);
  for (int label = 0; label < letters; ++label)
    if ((once & ~more & set_of(label)) != 0) output.add(label, call);
  return output;
}

Labels given_output(std::string_view text, Set inputs, const Call& call) {
  const Subscript subscript = parse(text, call);
  const Labels output = written_out(subscript, std::popcount(inputs & ellipsis), call);
  for (const int label : output) {
    check<ValueError>((inputs & set_of(label)) != 0, "einsum", "{}: the output's '{}' is in no operand", call,
                      name_of_label(label));
    check<ValueError>(std::count(output.begin(), output.end(), label) == 1, "einsum", "{}: the output has '{}' twice", call,
                      name_of_label(label));
  }
  return output;
}

// Axes in the order of `to`, which has the same labels.
Var ordered(const Term& term, const Labels& to) {
  std::array<int, max_rank> axes{};
  bool same = true;
  for (int i = 0; i < to.size(); ++i) {
    axes[static_cast<std::size_t>(i)] = term.labels.find(to[i]);
    same = same && axes[static_cast<std::size_t>(i)] == i;
  }
  return same ? term.value : permute(term.value, std::span<const int>(axes.data(), static_cast<std::size_t>(to.size())));
}

// A letter that stands twice becomes the diagonal of its axes.
Term diagonals(Term term, const Call& call) {
  for (int i = 0; i < term.labels.size(); ++i) {
    const int label = term.labels[i];
    const int again = static_cast<int>(std::find(term.labels.begin() + i + 1, term.labels.end(), label) - term.labels.begin());
    if (again == term.labels.size()) continue;
    check<ShapeError>(term.value.size(i) == term.value.size(again), "einsum", "{}: '{}' is both {} and {} in one operand", call,
                      name_of_label(label), term.value.size(i), term.value.size(again));
    Labels rest;
    for (int k = 0; k < term.labels.size(); ++k)
      if (k != i && k != again) rest.add(term.labels[k], call);
    rest.add(label, call);
    term = {diagonal(term.value, 0, i, again), rest};
    i = -1;
  }
  return term;
}

// The sum over the axes that nothing needs.
Term summed(Term term, Set needed, const Call& call) {
  std::array<int, max_rank> axes{};
  std::size_t count = 0;
  for (int i = 0; i < term.labels.size(); ++i)
    if ((needed & set_of(term.labels[i])) == 0) axes[count++] = i;
  if (count == 0) return term;
  Labels rest;
  rest.append(term.labels, needed, call);
  return {sum(term.value, std::span<const int>(axes.data(), count)), rest};
}

// The operand with size 1 for the labels that it doesn't have.
Var stretched(const Term& term, const Labels& to, const Call& call) {
  Labels own;
  own.append(to, term.labels.set(), call);
  const Var x = ordered(term, own);
  Sizes sizes;
  for (const int label : to) {
    const int axis = own.find(label);
    sizes.append(axis < own.size() ? x.size(axis) : 1, "einsum");
  }
  return reshape(x, sizes.shape("einsum"));
}

// An operand as a batch of matrices: its axes in the order of `parts`, each of the three parts folded into one.
Var folded(const Term& term, const std::array<Labels, 3>& parts, const Call& call) {
  Labels order;
  std::array<std::int64_t, 3> sizes{1, 1, 1};
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (const int label : parts[i]) {
      order.add(label, call);
      sizes[i] *= term.value.size(term.labels.find(label));
    }
  const Var x = ordered(term, order);
  if (parts[0].size() == 0) return reshape(x, {sizes[1], sizes[2]});
  return reshape(x, {sizes[0], sizes[1], sizes[2]});
}

// The product of two, summed over what both have and nothing else needs: element-wise, or as matrices.
Term product(Term a, Term b, Set needed, const Call& call) {
  a = summed(std::move(a), needed | b.labels.set(), call);
  b = summed(std::move(b), needed | a.labels.set(), call);
  const Set shared = a.labels.set() & b.labels.set(), inner = shared & ~needed;
  const auto chosen = [&](const Labels& from, Set set) {
    Labels result;
    result.append(from, set, call);
    return result;
  };
  const Labels batch = chosen(a.labels, shared & needed), left = chosen(a.labels, ~shared), right = chosen(b.labels, ~shared),
               sum_over = chosen(a.labels, inner);
  Labels result = batch;
  result.append(left, ~Set{0}, call);
  result.append(right, ~Set{0}, call);
  if (inner == 0 || (left.size() == 0 && right.size() == 0)) {
    result.append(sum_over, ~Set{0}, call);
    return summed({stretched(a, result, call) * stretched(b, result, call), result}, needed, call);
  }
  Sizes sizes;
  for (const int label : result) {
    const int axis = a.labels.find(label);
    sizes.append(axis < a.labels.size() ? a.value.size(axis) : b.value.size(b.labels.find(label)), "einsum");
  }
  const Var matrices = matmul(folded(a, {batch, left, sum_over}, call), folded(b, {batch, sum_over, right}, call));
  return {reshape(matrices, sizes.shape("einsum")), result};
}

// Checks that axes of one label agree; one of size 1 beside a longer one is dropped: it broadcasts.
void broadcast_labels(std::span<Term> terms, const Call& call) {
  std::array<std::int64_t, letters + max_rank> sizes;
  sizes.fill(1);
  for (const Term& term : terms)
    for (int i = 0; i < term.labels.size(); ++i) {
      std::int64_t& size = sizes[static_cast<std::size_t>(term.labels[i])];
      const std::int64_t own = term.value.size(i);
      check<ShapeError>(own == size || own == 1 || size == 1, "einsum", "{}: '{}' is both {} and {}", call,
                        name_of_label(term.labels[i]), size, own);
      if (size == 1) size = own;
    }
  for (Term& term : terms) {
    Labels kept;
    Sizes own;
    for (int i = 0; i < term.labels.size(); ++i) {
      if (term.value.size(i) != sizes[static_cast<std::size_t>(term.labels[i])]) continue;
      kept.add(term.labels[i], call);
      own.append(term.value.size(i), "einsum");
    }
    if (kept.size() < term.labels.size()) term = {reshape(term.value, own.shape("einsum")), kept};
  }
}

PoolVector<Term> parse_operands(std::string_view inputs, const Call& call) {
  const auto named = static_cast<std::size_t>(std::count(inputs.begin(), inputs.end(), ',')) + 1;
  check<ValueError>(named == call.operands.size(), "einsum", "{}: {} operands are named, {} given", call, named,
                    call.operands.size());
  PoolVector<Term> terms;
  for (std::size_t i = 0; i < named; ++i) {
    const std::size_t comma = std::min(inputs.find(','), inputs.size());
    terms.push_back(diagonals({call.operands[i], labels_of(inputs.substr(0, comma), i, call)}, call));
    inputs.remove_prefix(std::min(comma + 1, inputs.size()));
  }
  return terms;
}

void check_types(const Call& call) {
  for (const Var& x : call.operands) {
    check<DTypeError>(x.dtype() == call.operands[0].dtype() && (call.operands.size() == 1 || is_floating(x.dtype())), "einsum",
                      "{}: the operands must be of one type, f32 or f64", call);
  }
}

}  // namespace

Var einsum(std::string_view equation, std::span<const Var> operands) {
  const Call call{equation, operands};
  check_types(call);
  const std::size_t arrow = equation.find("->");
  PoolVector<Term> terms = parse_operands(equation.substr(0, arrow), call);
  Set inputs = 0;
  for (const Term& term : terms) inputs |= term.labels.set();
  const Labels output =
      arrow == std::string_view::npos ? implied_output(terms, call) : given_output(equation.substr(arrow + 2), inputs, call);
  broadcast_labels(terms, call);
  Term result = std::move(terms[0]);
  for (std::size_t i = 1; i < terms.size(); ++i) {
    Set needed = output.set();
    for (std::size_t later = i + 1; later < terms.size(); ++later) needed |= terms[later].labels.set();
    result = product(std::move(result), std::move(terms[i]), needed, call);
  }
  return ordered(summed(std::move(result), output.set(), call), output);
}

Var einsum(std::string_view equation, std::initializer_list<Var> operands) {
  return einsum(equation, std::span(operands.begin(), operands.size()));
}

}  // namespace weft
