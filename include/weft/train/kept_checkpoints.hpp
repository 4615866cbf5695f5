#pragma once
#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

namespace weft {

/// The file of a run's folder that `keep` (TrainerOptions) keeps of the validation at that update: "update-N.safetensors".
std::filesystem::path kept_checkpoint(const std::filesystem::path& folder, std::int64_t update);

/// The files that `keep` left in a run's folder with the updates that they are of, the oldest first. Throws IoError.
std::vector<std::pair<std::int64_t, std::filesystem::path>> kept_checkpoints(const std::filesystem::path& folder);

}  // namespace weft
