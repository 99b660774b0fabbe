#pragma once

#include "mutators/memory/failure_table.hpp"
#include "mutators/memory/memory_settings.hpp"
#include "mutators/memory/pair_memory.hpp"
#include "mutators/memory/shown_memory.hpp"
#include "population/campaign_state.hpp"
#include "population/journal/text_store.hpp"
#include "reward/task.hpp"
#include "search/candidate_store.hpp"
#include "search/cycling.hpp"
#include "search/lru_cache.hpp"
#include "search/min_hash.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace atl {

/// What a campaign has learned that models are told beside programs: what failed again and again,
/// which changes helped or hurt, what helps against the parent's bottleneck, and what a model said
/// about the campaign so far. All of it follows from the state: each committed individual is looked
/// at once, when the next ticket of an operator with such a prompt is issued; so in either order of
/// commits a ticket is told what was committed when it was issued. What was chosen is recorded with
/// the ticket (TicketIssued::memory). Nothing measured on hidden workloads comes in. Not
/// thread-safe; `texts` must outlive it.
class PromptMemory {
  public:
    /// `novelty`: whether lines that ancestors gave up are told, too (search/cycling.hpp).
    PromptMemory(const MemorySettings& settings, const NoveltySettings& novelty, std::string kind,
                 const TextSource& texts);

    /// For a decision whose operator's prompt has the blocks: to_json(ShownMemory), whose id
    /// becomes `issued.memory`; the caller stores the text. Empty where there is nothing to tell.
    [[nodiscard]] Expected<std::string> choose(const CampaignState& state, TicketIssued& issued);

    /// For the prompt "insights": what the campaign did since it was asked before (at most
    /// k_kept_changes), what was said then, failures, and the best program.
    [[nodiscard]] Expected<PromptMaterial> insight_material(const CampaignState& state,
                                                            CandidateStore& candidates);
    static constexpr std::size_t k_kept_changes = 64;

  private:
    [[nodiscard]] Status learn(const CampaignState& state);
    [[nodiscard]] Status learn(const CampaignState& state, const Individual& individual);
    [[nodiscard]] Status learn_pair(const Individual& base, const Individual& child);
    [[nodiscard]] Expected<std::string> change_text(const Individual& base,
                                                    const Individual& child) const;
    [[nodiscard]] Expected<Bottleneck> bottleneck_of(const Individual& individual);
    [[nodiscard]] Expected<Sketch> sketch(const Digest& source);
    [[nodiscard]] Status add_pairs(const CampaignState& state, const Individual& base,
                                   Bottleneck bottleneck, ShownMemory& memory);

    MemorySettings m_settings;
    std::string m_kind;
    const TextSource* m_texts;
    std::size_t m_learned = 0;  ///< individuals looked at
    FailureTable m_failures;
    PairMemory m_pairs;
    std::deque<std::string> m_changes;  ///< the last, oldest first
    Cycling m_cycling;
    LruCache<Digest, Sketch> m_sketches{1 << 20};
    LruCache<Digest, Bottleneck> m_bottlenecks{1 << 20};
};

/// What the ticket's record says that its model is told; nullptr where that is nothing.
[[nodiscard]] Expected<std::shared_ptr<const PromptMaterial>> recorded_material(
    const TicketIssued& issued, const TextSource& texts);

}  // namespace atl
