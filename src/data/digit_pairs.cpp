#include "weft/data/digit_pairs.hpp"

#include <boost/crc.hpp>
#include <cmath>

#include "base/fail.hpp"
#include "weft/base/random.hpp"

namespace weft::data {
namespace {

constexpr const char* where = "DigitPairs";

template <class Items>
const auto& drawn(const Items& items, Generator& generator) {
  return items[generator.below(items.size())];
}

/// x plus normal noise of this deviation.
template <class Numbers>
void add_noise(Numbers numbers, std::int64_t count, double deviation, Generator& generator) {
  const Tensor noise = Tensor::randn({count}, generator);
  for (std::int64_t i = 0; i < count; ++i) numbers[i] += static_cast<float>(deviation) * noise.data<float>()[i];
}

}  // namespace

DigitPairs::DigitPairs(std::vector<SpokenWord> sounds, const LabelledImages& images, const DigitPairOptions& options)
    : options_(options), sounds_(std::move(sounds)), images_(images.images.contiguous()) {
  const Tensor labels = images.labels.contiguous();
  check<ShapeError>(images_.rank() == 3 && labels.shape() == Shape{images_.size(0)}, where,
                    "images {} and labels {} are not [n, height, width] and [n]", images_, labels);
  check<DTypeError>(images_.dtype() == f32 && labels.dtype() == i32, where, "images {} must be f32, labels {} i32", images_,
                    labels);
  check<ValueError>(options.sound_noise >= 0 && options.image_noise >= 0, where,
                    "sound_noise is {} and image_noise {}; neither can be negative", options.sound_noise, options.image_noise);
  const auto of_class = [this](std::int32_t label, const char* what) -> Class& {
    check<ValueError>(label >= 0 && label < 1 << 20, where, "{} has the label {}; 0 or more are needed", what, label);
    if (static_cast<std::size_t>(label) >= classes_.size()) classes_.resize(static_cast<std::size_t>(label) + 1);
    return classes_[static_cast<std::size_t>(label)];
  };
  for (std::size_t i = 0; i < sounds_.size(); ++i) {
    check<ValueError>(!sounds_[i].samples.empty(), where, "recording {} has no samples", i);
    of_class(sounds_[i].label, "a recording").sounds.push_back(i);
  }
  for (std::int64_t i = 0; i < labels.numel(); ++i) of_class(labels.data<std::int32_t>()[i], "an image").images.push_back(i);
  for (std::size_t label = 0; label < classes_.size(); ++label)
    if (!classes_[label].sounds.empty() && !classes_[label].images.empty())
      in_common_.push_back(static_cast<std::int32_t>(label));
  check<ValueError>(!in_common_.empty(), where, "no class has both: {} recordings, {} images", sounds_.size(), labels.numel());
}

DigitPair DigitPairs::pair(std::uint64_t index) const {
  Generator generator(seed_of(options_.seed, options_.part) ^ hash_of("digit pairs"), index << 3);  // five draws
  DigitPair pair;
  pair.label = drawn(in_common_, generator);
  const Class& of = classes_[static_cast<std::size_t>(pair.label)];
  pair.samples = sounds_[drawn(of.sounds, generator)].samples;
  pair.image = images_.select(0, drawn(of.images, generator)).clone();
  pair.spoilt = generator.below(2) == 0 ? Sense::sound : Sense::image;
  if (pair.spoilt == Sense::image) {
    add_noise(pair.image.mutable_data<float>(), pair.image.numel(), options_.image_noise, generator);
    return pair;
  }
  double squares = 0;
  for (const float sample : pair.samples) squares += static_cast<double>(sample) * static_cast<double>(sample);
  const double loudness = std::sqrt(squares / static_cast<double>(pair.samples.size()));
  add_noise(pair.samples.data(), static_cast<std::int64_t>(pair.samples.size()), options_.sound_noise * loudness, generator);
  return pair;
}

std::string DigitPairs::describe() const {
  boost::crc_32_type crc;
  for (const SpokenWord& word : sounds_) {
    crc.process_bytes(&word.label, sizeof word.label);
    crc.process_bytes(word.samples.data(), word.samples.size() * sizeof(float));
  }
  crc.process_bytes(images_.raw(), static_cast<std::size_t>(images_.numel()) * sizeof(float));
  for (const Class& of : classes_) crc.process_bytes(of.images.data(), of.images.size() * sizeof(std::int64_t));
  return fmt::format("{} recordings, {} images, crc32 {:08x}, noise {} and {}, seed {}", sounds_.size(), images_.size(0),
                     crc.checksum(), options_.sound_noise, options_.image_noise, seed_of(options_.seed, options_.part));
}

}  // namespace weft::data
