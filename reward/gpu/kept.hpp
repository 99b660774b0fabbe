#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atl {

/// Something that stays in a device's memory as long as there is room.
struct Kept {
    std::uint64_t bytes = 0;
    std::uint64_t last_use = 0;  ///< the larger, the later; no two alike
};

/// Which of them (indices, those that were used longest ago first) must go, so that at most `most`
/// stay and these take at most `most_bytes`. The one that was used last stays always. Pure.
[[nodiscard]] std::vector<std::size_t> to_drop(std::span<const Kept> kept, std::size_t most,
                                               std::uint64_t most_bytes);

}  // namespace atl
