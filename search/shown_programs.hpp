#pragma once

#include "mutators/memory/memory_settings.hpp"
#include "mutators/prompts/shown_blocks.hpp"
#include "population/campaign_state.hpp"

#include <cstdint>

namespace atl {

/// Adds to a decision the programs that its operator's prompt will show beside base and partner:
/// first exemplars, then inspirations, as parents with those roles, each with its probability given
/// those before. All are members of the ticket's island, so that what was born on another can be
/// among them only if it migrated. A pure function of the state, the settings, the seed and the
/// ticket; costs no more than the island's archive is large, and nothing where no block is shown.
void add_shown_programs(const CampaignState& state, const MemorySettings& settings,
                        std::uint64_t seed, const ShownBlocks& blocks, TicketIssued& issued);

}  // namespace atl
