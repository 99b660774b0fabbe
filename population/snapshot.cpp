#include "population/snapshot.hpp"

#include "population/byte_codec.hpp"
#include "population/journal_format.hpp"
#include "population/text_codec.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_snapshot_magic = "ATOLLSNP";
constexpr std::uint64_t k_max_snapshot_bytes = std::uint64_t{1} << 30;

struct Snapshot {
    CampaignState state;
    std::uint64_t position = 0;
};

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

Expected<Snapshot> read_snapshot(const fs::path& path, std::uint64_t journal_id,
                                 const StateSettings& settings) {
    ATOLL_TRY_ASSIGN(const std::string bytes, read_file(path, k_max_snapshot_bytes));
    constexpr std::size_t k_checksum_bytes = 8;
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
    const std::uint64_t position = in.u64();
    const std::uint64_t events = in.u64();
    StoredText stored;
    stored.method = TextMethod::zstd;
    const std::uint64_t state_bytes = in.u64();
    stored.packed = in.rest();
    ATOLL_TRY(in.finish());
    if (id != journal_id) {
        return failure(ErrorCode::corrupt, "belongs to another journal");
    }
    if (state_bytes > k_max_snapshot_bytes) {
        return failure(ErrorCode::limit, "is too large");
    }
    stored.size = static_cast<std::uint32_t>(state_bytes);
    ATOLL_TRY_ASSIGN(const std::string unpacked, unpack_text(stored, {}));
    ATOLL_TRY_ASSIGN(CampaignState state, CampaignState::decode(unpacked, settings));
    if (state.events_applied() != events) {
        return failure(ErrorCode::corrupt, "does not match its own header");
    }
    return Snapshot{std::move(state), position};
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

Status write_snapshot(const RunFolder& run, const CampaignState& state, std::uint64_t position) {
    ATOLL_TRY_ASSIGN(const JournalHeader header, journal_header(run));
    const std::string bytes = state.encode();
    const std::string packed = TextPacker().pack(bytes, {});
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
    ATOLL_TRY(
        write_file_durably(run.snapshots() / snapshot_name(state.events_applied()), out.bytes()));
    const std::vector<fs::path> all = list_snapshots(run.snapshots());
    for (std::size_t i = k_snapshots_kept; i < all.size(); ++i) {
        std::error_code ignored;  // one too many does no harm
        fs::remove(all[i], ignored);
    }
    return {};
}

Expected<LoadedRun> load_run(const RunFolder& run, const StateSettings& settings) {
    ATOLL_TRY_ASSIGN(const JournalHeader header, journal_header(run));
    std::vector<std::string> notes;
    for (const fs::path& path : list_snapshots(run.snapshots())) {
        const auto skip = [&](const Error& error) {
            notes.push_back("skipped snapshot " + path.string() + ": " + error.message());
        };
        Expected<Snapshot> snapshot = read_snapshot(path, header.id, settings);
        if (!snapshot) {
            skip(snapshot.error());
            continue;
        }
        ATOLL_TRY_ASSIGN(auto journal, JournalReader::open(run.journal()));
        LoadedRun loaded{std::move(snapshot->state), snapshot->position, 0, 0, notes,
                         std::move(journal)};
        if (const Status status = fold_rest(loaded); !status) {
            skip(status.error());
            continue;
        }
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
