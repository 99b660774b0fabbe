#pragma once

#include "population/event.hpp"
#include "population/text_store.hpp"
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
/// or power loss, intact. A torn tail (a record cut short, or whose checksum fails, with nothing
/// valid after it) is cut off on open; damage before valid records is an error of code corrupt.
inline constexpr std::uint32_t k_journal_version = 1;

class JournalWriter : public TextSource {
  public:
    /// Creates, or opens to append after the last valid record.
    [[nodiscard]] static Expected<std::unique_ptr<JournalWriter>> open(
        const std::filesystem::path& path);
    /// For tests: any AppendFile (fault injection). The file must be empty.
    [[nodiscard]] static Expected<std::unique_ptr<JournalWriter>> create(
        std::unique_ptr<AppendFile> file);

    /// Stores a text unless it is stored already; returns its id. `similar` (zero for none) names
    /// a stored text that this one resembles, to compress against. Buffered until sync().
    [[nodiscard]] virtual Expected<Digest> put_text(std::string_view text,
                                                    const Digest& similar = {}) = 0;
    /// Buffered until sync(). The event's texts must have been put before.
    [[nodiscard]] virtual Status append(const Event& event) = 0;
    /// Writes and fsyncs everything buffered (one fsync for any number of events).
    [[nodiscard]] virtual Status sync() = 0;
    /// Events in the file, durable or not.
    [[nodiscard]] virtual std::uint64_t event_count() const = 0;
    /// Bytes appended so far: where the next record goes.
    [[nodiscard]] virtual std::uint64_t position() const = 0;
};

/// Reads a journal that may still be growing, or lie on a read-only file system.
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
    /// end_position of an earlier entry) until the end or until it returns an error. Texts are
    /// indexed on the way; with `from` > 0 the skipped texts are indexed without being unpacked.
    [[nodiscard]] virtual Status for_each(std::uint64_t from,
                                          const std::function<Status(const Entry&)>& visit) = 0;
    /// Bytes after the last valid record that were ignored as a torn tail.
    [[nodiscard]] virtual std::uint64_t torn_bytes() const = 0;
};

}  // namespace atl
