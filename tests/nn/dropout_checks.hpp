#pragma once
#include <doctest/doctest.h>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"

namespace weft::test {

/// A dropout gives x itself where no tape records and in evaluation mode, and takes no random number for it.
template <class Dropout>
void check_acts_in_training_alone(Dropout& dropout) {
  const Tensor x = uniform({2, 3, 4}, -1, 1, 1);
  CHECK(dropout(x).value().is_same(x));
  Generator generator(3);
  Tape tape(generator);
  dropout.eval();
  CHECK(dropout(x).value().is_same(x));
  CHECK(generator.position() == 0);
}

}  // namespace weft::test
