#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace atl {

/// Where `wanted` would begin in `lines` (from 0) so that most of its lines stand there; where none
/// does, so that its longest stands at the one that shares most words with it (Dice's coefficient,
/// at least a half). Lines that repeat more than 64 times say nothing of a place, nor do those
/// behind the first 1,000. nullopt when there is none. REQUIRES lines without white space at
/// their ends. About linear.
[[nodiscard]] std::optional<std::size_t> nearest_place(const std::vector<std::string_view>& wanted,
                                                       const std::vector<std::string_view>& lines);

}  // namespace atl
