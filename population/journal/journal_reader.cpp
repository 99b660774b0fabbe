#include "population/journal/journal.hpp"
#include "population/journal/journal_format.hpp"
#include "population/journal/journal_index.hpp"
#include "population/journal/record_scanner.hpp"
#include "population/journal/text_index.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace atl {

namespace {

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
            JournalIndex{m_id, m_event_ends.size(), m_indexed, std::move(m_index)});
    }

  private:
    /// Scans from `position` until `stop_at` or the end, adding to the index what lies beyond
    /// m_indexed; `visit` may be null. Gives where it stopped.
    [[nodiscard]] Expected<std::uint64_t> scan(std::uint64_t position, std::uint64_t first_index,
                                               std::uint64_t stop_at,
                                               const std::function<Status(const Entry&)>* visit);
    [[nodiscard]] Status index_record(const Record& record);
    [[nodiscard]] Error placed(Error error, std::uint64_t position) const;

    std::unique_ptr<ReadableFile> m_file;
    std::string m_name;
    std::uint64_t m_id = 0;
    std::uint64_t m_torn_bytes = 0;
    std::uint64_t m_indexed = 0;              ///< records before this offset are indexed
    std::vector<std::uint64_t> m_event_ends;  ///< end positions of the indexed events
    mutable std::mutex m_mutex;               ///< guards m_index
    TextIndex m_index;
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
        m_event_ends.push_back(record.end_position);
    }
    m_indexed = record.end_position;
    return {};
}

Expected<std::uint64_t> FileJournalReader::scan(std::uint64_t position, std::uint64_t first_index,
                                                std::uint64_t stop_at,
                                                const std::function<Status(const Entry&)>* visit) {
    RecordScanner scanner(*m_file, m_name, m_id, position);
    std::uint64_t index = first_index;
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
    return scanner.position();
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
    std::uint64_t index = 0;
    std::uint64_t position = k_journal_header_bytes;
    if (from > 0) {
        if (from > m_indexed) {
            ATOLL_TRY(scan(m_indexed, m_event_ends.size(), from, nullptr));
        }
        // `from` may also lie after texts: walk to it from the last event before it.
        const auto end = std::upper_bound(m_event_ends.begin(), m_event_ends.end(), from);
        index = static_cast<std::uint64_t>(end - m_event_ends.begin());
        if (index > 0) {
            position = m_event_ends[index - 1];
        }
        ATOLL_TRY_ASSIGN(position, scan(position, index, from, nullptr));
        if (position != from) {
            return failure(ErrorCode::invalid_argument,
                           "no record ends at byte " + std::to_string(from), m_name);
        }
    }
    ATOLL_TRY(scan(position, index, until, &visit));
    return {};
}

Expected<std::string> FileJournalReader::text(const Digest& id) const {
    std::vector<TextIndex::Location> chain;
    {
        const std::lock_guard lock(m_mutex);
        chain = m_index.chain(id);
    }
    if (chain.empty()) {
        return failure(ErrorCode::not_found, "has no text " + id.hex(), m_name);
    }
    return unpack_chain(chain, [this](const TextIndex::Location& link) {
        return m_file->read_at(link.position, link.bytes);
    });
}

}  // namespace

Expected<std::unique_ptr<JournalReader>> JournalReader::open(const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(std::unique_ptr<ReadableFile> file, open_readable_file(path));
    auto reader = std::make_unique<FileJournalReader>(std::move(file), path.string());
    ATOLL_TRY(reader->start());
    return reader;
}

}  // namespace atl
