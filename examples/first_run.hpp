#pragma once
#include <fmt/format.h>

#include <boost/crc.hpp>
#include <filesystem>
#include <string>

#include "weft/nn/module.hpp"
#include "weft/tensor/safetensors.hpp"
#include "weft/train/trainer.hpp"

/// A run that begins with another run's best weights.
namespace first_run {

inline std::string checksum_of(const std::filesystem::path& file) {
  boost::crc_32_type crc;
  for (const auto& [name, tensor] : weft::load_safetensors(file).tensors) {
    crc.process_bytes(name.c_str(), name.size() + 1);
    crc.process_bytes(tensor.contiguous().raw(), static_cast<std::size_t>(tensor.numel()) * weft::size_of(tensor.dtype()));
  }
  return fmt::format("weights of crc32 {:08x}", crc.checksum());
}

/// Of a message that lists faults, a line each under a headline, the first; a message of one line as it is.
inline std::string first_fault(const std::string& what) {
  const auto head = what.find('\n');
  if (head == std::string::npos) return what;
  const auto begin = what.find_first_not_of(" \n", head), end = what.find('\n', begin);
  return begin == std::string::npos ? what.substr(0, head) : what.substr(begin, end - begin);
}

/// Gives `model` the weights of the run in `start`, and the run to come a setting that tells them from others. A run that goes
/// on has weights of its own and needs the first one's folder no more; where that is still there, it must hold the same.
inline void start_from(const std::filesystem::path& start, weft::nn::ModuleBase& model, weft::TrainerOptions& options) {
  constexpr const char* key = "training.start";
  const std::filesystem::path first = start / "best.safetensors", last = options.folder / "last.safetensors";
  const bool goes_on = options.resume != weft::Resume::never && std::filesystem::exists(last);
  if (goes_on && !std::filesystem::exists(first)) {
    const weft::Metadata metadata = weft::load_safetensors(last).metadata;
    const auto there = metadata.find(key);
    options.settings[key] = there == metadata.end() ? first.string() : there->second;
    return;
  }
  if (!std::filesystem::is_regular_file(first) && std::filesystem::exists(start / "last.safetensors"))
    throw weft::IoError(fmt::format(
        "there is no {}: the run in {} (--start) has no validation yet; where it was stopped, its train command goes on",
        first.string(), start.string()));
  if (!std::filesystem::is_regular_file(first))
    throw weft::IoError(fmt::format("there is no {}: {} (--start) is no folder of a training run that was validated",
                                    first.string(), start.string()));
  try {
    if (!goes_on) weft::nn::load(model, first);
  } catch (const weft::ValueError& error) {
    throw weft::FormatError(
        fmt::format("{} (--start) has the weights of another model: {}", first.string(), first_fault(error.what())));
  }
  options.settings[key] = checksum_of(first);
}

}  // namespace first_run
