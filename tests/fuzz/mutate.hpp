#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atl::fuzz {

/// `seed` with one to four edits (bits and bytes changed, pieces removed, doubled, moved, numbers
/// at the ends of their ranges). Pure: the same seed and number give the same bytes.
[[nodiscard]] std::string mutated(std::string_view seed, std::uint64_t number);

}  // namespace atl::fuzz
