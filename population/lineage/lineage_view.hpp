#pragma once

#include "population/event.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace atl {

/// The events of a campaign arranged for analysis. Tolerant: what contradicts itself is kept as it
/// is, so that damaged runs can be looked at (lineage_check.hpp tells what is wrong). Points into
/// the events it was made from, which must outlive it. Immutable once made.
struct LineageView {
    enum class TicketEnd { in_flight, committed, failed };

    struct Ticket {
        const TicketIssued* issued = nullptr;  ///< null only in damaged runs
        const TicketCommitted* committed = nullptr;
        const TicketFailed* failed = nullptr;
        std::vector<std::size_t> individuals;          ///< in step order as they came
        std::int64_t commit = -1;                      ///< 0 for the first commit of the campaign
        std::vector<const ModelExchanged*> exchanges;  ///< as they came
        std::size_t asked_before_child = 0;            ///< of those, before its first proposal
        [[nodiscard]] TicketEnd end() const {
            return committed != nullptr ? TicketEnd::committed
                   : failed != nullptr  ? TicketEnd::failed
                                        : TicketEnd::in_flight;
        }
    };

    struct Node {
        const Individual* individual = nullptr;
        std::int64_t commit = -1;              ///< of its ticket; -1 while not committed
        std::vector<std::size_t> children;     ///< made of it, each once
        const Confirmed* confirmed = nullptr;  ///< the last confirmation of it
        /// A confirmation refused it or an equal program: it is called best nowhere.
        bool turned_down = false;
        [[nodiscard]] bool committed() const { return commit >= 0; }
    };

    const CampaignStarted* started = nullptr;
    std::vector<const SessionOpened*> sessions;
    std::vector<Node> nodes;  ///< every evaluated individual, in event order
    std::map<std::uint64_t, Ticket> tickets;
    std::vector<const Migrated*> migrations;
    std::vector<const Confirmed*> confirmations;
    std::vector<const CampaignStopped*> stops;
    std::vector<const IslandsReset*> resets;
    std::vector<const IslandSpawned*> spawns;
    std::vector<const ProgressWatched*> watches;
    std::vector<const RolloutRecorded*> rollouts;  ///< of a reward server's log, which has no more
    std::vector<const TurnedDown*> turned_down;    ///< proposals that were not evaluated
    /// The stop that ended the last session; null while it runs, or when it was killed.
    const CampaignStopped* ended = nullptr;
    std::int64_t elapsed_ns = 0;  ///< the latest time seen, since the campaign's start
    std::unordered_map<std::uint64_t, std::size_t> by_id;

    static constexpr std::uint32_t k_max_islands = 65'536;

    [[nodiscard]] const Node* find(IndividualId id) const;
    [[nodiscard]] const Ticket* find_ticket(std::uint64_t ticket) const;
    /// The highest island that is mentioned plus one, at most k_max_islands.
    [[nodiscard]] std::uint32_t islands() const;
    /// The individual of the last accepted confirmation that none of the same individual refuted
    /// later, else the committed one of highest fitness that was not turned down (ties: lower id);
    /// null when there is none.
    [[nodiscard]] const Node* best() const;
};

[[nodiscard]] LineageView lineage_view(const std::vector<Event>& events);

/// The parent that a child was made from: the first of role base, else the first. Null for
/// starters and when the parent is missing.
[[nodiscard]] const LineageView::Node* base_parent(const LineageView& view,
                                                   const Individual& child);
/// From the starter to `id`, along base parents. Empty when there is no such individual.
[[nodiscard]] std::vector<const LineageView::Node*> base_path(const LineageView& view,
                                                              IndividualId id);
/// Everything that `id` is made of (is_made_of()), and that of, itself included.
[[nodiscard]] std::set<IndividualId> ancestry(const LineageView& view, IndividualId id);
/// Migrations whose migrant became a parent, on the island that it came to, of somebody in the
/// ancestry: those that mattered.
[[nodiscard]] std::vector<const Migrated*> ancestral_migrations(
    const LineageView& view, const std::set<IndividualId>& ancestry);

/// "17.2" -> id; nullopt for anything else.
[[nodiscard]] std::optional<IndividualId> parse_individual_id(std::string_view text);

}  // namespace atl
