#include "weft/optim/plateau.hpp"

#include <algorithm>
#include <limits>

#include "base/fail.hpp"
#include "optim/match_state.hpp"

namespace weft::optim {

Plateau::Plateau(const PlateauOptions& o)
    : options_(o), best_(std::numeric_limits<double>::infinity() * (o.better == Better::lower ? 1 : -1)) {
  check<ValueError>(o.factor >= 0 && o.factor < 1, "Plateau", "factor is {}, not in [0, 1)", o.factor);
  check<ValueError>(o.patience >= 0 && o.cooldown >= 0, "Plateau", "patience {} and cooldown {} must be at least 0", o.patience,
                    o.cooldown);
  check<ValueError>(o.threshold >= 0 && o.min_factor >= 0 && o.eps >= 0, "Plateau",
                    "threshold {}, min_factor {} and eps {} must be at least 0", o.threshold, o.min_factor, o.eps);
  check<ValueError>(!o.relative_threshold || o.better == Better::higher || o.threshold < 1, "Plateau",
                    "threshold is {}, not below 1: it is a share of the best, which nothing could be better by", o.threshold);
}

bool Plateau::is_better(double metric) const {
  const double margin = options_.threshold;
  if (options_.better == Better::lower) return metric < (options_.relative_threshold ? best_ * (1 - margin) : best_ - margin);
  return metric > (options_.relative_threshold ? best_ * (1 + margin) : best_ + margin);
}

double Plateau::observe(double metric) {
  if (is_better(metric)) {
    best_ = metric;
    bad_epochs_ = 0;
  } else {
    ++bad_epochs_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_epochs_ = 0;
  }
  if (bad_epochs_ > options_.patience) {
    const double reduced = std::max(factor_ * options_.factor, options_.min_factor);
    if (factor_ - reduced > options_.eps) factor_ = reduced;
    cooldown_ = options_.cooldown;
    bad_epochs_ = 0;
  }
  return factor_;
}

StateDict Plateau::state_dict() const {
  return {{"factor", Tensor::full({}, factor_, f64)},
          {"best", Tensor::full({}, best_, f64)},
          {"bad_epochs", Tensor::from({bad_epochs_}, {})},
          {"cooldown", Tensor::from({cooldown_}, {})}};
}

void Plateau::load_state_dict(const StateDict& state) {
  const std::vector<Tensor> given = match_state("Plateau", state_dict(), state);
  const auto bad_epochs = *given[2].data<std::int64_t>(), cooldown = *given[3].data<std::int64_t>();
  check<ValueError>(given[0].item() >= 0 && bad_epochs >= 0 && cooldown >= 0, "Plateau",
                    "factor {}, bad_epochs {} and cooldown {} must be at least 0", given[0].item(), bad_epochs, cooldown);
  factor_ = given[0].item();
  best_ = given[1].item();
  bad_epochs_ = bad_epochs;
  cooldown_ = cooldown;
}

}  // namespace weft::optim
