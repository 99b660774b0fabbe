#pragma once

#include "population/campaign_state.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace atl {

/// What each model was asked and what that took, a line each; empty when none was asked. What is
/// not known is named: "at least $0.12 (2 calls without usage)".
[[nodiscard]] std::string model_lines(const CampaignState& state);

/// "120 calls (3 failed), $1.23" of all together, for a progress display; empty when none was
/// asked.
[[nodiscard]] std::string model_summary(const CampaignState& state);

/// The same as a list of objects.
[[nodiscard]] nlohmann::json model_json(const CampaignState& state);

}  // namespace atl
