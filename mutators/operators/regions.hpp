#pragma once

#include "reward/candidate.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Names of the marked regions that both sources have, once each and with different program text.
/// In the order of `base`.
[[nodiscard]] std::vector<std::string> shared_regions(std::string_view base,
                                                      std::string_view partner);

/// `base` with the named regions replaced by the partner's. Tune values and, where the base lacks
/// them, `// tune:` definitions of macros that the new regions mention come from the partner.
/// REQUIRES `names` to be a subset of shared_regions().
[[nodiscard]] Candidate graft_regions(const Candidate& base, const Candidate& partner,
                                      const std::vector<std::string>& names);

}  // namespace atl
