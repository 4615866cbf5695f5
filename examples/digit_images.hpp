#pragma once
#include <fmt/format.h>

#include <boost/crc.hpp>
#include <string>

#include "digit_classes.hpp"
#include "run_notes.hpp"
#include "trainer_settings.hpp"
#include "weft/data/idx.hpp"
#include "weft/data/moving_digits.hpp"

/// Images of digits, for a model that knows the labels below `classes`: of --images and --labels, or drawn by code, by `seed`.
/// Throws UsageError, and FormatError that names the file.
inline weft::data::LabelledImages read_digits(const std::string& images, const std::string& labels, bool quick,
                                              std::uint64_t seed, std::int64_t classes) {
  if (quick) {
    trainer_settings::refuse_data(images, "images");
    trainer_settings::refuse_data(labels, "labels");
    return weft::data::made_digits(300, seed);
  }
  const std::string path = trainer_settings::required(images, "images");
  weft::data::LabelledImages digits = weft::data::read_idx_images(path, trainer_settings::required(labels, "labels"));
  if (digits.images.numel() == 0)
    throw weft::FormatError(
        fmt::format("{} has images of {} by {} pixels", path, digits.images.size(1), digits.images.size(2)));
  for (std::int64_t i = 0; i < digits.labels.numel(); ++i)
    if (const double label = digits.labels.at({i}); label >= static_cast<double>(classes))
      throw weft::FormatError(
          fmt::format("{}: image {} has the label {}, and the model knows 0 to {}; give the digits' own labels "
                      "(--labels)",
                      labels, i, label, classes - 1));
  return digits;
}

/// digit_classes::check of images.
inline void check_digits(const char* program, const std::string& data, const char* items,
                         const weft::data::LabelledImages& images, digit_classes::Use use) {
  const weft::Tensor labels = images.labels.contiguous();
  const auto* first = labels.data<std::int32_t>();
  digit_classes::check(program, data, items, {first, first + labels.numel()}, use);
}

inline constexpr const char* digits_note = "digits";  // of a run: the checksum of its images

inline std::string checksum_of(const weft::Tensor& images) {
  boost::crc_32_type crc;
  crc.process_bytes(images.contiguous().raw(), static_cast<std::size_t>(images.numel()) * weft::size_of(images.dtype()));
  return fmt::format("{} images, crc32 {:08x}", images.size(0), crc.checksum());
}

/// Says that the run in `folder` has learned from the images of `path`, as far as it notes that.
inline void warn_of_learned(const char* program, const std::string& folder, const std::string& path,
                            const weft::data::LabelledImages& images) {
  if (run_notes::text(run_notes::of_run(folder), digits_note) == checksum_of(images.images))
    fmt::print(stderr, "{}: {} was learned from, so this is no held-out score (--images)\n", program, path);
}
