#include "search/shown_programs.hpp"

#include "mutators/memory/exemplars.hpp"
#include "mutators/memory/inspirations.hpp"

namespace atl {

namespace {

constexpr std::uint32_t k_exemplar_stream = 0;
constexpr std::uint32_t k_inspiration_stream = 1;

}  // namespace

void add_shown_programs(const CampaignState& state, const MemorySettings& settings,
                        std::uint64_t seed, const ShownBlocks& blocks, TicketIssued& issued) {
    const auto entries = state.islands()[issued.island].archive.entries();
    std::vector<IndividualId> taken;
    for (const Parent& parent : issued.parents) {
        taken.push_back(parent.id);
    }
    const auto add = [&](const std::vector<ShownChoice>& choices, ParentRole role) {
        for (const ShownChoice& choice : choices) {
            issued.parents.push_back({entries[choice.index].id, role, choice.probability});
            taken.push_back(entries[choice.index].id);
        }
    };
    if (blocks.exemplars) {
        CounterRng rng(seed, RngPurpose::shown_programs, issued.ticket, k_exemplar_stream);
        add(choose_exemplars(settings, entries, taken, rng), ParentRole::exemplar);
    }
    if (blocks.inspirations) {
        CounterRng rng(seed, RngPurpose::shown_programs, issued.ticket, k_inspiration_stream);
        add(choose_inspirations(settings, entries, taken, rng), ParentRole::inspiration);
    }
}

}  // namespace atl
