#pragma once

#include "reward/base/hash.hpp"
#include "reward/candidate.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl {

/// A marked region's name and a digest of its program text.
using RegionDigests = std::vector<std::pair<std::string, Digest>>;

/// The regions whose name stands for one place only, in source order.
[[nodiscard]] RegionDigests region_digests(std::string_view source);

/// Names of the regions that both have with different program text, in the order of `base`.
[[nodiscard]] std::vector<std::string> shared_regions(const RegionDigests& base,
                                                      const RegionDigests& partner);

/// `base` with the named regions replaced by the partner's. Tune values and, where the base lacks
/// them, `// tune:` definitions of macros that the new regions mention come from the partner.
/// REQUIRES `names` to be a subset of shared_regions() of the two sources.
[[nodiscard]] Candidate graft_regions(const Candidate& base, const Candidate& partner,
                                      const std::vector<std::string>& names);

}  // namespace atl
