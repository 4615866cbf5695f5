#pragma once
#include <array>
#include <cmath>

#include "base/fail.hpp"

namespace weft::optim {

/// What several optimizers ask of their options. All throw ValueError naming the option and its value.

inline void check_at_least_0(const char* optimizer, const char* option, double value) {
  check<ValueError>(std::isfinite(value) && value >= 0, optimizer, "{} is {}, not at least 0", option, value);
}

/// Of a running mean: the part that stays.
inline void check_share(const char* optimizer, const char* option, double value) {
  check<ValueError>(value >= 0 && value < 1, optimizer, "{} is {}, not in [0, 1)", option, value);
}

inline void check_betas(const char* optimizer, const std::array<double, 2>& betas) {
  for (const double beta : betas)
    check<ValueError>(beta >= 0 && beta < 1, optimizer, "betas are {} and {}, not in [0, 1)", betas[0], betas[1]);
}

/// Throws ValueError where no parameter was given.
inline void check_any_parameters(const char* optimizer, bool any) {
  check<ValueError>(
      any, optimizer,
      "there are no parameters: to be a module's, members are made with {{this, \"name\"}} as their last argument");
}

}  // namespace weft::optim
