#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/einsum.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

}  // namespace

void add_einsum_cases(std::vector<Case>& to) {
  const auto row = [&](const char* variant, const char* equation, std::vector<Tensor> operands) {
    to.push_back({"einsum", variant, [equation](const Inputs& in) { return einsum(equation, in); }, std::move(operands)});
  };
  row("matrices", "ij,jk->ik", {values({3, 4}), values({4, 5}, 0.1)});
  row("output not given", "ij,jk", {values({3, 4}), values({4, 5}, 0.1)});
  row("output not given, other order", "kb,ck", {values({3, 4}), values({5, 3}, 0.1)});
  row("left transposed", "ji,jk->ik", {values({4, 3}), values({4, 5}, 0.1)});
  row("output transposed", "ij,jk->ki", {values({3, 4}), values({4, 5}, 0.1)});
  row("batch", "bij,bjk->bik", {values({2, 3, 4}), values({2, 4, 5}, 0.1)});
  row("attention scores", "bqhd,bkhd->bhqk", {values({2, 3, 2, 4}), values({2, 5, 2, 4}, 0.1)});
  row("two axes summed", "abc,bcd->ad", {values({2, 3, 4}), values({3, 4, 5}, 0.1)});
  row("two axes summed, in another order", "abc,cdb->da", {values({2, 3, 4}), values({4, 5, 3}, 0.1)});
  row("bilinear", "bi,oij,bj->bo", {values({2, 3}), values({4, 3, 5}, 0.1), values({2, 5}, 0.2)});
  row("outer", "i,j->ij", {values({3}), values({4}, 0.1)});
  row("element-wise", "ij,ji->ij", {values({3, 4}), values({4, 3}, 0.1)});
  row("dot", "i,i->", {values({7}), values({7}, 0.1)});
  row("rows by rows", "bi,bi->b", {values({3, 4}), values({3, 4}, 0.1)});
  row("batch of vectors", "bij,bj->bi", {values({2, 3, 4}), values({2, 4}, 0.1)});
  row("one operand alone has it", "ij,k->k", {values({3, 4}), values({2}, 0.1)});
  row("transposed copy", "ij->ji", {values({3, 4})});
  row("row sums", "ij->i", {values({3, 4})});
  row("sum of all", "ijk->", {values({2, 3, 4})});
  row("trace", "ii", {values({4, 4})});
  row("diagonal", "ii->i", {values({3, 3})});
  row("batch of diagonals", "bii->bi", {values({2, 3, 3})});
  row("three times", "iii->i", {values({3, 3, 3})});
  row("diagonal times matrix", "ii,ij->ij", {values({3, 3}), values({3, 4}, 0.1)});
  row("dots", "...ij,...jk->...ik", {values({2, 3, 4}), values({2, 4, 5}, 0.1)});
  row("dots of other lengths", "...ij,...jk->...ik", {values({3, 4}), values({2, 4, 5}, 0.1)});
  row("dots that broadcast", "...i,...i", {values({2, 1, 3}), values({4, 3}, 0.1)});
  row("dots summed", "...i->i", {values({2, 3, 4})});
  row("dots behind", "i...,ij->j...", {values({3, 2}), values({3, 4}, 0.1)});
  row("size 1 stretches", "ij,jk->ik", {values({3, 1}), values({4, 5}, 0.1)});
  row("chain of four", "ab,bc,cd,da->", {values({2, 3}), values({3, 4}, 0.1), values({4, 2}, 0.2), values({2, 2}, 0.3)});
  row("capital letters and spaces", " iA , Aj -> j i ", {values({2, 3}), values({3, 4}, 0.1)});
  row("scalars", ",->", {values({}), values({}, 0.1)});
  row("scalar and matrix", ",ij->ij", {values({}), values({2, 3}, 0.1)});
  row("size 0 inside", "ij,jk->ik", {values({2, 0}), values({0, 3})});
  row("size 0 outside", "ij,jk->ik", {values({0, 2}), values({2, 3})});
  row("size 1", "ij,jk->ik", {values({1, 1}), values({1, 1}, 0.1)});
  row("views", "ij,jk->ik", {transposed({3, 4}, -2, 2), strided({4, 5}, -2, 2, 0.1)});
  row("flipped and sliced", "ij,kj->ik", {flipped({3, 4}, -2, 2), sliced({5, 4}, -2, 2, 0.1)});
  row("large enough for oneDNN", "bij,kj->bik", {values({3, 7, 17}), values({19, 17}, 0.1)});
  to.push_back({"einsum",
                "repeated operand",
                [](const Inputs& in) {
                  return einsum("ij,jk,kj->ik", {in[0], in[0], in[0]});
                },
                {values({3, 3})}});
}

}  // namespace weft::test
