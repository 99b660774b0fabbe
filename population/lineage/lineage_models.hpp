#pragma once

#include "population/lineage/lineage_summary.hpp"

#include <vector>

namespace atl {

/// LineageSummary::models of a campaign. Pure.
[[nodiscard]] std::vector<LineageSummary::Model> model_rows(const LineageView& view);

}  // namespace atl
