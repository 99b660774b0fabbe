#pragma once

#include "population/event.hpp"
#include "population/text_store.hpp"
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

enum class LineageMode {
    live,   ///< single-writer/multiple-reader where the file system allows, else plain with flushes
    batch,  ///< no readers expected until close (rebuild; NFS)
};

class LineageWriter {
  public:
    virtual ~LineageWriter() = default;
    /// Creates the file (replacing one that a dead writer left: the journal is the truth).
    [[nodiscard]] static Expected<std::unique_ptr<LineageWriter>> create(
        const std::filesystem::path& path, LineageMode mode);
    /// Adds an event's rows; `texts` supplies what it refers to. Rows become visible at flush().
    [[nodiscard]] virtual Status add(const Event& event, std::uint64_t index,
                                     const TextSource& texts) = 0;
    [[nodiscard]] virtual Status flush() = 0;
    /// Marks the file complete and closes it. Without it the file is still readable up to the last
    /// flush, after an h5clear-like repair that every tool of ours does by rebuilding.
    [[nodiscard]] virtual Status close() = 0;
    [[nodiscard]] virtual LineageMode mode() const = 0;  ///< live may have fallen back to batch
};

/// Everything read back, from a run folder (journal) or from a lineage.h5 alone. The events are
/// the same either way: the file holds all that the journal holds, but for wall-clock noise.
struct LineageData {
    std::vector<Event> events;
    std::unique_ptr<TextSource> texts;
    std::uint64_t torn_bytes = 0;
};

[[nodiscard]] Expected<LineageData> read_lineage(const std::filesystem::path& run_or_h5);

/// Writes RUN/lineage.h5 anew from RUN/journal (to a temporary name, then rename). `output` may
/// point elsewhere, for read-only runs.
[[nodiscard]] Status rebuild_lineage(const std::filesystem::path& run,
                                     const std::filesystem::path& output);

}  // namespace atl
