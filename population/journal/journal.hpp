#pragma once

#include "population/event.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/files.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace atl {

/// The truth of a campaign: an append-only file of framed, checksummed records. A record is either
/// a text (compressed, content-addressed, stored once) or an event. Byte layout: FORMATS.md.
///
/// Rule of acknowledgement: what was appended before a sync() that returned is there after kill -9
/// or power loss, intact. A torn tail is what follows the last intact record, where no intact
/// record behind it attests that it had been durable (the first record after each sync() attests
/// that for everything before it); it is cut off on open. Damage to durable records is an error of
/// code corrupt. So a crash never needs a repair, whatever order the disk wrote pages in.
inline constexpr std::uint32_t k_journal_version = 1;

struct JournalIndex;
class JournalReader;

/// Nothing reaches the file before sync() (but when 16 MiB are waiting). After an error of sync()
/// (disk full, say) the file ends with its last durable record and what was appended since is
/// still waiting: free space and sync() again, or give up; either way the journal is intact.
/// text() may be called from any thread; the rest from one thread at a time.
class JournalWriter : public TextSource {
  public:
    /// Creates, or opens to append after the last valid record. Errors: corrupt, too_new,
    /// permission, no_space, io.
    [[nodiscard]] static Expected<std::unique_ptr<JournalWriter>> open(
        const std::filesystem::path& path);
    /// Opens to append where `reader` ended, which has read all of the same file since this process
    /// has the run's lock: saves reading it again.
    [[nodiscard]] static Expected<std::unique_ptr<JournalWriter>> open_after(
        const std::filesystem::path& path, std::unique_ptr<JournalReader> reader);
    /// Any AppendFile (tests inject faults); empty, or one that holds a journal.
    [[nodiscard]] static Expected<std::unique_ptr<JournalWriter>> create(
        std::unique_ptr<AppendFile> file);

    /// Stores a text unless it is stored already; returns its id. `similar` (zero for none) names
    /// a stored text that this one resembles, to compress against; without it the last text with
    /// the same beginning is tried. Up to 64 MiB. Buffered until sync().
    [[nodiscard]] virtual Expected<Digest> put_text(std::string_view text,
                                                    const Digest& similar = {}) = 0;
    /// Buffered until sync(). The event's texts must have been put before. invalid_argument when
    /// it could not be read back (a NaN, a string of more than 1 MiB, ...): nothing is appended.
    [[nodiscard]] virtual Status append(const Event& event) = 0;
    /// Writes and fsyncs everything buffered (one fsync for any number of events).
    [[nodiscard]] virtual Status sync() = 0;
    /// Events in the file, durable or not.
    [[nodiscard]] virtual std::uint64_t event_count() const = 0;
    /// Bytes appended so far: where the next record goes.
    [[nodiscard]] virtual std::uint64_t position() const = 0;
};

/// Reads a journal that may still be growing, or lie on a read-only file system. text() may be
/// called from any thread, and finds what for_each() passed (so call that first).
class JournalReader : public TextSource {
  public:
    [[nodiscard]] static Expected<std::unique_ptr<JournalReader>> open(
        const std::filesystem::path& path);
    struct Entry {
        Event event;
        std::uint64_t index = 0;         ///< 0 for the first event
        std::uint64_t end_position = 0;  ///< byte offset just after its record
    };
    /// Calls `visit` for each valid event from byte offset `from` (0: the beginning; otherwise an
    /// end_position of an earlier entry, or what position() of the writer was) until the end or
    /// until it returns an error; records from byte offset `until` on are left for another call.
    /// Texts are indexed on the way; with `from` > 0 the skipped texts are indexed without being
    /// unpacked. Errors: corrupt, io, invalid_argument when no record ends at `from`.
    [[nodiscard]] virtual Status for_each(std::uint64_t from,
                                          const std::function<Status(const Entry&)>& visit,
                                          std::uint64_t until = k_end) = 0;
    static constexpr std::uint64_t k_end = ~std::uint64_t{0};
    /// Bytes after the last valid record that were ignored as a torn tail.
    [[nodiscard]] virtual std::uint64_t torn_bytes() const = 0;
    /// Byte offset after the last valid record that was read.
    [[nodiscard]] virtual std::uint64_t end_position() const = 0;
    /// Gives away what was learned; the reader is of no more use.
    [[nodiscard]] virtual std::unique_ptr<JournalIndex> release_index() = 0;
};

}  // namespace atl
