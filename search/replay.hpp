#pragma once

#include "population/event.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/error.hpp"
#include "reward/task.hpp"
#include "search/config.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// What a replay of a journal found. A decision is a TicketIssued, a Migrated, an IslandsReset, an
/// IslandSpawned, a ProgressWatched, the reward of a TicketCommitted, or whether a proposal was
/// evaluated, answered from one that is the same by names or binary, or turned down.
struct ReplayReport {
    std::uint64_t decisions = 0;
    /// Decisions that the recorded state, config and seed do not lead to, in words, at most 20.
    std::vector<std::string> differences;
};

/// Folds the events and takes each decision again from the state before it, in both commit orders:
/// every one must come out as recorded, with its probabilities (times aside); so must the rewards
/// that operators were given; in order "ticket" tickets must end in the order of their numbers.
/// Errors: the events do not fold (corrupt), or a text is missing.
[[nodiscard]] Expected<ReplayReport> replay_decisions(
    std::span<const Event> events, const TextSource& texts, const CampaignConfig& config,
    const TaskPtr& task, const OperatorRegistry& operators = shipped_operators());

}  // namespace atl
