#pragma once
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/fail.hpp"
#include "weft/seq2seq/ensemble.hpp"

namespace weft::seq2seq {

/// Throws ValueError where `which`, "this" or "the other", has no model.
template <class AnyModel>
void check_model(const char* where, const std::unique_ptr<AnyModel>& model, const char* which = "this") {
  check<ValueError>(model != nullptr, where, "{} has no model any more: it was moved, or added to another", which);
}

/// The model, checked.
template <class AnyModel>
AnyModel& model_of(const char* where, const std::unique_ptr<AnyModel>& model, const char* which = "this") {
  check_model(where, model, which);
  return *model;
}

/// The ensemble of a model and `others`, to which another model and its own others have moved. Where it can't be made, none
/// has.
template <class AnyModel>
std::unique_ptr<Ensemble> ensemble_with(const std::unique_ptr<AnyModel>& model, std::vector<std::unique_ptr<AnyModel>>& others,
                                        std::unique_ptr<AnyModel>& another,
                                        std::vector<std::unique_ptr<AnyModel>>& its_others) {
  std::vector<Model*> models = {model.get()};
  for (const auto& other : others) models.push_back(other.get());
  models.push_back(another.get());
  for (const auto& other : its_others) models.push_back(other.get());
  auto ensemble = std::make_unique<Ensemble>(std::move(models));
  others.reserve(others.size() + 1 + its_others.size());  // the last that could throw
  others.push_back(std::move(another));
  std::move(its_others.begin(), its_others.end(), std::back_inserter(others));
  its_others.clear();
  return ensemble;
}

}  // namespace weft::seq2seq
