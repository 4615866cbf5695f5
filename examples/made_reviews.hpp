#pragma once
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>

#include "weft/base/random.hpp"
#include "weft/data/documents.hpp"

/// Reviews made here, to try a classifier on: what is said of a film tells the class, where it was seen doesn't.
inline weft::data::LabelledDocuments made_reviews(std::int64_t of_each_class = 60) {
  static const std::array<const char*, 8> things = {"plot",     "cast",    "music", "ending",
                                                    "dialogue", "scenery", "pace",  "director"};
  static const std::array<std::array<const char*, 8>, 2> opinions = {
      {{"dull", "awful", "silly", "clumsy", "weak", "tedious", "flat", "poor"},
       {"moving", "superb", "clever", "graceful", "strong", "gripping", "rich", "fine"}}};
  static const std::array<const char*, 4> places = {"at home", "in town", "at a festival", "with friends"};
  weft::Generator generator(1);
  const auto any = [&](const auto& words) { return words[generator.below(words.size())]; };
  weft::data::LabelledDocuments reviews{.classes = {"neg", "pos"}, .files = {of_each_class, of_each_class}};
  for (std::size_t label = 0; label < 2; ++label)
    for (std::int64_t place = 0; place < of_each_class; ++place) {
      weft::data::Document review{.name = fmt::format("{}{}", reviews.classes[label], place),
                                  .label = static_cast<std::int64_t>(label),
                                  .place = place};
      for (std::uint64_t count = 3 + generator.below(5); count > 0; --count) {
        if (generator.below(2) == 0)
          review.sentences.push_back(fmt::format("We saw it {}, for the {}.", any(places), any(things)));
        else  // one opinion in five is the other one
          review.sentences.push_back(
              fmt::format("The {} was {}.", any(things), any(opinions[generator.below(5) == 0 ? 1 - label : label])));
      }
      review.sentences.push_back(fmt::format("A {} film!", any(opinions[label])));
      reviews.documents.push_back(std::move(review));
    }
  return reviews;
}
