#include "reward/gpu/kept.hpp"

#include <algorithm>
#include <numeric>

namespace atl {

std::vector<std::size_t> to_drop(std::span<const Kept> kept, std::size_t most,
                                 std::uint64_t most_bytes) {
    std::vector<std::size_t> order(kept.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return kept[a].last_use < kept[b].last_use; });
    std::uint64_t bytes = 0;
    for (const Kept& one : kept) {
        bytes += one.bytes;
    }
    std::vector<std::size_t> dropped;
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
        if (order.size() - dropped.size() <= most && bytes <= most_bytes) {
            break;
        }
        bytes -= kept[order[i]].bytes;
        dropped.push_back(order[i]);
    }
    return dropped;
}

}  // namespace atl
