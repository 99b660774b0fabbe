#include "population/snapshot.hpp"

#include "population/byte_codec.hpp"
#include "population/journal/journal_format.hpp"
#include "population/journal/text_codec.hpp"
#include "population/lineage/lineage.hpp"

#include <malloc.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_snapshot_magic = "ATOLLSNP";
/// A snapshot whose checksum and journal are right, its state not unpacked yet.
struct Snapshot {
    std::uint64_t position = 0;
    std::uint64_t events = 0;
    std::uint64_t state_bytes = 0;  ///< unpacked
    std::string file;
    std::size_t packed_begin = 0;
    std::size_t packed_bytes = 0;
};

constexpr std::size_t k_checksum_bytes = 8;

std::string snapshot_name(std::uint64_t events) {
    std::string digits = std::to_string(events);
    return std::string(digits.size() < 10 ? 10 - digits.size() : 0, '0') + digits + ".snap";
}

/// Newest first: names hold the number of events, so they sort by age.
std::vector<fs::path> list_snapshots(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() == ".snap") {
            found.push_back(entry->path());
        }
    }
    std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
        const std::string x = a.filename().string();
        const std::string y = b.filename().string();
        return x.size() != y.size() ? x.size() > y.size() : x > y;
    });
    return found;
}

Expected<JournalHeader> journal_header(const RunFolder& run) {
    ATOLL_TRY_ASSIGN(const auto file, open_readable_file(run.journal()));
    return read_journal_header(*file, run.journal().string());
}

Expected<Snapshot> read_snapshot(const fs::path& path, std::uint64_t journal_id) {
    ATOLL_TRY_ASSIGN(std::string bytes, read_file(path, k_max_snapshot_bytes));
    if (bytes.size() < k_snapshot_magic.size() + k_checksum_bytes ||
        !bytes.starts_with(k_snapshot_magic)) {
        return failure(ErrorCode::corrupt, "is not a snapshot");
    }
    const std::string_view body =
        std::string_view(bytes).substr(0, bytes.size() - k_checksum_bytes);
    ByteReader tail(std::string_view(bytes).substr(body.size()));
    ByteReader in(body.substr(k_snapshot_magic.size()));
    if (in.u32() > k_snapshot_version) {
        return failure(ErrorCode::too_new, "was written by a newer version of Atoll");
    }
    if (tail.u64() != checksum64(body.data(), body.size())) {
        return failure(ErrorCode::corrupt, "is damaged");
    }
    const std::uint64_t id = in.u64();
    Snapshot snapshot;
    snapshot.position = in.u64();
    snapshot.events = in.u64();
    snapshot.state_bytes = in.u64();
    snapshot.packed_bytes = in.rest().size();
    snapshot.packed_begin = body.size() - snapshot.packed_bytes;
    ATOLL_TRY(in.finish());
    if (id != journal_id) {
        return failure(ErrorCode::corrupt, "belongs to another journal");
    }
    snapshot.file = std::move(bytes);
    return snapshot;
}

Expected<CampaignState> unpack_state(const Snapshot& snapshot, const StateSettings& settings) {
    if (snapshot.state_bytes > k_max_snapshot_bytes) {
        return failure(ErrorCode::limit, "is too large");
    }
    StoredText stored;
    stored.method = TextMethod::zstd;
    stored.size = static_cast<std::uint32_t>(snapshot.state_bytes);
    stored.packed =
        std::string_view(snapshot.file).substr(snapshot.packed_begin, snapshot.packed_bytes);
    ATOLL_TRY_ASSIGN(const std::string unpacked, unpack_text(stored, {}));
    ATOLL_TRY_ASSIGN(CampaignState state, CampaignState::decode(unpacked, settings));
    if (state.events_applied() != snapshot.events) {
        return failure(ErrorCode::corrupt, "does not match its own header");
    }
    return state;
}

/// Folds what follows `run.position`. On an error the run's state is of no more use.
Status fold_rest(LoadedRun& run) {
    const Status status =
        run.journal->for_each(run.position, [&run](const JournalReader::Entry& entry) -> Status {
            if (entry.index != run.state.events_applied()) {
                return failure(ErrorCode::corrupt, "the snapshot does not match the journal");
            }
            if (Status applied = run.state.apply(entry.event); !applied) {
                Error error = std::move(applied.error());
                error.where =
                    "event " + std::to_string(entry.index) + " (" + event_name(entry.event) + ")";
                return tl::unexpected(std::move(error));
            }
            run.position = entry.end_position;
            ++run.replayed_events;
            return {};
        });
    run.torn_bytes = run.journal->torn_bytes();
    return status;
}

}  // namespace

namespace {

Expected<std::string> snapshot_bytes(const RunFolder& run, const CampaignState& state,
                                     std::uint64_t position) {
    ATOLL_TRY_ASSIGN(const JournalHeader header, journal_header(run));
    const std::string bytes = state.encode();
    if (bytes.size() > k_max_snapshot_bytes) {
        return failure(ErrorCode::limit,
                       "a snapshot of " + std::to_string(bytes.size()) + " bytes is larger than " +
                           std::to_string(k_max_snapshot_bytes),
                       run.snapshots().string(), "a resume will read the whole journal instead");
    }
    const std::string packed = pack_quickly(bytes);
    if (packed.empty()) {
        return failure(ErrorCode::no_space, "no memory to pack a snapshot",
                       run.snapshots().string());
    }
    ByteWriter out;
    out.raw(k_snapshot_magic);
    out.u32(k_snapshot_version);
    out.u64(header.id);
    out.u64(position);
    out.u64(state.events_applied());
    out.u64(bytes.size());
    out.raw(packed);
    out.u64(checksum64(out.bytes().data(), out.bytes().size()));
    return out.take();
}

}  // namespace

Status write_snapshot(const RunFolder& run, const CampaignState& state, std::uint64_t position) {
    const fs::path path = run.snapshots() / snapshot_name(state.events_applied());
    {
        ATOLL_TRY_ASSIGN(const std::string bytes, snapshot_bytes(run, state, position));
        ATOLL_TRY(write_file_durably(path, bytes));
    }
    // What it took is as large as the state: the heap would keep it until the next one.
    ::malloc_trim(0);
    const std::vector<fs::path> all = list_snapshots(run.snapshots());
    const auto own = std::find(all.begin(), all.end(), path);
    for (auto other = all.begin(); other != all.end(); ++other) {
        // With more events than this one: of another journal, and in the way for good.
        if (other < own || other - own >= static_cast<std::ptrdiff_t>(k_snapshots_kept)) {
            std::error_code ignored;  // one too many does no harm
            fs::remove(*other, ignored);
        }
    }
    return {};
}

Attested attested_by_copies(const RunFolder& run) {
    Attested attested;
    if (const auto header = journal_header(run)) {
        for (const fs::path& path : list_snapshots(run.snapshots())) {
            if (const auto snapshot = read_snapshot(path, header->id)) {
                attested.position = snapshot->position;
                attested.snapshot = path;
                break;
            }
        }
    }
    attested.lineage_events = count_lineage_events(run.lineage()).value_or(0);
    return attested;
}

Status check_nothing_lost(const RunFolder& run, const Attested& attested,
                          std::uint64_t end_position, std::uint64_t events) {
    std::string proof;
    if (attested.position > end_position) {
        proof = attested.snapshot.filename().string() +
                " was taken when it was durable up to byte " + std::to_string(attested.position);
    } else if (attested.lineage_events > events) {
        proof = "lineage.h5 holds " + std::to_string(attested.lineage_events) + " events";
    } else {
        return {};
    }
    std::string hint = "restore the journal from a copy";
    if (attested.lineage_events > events) {
        hint +=
            "; keep lineage.h5, which holds " + std::to_string(attested.lineage_events) + " events";
    }
    return failure(ErrorCode::corrupt,
                   "has lost events that were acknowledged: it ends at byte " +
                       std::to_string(end_position) + " after " + std::to_string(events) +
                       " events, but " + proof,
                   run.journal().string(),
                   hint +
                       "; to go on from what is left, move lineage.h5 and the folder "
                       "snapshots away");
}

Expected<LoadedRun> load_run(const RunFolder& run, const StateSettings& settings) {
    ATOLL_TRY_ASSIGN(const JournalHeader header, journal_header(run));
    const Attested attested = attested_by_copies(run);
    std::vector<std::string> notes;
    for (const fs::path& path : list_snapshots(run.snapshots())) {
        const auto skip = [&](const Error& error) {
            notes.push_back("skipped snapshot " + path.string() + ": " + error.message());
        };
        const Expected<Snapshot> snapshot = read_snapshot(path, header.id);
        if (!snapshot) {
            skip(snapshot.error());
            continue;
        }
        Expected<CampaignState> state = unpack_state(*snapshot, settings);
        if (!state) {
            skip(state.error());
            continue;
        }
        ATOLL_TRY_ASSIGN(auto journal, JournalReader::open(run.journal()));
        LoadedRun loaded{std::move(*state), snapshot->position, 0, 0, notes, std::move(journal)};
        if (const Status status = fold_rest(loaded); !status) {
            skip(status.error());
            continue;
        }
        ATOLL_TRY(check_nothing_lost(run, attested, loaded.journal->end_position(),
                                     loaded.state.events_applied()));
        return loaded;
    }
    ATOLL_TRY_ASSIGN(auto journal, JournalReader::open(run.journal()));
    LoadedRun loaded{CampaignState(settings), 0, 0, 0, std::move(notes), std::move(journal)};
    if (Status status = fold_rest(loaded); !status) {
        Error error = std::move(status.error());
        if (error.where.find(run.journal().string()) == std::string::npos) {
            error.where = run.journal().string() + ", " + error.where;
        }
        return tl::unexpected(std::move(error));
    }
    ATOLL_TRY(check_nothing_lost(run, attested, loaded.journal->end_position(),
                                 loaded.state.events_applied()));
    return loaded;
}

Expected<CampaignStarted> read_campaign_start(const RunFolder& run) {
    ATOLL_TRY_ASSIGN(const auto journal, JournalReader::open(run.journal()));
    std::optional<CampaignStarted> started;
    const Status status = journal->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        if (const auto* event = std::get_if<CampaignStarted>(&entry.event)) {
            started = *event;
        }
        return failure(ErrorCode::interrupted, "the first event is all that is wanted");
    });
    if (!started && !status && status.error().code != ErrorCode::interrupted) {
        return tl::unexpected(status.error());
    }
    if (!started) {
        return failure(ErrorCode::corrupt, "has no campaign in it", run.journal().string(),
                       "it was interrupted before its first event: start anew in another folder");
    }
    return std::move(*started);
}

}  // namespace atl
