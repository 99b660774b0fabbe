#pragma once

#include "population/lineage/lineage.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace atl {

/// Keeps RUN/lineage.h5 up to date while a campaign runs: a background thread follows RUN/journal
/// and adds what is new. It owns no truth: when HDF5 fails (disk full, no permission) the stream is
/// given up, the failure reported once, and the campaign goes on; `atoll lineage RUN rebuild` makes
/// the file later. On a run that has events already (resume) it goes on with the file that is
/// there, when that was closed properly and holds a beginning of the journal; else it writes it
/// anew.
///
///     auto stream = LineageStream::start({.run = run, .durable = journal.position()});
///     ... journal.sync(); stream->nudge(journal.position()); ...
///     stream->finish();
///
/// Only durable events are added, so that a lineage.h5 which holds more than its journal proves
/// that the journal lost something.
///
/// Thread-safe. The destructor stops without draining (the file is closed properly, and rebuildable
/// to the end).
class LineageStream {
  public:
    struct Options {
        std::filesystem::path run;  ///< holds `journal`, which must exist
        LineageMode mode = LineageMode::live;
        std::uint64_t durable = 0;  ///< bytes of the journal that are durable now
        /// Called at most once, from the stream's thread.
        std::function<void(const Error&)> on_failure;
    };

    [[nodiscard]] static std::unique_ptr<LineageStream> start(Options options);
    virtual ~LineageStream() = default;

    /// The journal has been synced up to byte `durable`: add what is new soon.
    virtual void nudge(std::uint64_t durable) = 0;
    /// Adds everything that is durable, closes the file and stops. Returns the failure if the
    /// stream was given up. A second call returns the same.
    virtual Status finish() = 0;
    /// How the file is being written; batch where the file system does not allow live readers.
    [[nodiscard]] virtual LineageMode mode() const = 0;
};

}  // namespace atl
