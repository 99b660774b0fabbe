#pragma once

#include "population/event.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace atl {

/// lineage.h5: the data set for analysis and training, streamed from the journal by one writer and
/// rebuildable from it. All data sets exist before live mode starts, rows are fixed-size compounds,
/// text is (offset, length) into one byte data set. Fields: FORMATS.md.
inline constexpr std::uint32_t k_lineage_version = 1;
inline constexpr const char* k_lineage_file = "lineage.h5";  ///< names in a run folder
inline constexpr const char* k_journal_file = "journal";

enum class LineageMode {
    live,   ///< single-writer/multiple-reader where the file system allows, else plain with flushes
    batch,  ///< smaller; no readers before close (rebuild; network file systems)
};

/// Not thread-safe, and no two writers or readers at once in different threads (HDF5).
class LineageWriter {
  public:
    virtual ~LineageWriter() = default;
    /// Creates the file (replacing one that a dead writer left: the journal is the truth).
    [[nodiscard]] static Expected<std::unique_ptr<LineageWriter>> create(
        const std::filesystem::path& path, LineageMode mode);
    /// Opens a file that a live writer closed, to add the events after those that it holds. Any
    /// error means that it must be created anew; it is unchanged then.
    [[nodiscard]] static Expected<std::unique_ptr<LineageWriter>> go_on(
        const std::filesystem::path& path);
    /// Adds an event's rows; `texts` supplies what it refers to. `index` counts from 0 without
    /// gaps. Rows become visible at flush(). After an error the file is unusable: give it up.
    [[nodiscard]] virtual Status add(const Event& event, std::uint64_t index,
                                     const TextSource& texts) = 0;
    [[nodiscard]] virtual Status flush() = 0;
    /// Flushes and closes. A file that was never closed (kill -9) may be unreadable for others; our
    /// tools read the journal beside it, and `atoll lineage RUN rebuild` writes it anew.
    [[nodiscard]] virtual Status close() = 0;
    [[nodiscard]] virtual LineageMode mode() const = 0;  ///< live may have fallen back to batch
};

/// Everything read back, from a run folder (journal) or from a lineage.h5 alone. The events are
/// the same either way: the file holds all that the journal holds.
struct LineageData {
    std::vector<Event> events;
    std::unique_ptr<TextSource> texts;
    std::uint64_t torn_bytes = 0;
    std::uint64_t end_position = 0;  ///< of the journal's last valid record; 0 for a lineage.h5
    std::filesystem::path source;    ///< the file that was read
};

/// A folder: its journal, or the lineage.h5 in it when there is no journal. A file: a lineage.h5
/// anywhere, read-only or not. Nothing is written. not_found, corrupt and too_new say what to do.
[[nodiscard]] Expected<LineageData> read_lineage(const std::filesystem::path& run_or_h5);

/// Where a lineage.h5 ends. Also errors when it was not closed.
struct LineageEnd {
    std::uint64_t events = 0;
    Event last;  ///< meaningless without events
};
[[nodiscard]] Expected<LineageEnd> read_lineage_end(const std::filesystem::path& h5);

/// Number of events that a lineage.h5 holds, also one that is being written or was never closed.
[[nodiscard]] Expected<std::uint64_t> count_lineage_events(const std::filesystem::path& h5);

/// Writes RUN/lineage.h5 anew from RUN/journal (to a temporary name, then rename). `output` may
/// point elsewhere, for read-only runs. corrupt, and nothing changed, when the file there holds
/// more events than the journal.
[[nodiscard]] Status rebuild_lineage(const std::filesystem::path& run,
                                     const std::filesystem::path& output);

}  // namespace atl
