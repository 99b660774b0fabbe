#include "population/journal/journal.hpp"
#include "population/journal/journal_format.hpp"
#include "population/journal/journal_index.hpp"
#include "population/journal/recent_texts.hpp"
#include "population/journal/record_scanner.hpp"
#include "population/journal/text_index.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace atl {

namespace {

/// Events from one remembered place to the next: a reader that goes on walks this many at most.
constexpr std::uint64_t k_events_per_mark = 64;
/// Who follows a journal asks for texts that are packed against those asked for just before.
constexpr std::size_t k_recent_bytes = 8u << 20;

class FileJournalReader final : public JournalReader {
  public:
    FileJournalReader(std::unique_ptr<ReadableFile> file, std::string name)
        : m_file(std::move(file)), m_name(std::move(name)) {}

    [[nodiscard]] Status start();
    [[nodiscard]] Expected<std::string> text(const Digest& id) const override;
    [[nodiscard]] Status for_each(std::uint64_t from,
                                  const std::function<Status(const Entry&)>& visit,
                                  std::uint64_t until) override;
    [[nodiscard]] std::uint64_t torn_bytes() const override { return m_torn_bytes; }
    [[nodiscard]] std::uint64_t end_position() const override { return m_indexed; }
    [[nodiscard]] std::unique_ptr<JournalIndex> release_index() override {
        return std::make_unique<JournalIndex>(
            JournalIndex{m_id, m_events, m_indexed, std::move(m_index)});
    }

  private:
    struct Place {
        std::uint64_t position = 0;
        std::uint64_t events = 0;  ///< before it
    };
    /// Scans from `place` until `stop_at` or the end, adding to the index what lies beyond
    /// m_indexed; `visit` may be null. Gives where it stopped.
    [[nodiscard]] Expected<Place> scan(Place place, std::uint64_t stop_at,
                                       const std::function<Status(const Entry&)>* visit);
    [[nodiscard]] Expected<Place> find_place(std::uint64_t position);
    [[nodiscard]] Status index_record(const Record& record);
    [[nodiscard]] Error placed(Error error, std::uint64_t position) const;

    std::unique_ptr<ReadableFile> m_file;
    std::string m_name;
    std::uint64_t m_id = 0;
    std::uint64_t m_torn_bytes = 0;
    std::uint64_t m_indexed = 0;         ///< records before this offset are indexed
    std::uint64_t m_events = 0;          ///< indexed
    std::vector<std::uint64_t> m_marks;  ///< end position of every k_events_per_mark-th of them
    mutable std::mutex m_mutex;          ///< guards what follows
    TextIndex m_index;
    mutable RecentTexts m_recent{k_recent_bytes};
};

Status FileJournalReader::start() {
    ATOLL_TRY_ASSIGN(const JournalHeader header, read_journal_header(*m_file, m_name));
    if (header.version == 0) {
        // The writer died (or is) between creating the file and writing its header.
        ATOLL_TRY_ASSIGN(const std::string bytes, m_file->read_at(0, k_journal_header_bytes));
        m_torn_bytes = bytes.size();
        return {};
    }
    m_id = header.id;
    m_indexed = k_journal_header_bytes;
    return {};
}

Error FileJournalReader::placed(Error error, std::uint64_t position) const {
    if (error.where.empty()) {
        error.where = m_name + ", byte " + std::to_string(position);
    }
    return error;
}

Status FileJournalReader::index_record(const Record& record) {
    if (record.position < m_indexed) {
        return {};
    }
    if (record.type == k_text_record) {
        const std::lock_guard lock(m_mutex);
        ATOLL_TRY(m_index.add(record.position + k_record_header_bytes, record.payload));
    } else {
        ++m_events;
        if (m_events % k_events_per_mark == 0) {
            m_marks.push_back(record.end_position);
        }
    }
    m_indexed = record.end_position;
    return {};
}

Expected<FileJournalReader::Place> FileJournalReader::scan(
    Place place, std::uint64_t stop_at, const std::function<Status(const Entry&)>* visit) {
    RecordScanner scanner(*m_file, m_name, m_id, place.position);
    std::uint64_t index = place.events;
    while (scanner.position() < stop_at) {
        ATOLL_TRY_ASSIGN(const std::optional<Record> record, scanner.next());
        if (!record) {
            m_torn_bytes = scanner.torn_bytes();
            break;
        }
        if (Status status = index_record(*record); !status) {
            return tl::unexpected(placed(std::move(status.error()), record->position));
        }
        if (record->type == k_text_record) {
            continue;
        }
        if (visit != nullptr) {
            Expected<Event> event = decode_event(record->type, record->payload);
            if (!event) {
                return tl::unexpected(placed(std::move(event.error()), record->position));
            }
            ATOLL_TRY((*visit)(Entry{std::move(*event), index, record->end_position}));
        }
        ++index;
    }
    return Place{scanner.position(), index};
}

/// Where the record that ends at `position` ends, and how many events lie before.
Expected<FileJournalReader::Place> FileJournalReader::find_place(std::uint64_t position) {
    if (position > m_indexed) {
        ATOLL_TRY(scan({m_indexed, m_events}, position, nullptr));
    }
    // It may also lie after texts: walk to it from the last mark before it.
    const auto mark = std::upper_bound(m_marks.begin(), m_marks.end(), position);
    const auto marks = static_cast<std::uint64_t>(mark - m_marks.begin());
    const Place from = marks > 0 ? Place{*std::prev(mark), marks * k_events_per_mark}
                                 : Place{k_journal_header_bytes, 0};
    ATOLL_TRY_ASSIGN(const Place place, scan(from, position, nullptr));
    if (place.position != position) {
        return failure(ErrorCode::invalid_argument,
                       "no record ends at byte " + std::to_string(position), m_name);
    }
    return place;
}

Status FileJournalReader::for_each(std::uint64_t from,
                                   const std::function<Status(const Entry&)>& visit,
                                   std::uint64_t until) {
    if (m_indexed == 0) {
        ATOLL_TRY(start());  // its header may have been written since
        if (m_indexed == 0) {
            return {};
        }
    }
    Place begin{k_journal_header_bytes, 0};
    if (from > 0) {
        ATOLL_TRY_ASSIGN(begin, find_place(from));
    }
    ATOLL_TRY(scan(begin, until, &visit));
    return {};
}

Expected<std::string> FileJournalReader::text(const Digest& id) const {
    std::vector<TextIndex::Location> chain;
    std::string known;
    {
        const std::lock_guard lock(m_mutex);
        chain = m_index.chain(id);
        for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
            if (const std::string* text = m_recent.find(link->id)) {
                if (link == chain.rbegin()) {
                    return *text;
                }
                known = *text;
                chain.erase(chain.begin(), link.base());
                break;
            }
        }
    }
    if (chain.empty()) {
        return failure(ErrorCode::not_found, "has no text " + id.hex(), m_name);
    }
    const auto fetch = [this](const TextIndex::Location& link) {
        return m_file->read_at(link.position, link.bytes);
    };
    ATOLL_TRY_ASSIGN(std::string text, unpack_chain(chain, fetch, std::move(known)));
    const std::lock_guard lock(m_mutex);
    m_recent.put(id, text);
    return text;
}

}  // namespace

Expected<std::unique_ptr<JournalReader>> JournalReader::open(const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(std::unique_ptr<ReadableFile> file, open_readable_file(path));
    auto reader = std::make_unique<FileJournalReader>(std::move(file), path.string());
    ATOLL_TRY(reader->start());
    return reader;
}

}  // namespace atl
