#pragma once
#include <doctest/doctest.h>

#include <string>

#include "kernels/isa.hpp"

namespace weft::test {

/// Runs body() on every instruction set up to the one in use, which it puts back.
template <class Body>
void on_each_isa(const Body& body) {
  using kernels::Isa;
  const Isa best = kernels::isa();
  for (const Isa isa : {Isa::plain, Isa::sse4, Isa::avx2, Isa::avx3}) {
    if (isa > best) break;
    kernels::set_max_isa(isa);
    INFO("instruction set: ", std::string(kernels::name_of(isa)));
    body();
  }
  kernels::set_max_isa(best);
}

}  // namespace weft::test
