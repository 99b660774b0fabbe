#pragma once

#include "population/campaign_state.hpp"
#include "population/journal/journal.hpp"
#include "population/run_folder.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// A snapshot is a whole state at a place of the journal. It only saves time: without it, or when
/// it is damaged, the journal alone gives the same state. Byte layout: FORMATS.md.
inline constexpr std::uint32_t k_snapshot_version = 1;
inline constexpr std::size_t k_snapshots_kept = 3;

/// Larger ones are not written: the journal alone must do then.
inline constexpr std::uint64_t k_max_snapshot_bytes = std::uint64_t{1} << 30;

/// Writes snapshots/NNNNNNNNNN.snap (N: events folded) durably and removes all but this one and the
/// two before it. `position` is the journal's position after the state's last event, which must
/// have been synced: a snapshot ahead of its journal proves that the journal lost something.
/// Errors: no_space, permission, io, limit.
[[nodiscard]] Status write_snapshot(const RunFolder& run, const CampaignState& state,
                                    std::uint64_t position);

/// A run read back: the state, and the journal to take texts from.
struct LoadedRun {
    CampaignState state;
    std::uint64_t position = 0;         ///< in the journal, after the last event
    std::uint64_t replayed_events = 0;  ///< folded one by one; the rest came from a snapshot
    std::uint64_t torn_bytes = 0;       ///< of the journal, ignored
    std::vector<std::string> notes;     ///< what was skipped and why, for the log
    std::unique_ptr<JournalReader> journal;
};

/// What the copies beside a journal prove that it must hold. Take it before reading the journal: a
/// running campaign goes on.
struct Attested {
    std::uint64_t position = 0;        ///< of the newest intact snapshot of this journal
    std::filesystem::path snapshot;    ///< which one
    std::uint64_t lineage_events = 0;  ///< in lineage.h5; 0 when it is absent or cannot be read
};
[[nodiscard]] Attested attested_by_copies(const RunFolder& run);
/// An error of code corrupt, with what to do, when the journal has lost events that were durable.
[[nodiscard]] Status check_nothing_lost(const RunFolder& run, const Attested& attested,
                                        std::uint64_t end_position, std::uint64_t events);

/// The newest snapshot that is intact and fits, plus the rest of the journal. Works on read-only
/// folders and while the campaign runs (but not beside a LineageStream of the same process).
/// Errors: not_found, too_new, corrupt (says where; also when events that were durable are lost),
/// io.
[[nodiscard]] Expected<LoadedRun> load_run(const RunFolder& run, const StateSettings& settings);

/// The first event of a run's journal: its config says how to fold the rest. corrupt when the
/// journal has none.
[[nodiscard]] Expected<CampaignStarted> read_campaign_start(const RunFolder& run);

}  // namespace atl
