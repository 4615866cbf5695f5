#pragma once
#include <cstddef>

namespace weft::detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Zeros from the system, in huge pages where it gives them: `bytes` is a multiple of huge_page, and so is the address. Null
/// where there is no memory; up to huge_page more of address space is needed for a moment.
std::byte* map_huge(std::size_t bytes) noexcept;
/// Gives back what map_huge gave, whole. False, and all is as it was, where the system can't (it counts mappings).
bool unmap_huge(void* memory, std::size_t bytes) noexcept;

}  // namespace weft::detail
