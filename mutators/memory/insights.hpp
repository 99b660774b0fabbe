#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

class CampaignState;

inline constexpr std::size_t k_most_insights = 5;      ///< of one reply, as ShinkaEvolve has it
inline constexpr std::size_t k_longest_insight = 400;  ///< bytes
/// mutators/prompts/templates/insights.mustache: what the campaign did lately stands in `memory`,
/// its best program in `parent`.
inline constexpr const char* k_insight_prompt = "insights";

/// Whether a model is to be asked now what the campaign has taught: at each multiple of `every`
/// commits (ShinkaEvolve's meta_rec_interval), once; 0: never. A function of the record alone.
[[nodiscard]] bool insight_due(const CampaignState& state, std::uint64_t every);

/// What is kept of the reply: its first k_most_insights list items ("- ", "* ", "1. ") outside of
/// fences, a line each, shortened to k_longest_insight. A reply without any has none. The reply is
/// hostile: what is no UTF-8 is left out, control characters become spaces.
[[nodiscard]] std::vector<std::string> insight_items(std::string_view reply);

}  // namespace atl
