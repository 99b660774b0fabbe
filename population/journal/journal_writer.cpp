#include "population/event_codec.hpp"
#include "population/journal/journal.hpp"
#include "population/journal/journal_format.hpp"
#include "population/journal/journal_index.hpp"
#include "population/journal/recent_texts.hpp"
#include "population/journal/record_scanner.hpp"
#include "population/journal/text_index.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_max_waiting_bytes = 16u << 20;
/// Texts whose first bytes are equal (prompts of one operator, verdicts) resemble each other.
constexpr std::size_t k_beginning_bytes = 64;
constexpr std::size_t k_max_beginnings = 4096;
constexpr std::size_t k_recent_bytes = 16u << 20;
/// A text that a reference makes this many times smaller is not packed alone, to compare, as well.
constexpr std::size_t k_good_ratio = 8;

std::vector<Digest> texts_of(const Event& event) {
    if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
        const Individual& individual = evaluated->individual;
        return {individual.source, individual.prompt, individual.reply, individual.verdict};
    }
    if (const auto* confirmed = std::get_if<Confirmed>(&event)) {
        return {confirmed->verdict};
    }
    if (const auto* turned_down = std::get_if<TurnedDown>(&event)) {
        const Individual& proposal = turned_down->proposal;
        return {proposal.source, proposal.prompt, proposal.reply};
    }
    if (const auto* recorded = std::get_if<RolloutRecorded>(&event)) {
        const Rollout& one = recorded->rollout;
        return {one.source,  one.reply,   one.token_ids, one.log_probabilities,
                one.verdict, one.baseline};
    }
    if (const auto* exchanged = std::get_if<ModelExchanged>(&event)) {
        return {exchanged->request, exchanged->reply};
    }
    if (const auto* issued = std::get_if<TicketIssued>(&event)) {
        return {issued->memory};
    }
    if (const auto* insight = std::get_if<InsightNoted>(&event)) {
        return {insight->prompt, insight->reply};
    }
    return {};
}

class FileJournalWriter final : public JournalWriter {
  public:
    FileJournalWriter(std::unique_ptr<AppendFile> file, std::string name)
        : m_file(std::move(file)), m_name(std::move(name)) {}

    /// `known` may be null: then the whole file is read.
    [[nodiscard]] Status recover(std::unique_ptr<JournalIndex> known);

    [[nodiscard]] Expected<std::string> text(const Digest& id) const override;
    [[nodiscard]] Expected<Digest> put_text(std::string_view text, const Digest& similar) override;
    [[nodiscard]] Status append(const Event& event) override;
    [[nodiscard]] Status sync() override;
    [[nodiscard]] std::uint64_t event_count() const override { return m_events; }
    [[nodiscard]] std::uint64_t position() const override { return m_durable + m_waiting.size(); }

  private:
    [[nodiscard]] Status start();
    [[nodiscard]] Status scan(std::uint64_t journal_id);
    [[nodiscard]] Status adopt(JournalIndex known);
    [[nodiscard]] Status make_room();
    [[nodiscard]] std::uint64_t add_record(std::uint32_t type, std::string_view payload);
    [[nodiscard]] Status write_waiting();
    [[nodiscard]] Expected<std::string> payload_at(const TextIndex::Location& location) const;
    [[nodiscard]] StoredText pack(std::string_view text, const Digest& id, const Digest& similar,
                                  std::string& packed);
    [[nodiscard]] const std::string* recent(const Digest& id);
    [[nodiscard]] const TextIndex::Location* reference_for(std::string_view text,
                                                           const Digest& similar);

    std::unique_ptr<AppendFile> m_file;
    std::string m_name;
    std::uint64_t m_id = 0;
    std::uint64_t m_events = 0;
    TextPacker m_packer;
    RecentTexts m_recent{k_recent_bytes};
    std::unordered_map<std::uint64_t, Digest> m_last_with_beginning;

    // The writing thread changes these under the lock; it may read them without.
    mutable std::mutex m_mutex;
    TextIndex m_index;
    std::string m_waiting;
    std::uint64_t m_durable = 0;  ///< file size that the last successful fsync covered
};

Status FileJournalWriter::recover(std::unique_ptr<JournalIndex> known) {
    ATOLL_TRY_ASSIGN(const JournalHeader header, read_journal_header(*m_file, m_name));
    if (header.version == 0) {
        ATOLL_TRY(start());
    } else if (known && known->journal_id == header.id && known->end_position <= m_file->size()) {
        ATOLL_TRY(adopt(std::move(*known)));
    } else {
        ATOLL_TRY(scan(header.id));
    }
    // What a dead writer left may not have reached the disk: the next record will say it did.
    return m_file->sync();
}

Status FileJournalWriter::start() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string header =
        encode_journal_header(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
    ATOLL_TRY(m_file->truncate(0));
    ATOLL_TRY(m_file->append(header));
    ATOLL_TRY_ASSIGN(const JournalHeader decoded, decode_journal_header(header, m_name));
    m_id = decoded.id;
    m_durable = header.size();
    return {};
}

Status FileJournalWriter::adopt(JournalIndex known) {
    m_id = known.journal_id;
    m_events = known.events;
    m_index = std::move(known.texts);
    m_durable = known.end_position;
    return m_file->size() > m_durable ? m_file->truncate(m_durable) : Status();
}

Status FileJournalWriter::scan(std::uint64_t journal_id) {
    m_id = journal_id;
    RecordScanner scanner(*m_file, m_name, m_id, k_journal_header_bytes);
    while (true) {
        ATOLL_TRY_ASSIGN(const std::optional<Record> record, scanner.next());
        if (!record) {
            break;
        }
        if (record->type == k_text_record) {
            ATOLL_TRY(m_index.add(record->position + k_record_header_bytes, record->payload));
        } else {
            ATOLL_TRY(decode_event(record->type, record->payload));
            ++m_events;
        }
    }
    m_durable = scanner.position();
    return scanner.torn_bytes() > 0 ? m_file->truncate(m_durable) : Status();
}

Expected<std::string> FileJournalWriter::payload_at(const TextIndex::Location& location) const {
    {
        const std::lock_guard lock(m_mutex);
        if (location.position >= m_durable) {
            return m_waiting.substr(location.position - m_durable, location.bytes);
        }
    }
    return m_file->read_at(location.position, location.bytes);
}

Expected<std::string> FileJournalWriter::text(const Digest& id) const {
    std::vector<TextIndex::Location> chain;
    {
        const std::lock_guard lock(m_mutex);
        chain = m_index.chain(id);
    }
    if (chain.empty()) {
        return failure(ErrorCode::not_found, "has no text " + id.hex(), m_name);
    }
    return unpack_chain(chain,
                        [this](const TextIndex::Location& link) { return payload_at(link); });
}

/// The stored text to compress against, or null. At the end of a chain its first text is taken
/// instead: texts of one line of descent still share most of their lines.
const TextIndex::Location* FileJournalWriter::reference_for(std::string_view text,
                                                            const Digest& similar) {
    const TextIndex::Location* found = m_index.find(similar);
    if (found == nullptr) {
        const std::string_view beginning = text.substr(0, k_beginning_bytes);
        const auto last =
            m_last_with_beginning.find(checksum64(beginning.data(), beginning.size()));
        found = last == m_last_with_beginning.end() ? nullptr : m_index.find(last->second);
    }
    if (found != nullptr && found->depth >= k_max_text_depth) {
        found = m_index.find(m_index.chain(found->id).front().id);
    }
    return found != nullptr && found->size <= k_max_reference_bytes ? found : nullptr;
}

StoredText FileJournalWriter::pack(std::string_view text, const Digest& id, const Digest& similar,
                                   std::string& packed) {
    StoredText stored{TextMethod::plain, static_cast<std::uint32_t>(text.size()), id, 0, text};
    const TextIndex::Location* location = reference_for(text, similar);
    std::string referring;
    if (const std::string* reference = location == nullptr ? nullptr : recent(location->id)) {
        referring = m_packer.pack(text, *reference);
    }
    const bool good = !referring.empty() && referring.size() < text.size() / k_good_ratio;
    packed = good ? std::string() : m_packer.pack(text, {});
    if (!packed.empty() && packed.size() < text.size()) {
        stored.method = TextMethod::zstd;
        stored.packed = packed;
    }
    if (!referring.empty() && referring.size() + sizeof(std::uint64_t) < stored.packed.size()) {
        packed = std::move(referring);
        stored.method = TextMethod::reference;
        stored.reference = location->position;
        stored.packed = packed;
    }
    return stored;
}

/// Null when it cannot be read, which is no reason to refuse a text that resembles it: that stands
/// alone then.
const std::string* FileJournalWriter::recent(const Digest& id) {
    if (const std::string* known = m_recent.find(id)) {
        return known;
    }
    if (const Expected<std::string> text = this->text(id)) {
        m_recent.put(id, *text);
    }
    return m_recent.find(id);
}

Expected<Digest> FileJournalWriter::put_text(std::string_view text, const Digest& similar) {
    if (text.size() > k_max_text_bytes) {
        return failure(ErrorCode::limit,
                       "a text of " + std::to_string(text.size()) + " bytes is longer than " +
                           std::to_string(k_max_text_bytes),
                       m_name);
    }
    const Digest id = content_id(text);
    if (m_index.find(id) != nullptr) {
        return id;
    }
    ATOLL_TRY(make_room());
    std::string packed;
    const std::string payload = encode_stored_text(pack(text, id, similar, packed));
    m_recent.put(id, text);
    const std::lock_guard lock(m_mutex);
    const std::uint64_t at = add_record(k_text_record, payload);
    ATOLL_TRY(m_index.add(at + k_record_header_bytes, payload));
    if (m_last_with_beginning.size() >= k_max_beginnings) {
        m_last_with_beginning.clear();
    }
    const std::string_view beginning = text.substr(0, k_beginning_bytes);
    m_last_with_beginning[checksum64(beginning.data(), beginning.size())] = id;
    return id;
}

Status FileJournalWriter::append(const Event& event) {
    const std::string payload = encode_event(event);
    const auto type = static_cast<std::uint32_t>(event.index());
    if (const Expected<Event> again = decode_event(type, payload); !again) {
        return failure(ErrorCode::invalid_argument, again.error().what, m_name);
    }
    for (const Digest& id : texts_of(event)) {
        if (!id.is_zero() && m_index.find(id) == nullptr) {
            return failure(ErrorCode::invalid_argument,
                           std::string(event_name(event)) + " refers to text " + id.short_hex() +
                               ", which was not stored before it",
                           m_name);
        }
    }
    ATOLL_TRY(make_room());
    const std::lock_guard lock(m_mutex);
    (void)add_record(type, payload);
    ++m_events;
    return {};
}

Status FileJournalWriter::make_room() {
    return m_waiting.size() < k_max_waiting_bytes ? Status() : sync();
}

std::uint64_t FileJournalWriter::add_record(std::uint32_t type, std::string_view payload) {
    const std::uint64_t at = position();
    m_waiting += frame_record(m_id, at, m_waiting.empty() ? type | k_attest_bit : type, payload);
    return at;
}

Status FileJournalWriter::write_waiting() {
    // Also after a failed fsync: the pages it gave up on count as written for the next one, so
    // everything since the last good fsync is written again.
    if (m_file->size() != m_durable) {
        ATOLL_TRY(m_file->truncate(m_durable));
    }
    ATOLL_TRY(m_file->append(m_waiting));
    return m_file->sync();
}

Status FileJournalWriter::sync() {
    if (m_waiting.empty()) {
        return {};
    }
    if (Status status = write_waiting(); !status) {
        (void)m_file->truncate(m_durable);
        Error error = std::move(status.error());
        error.what += "; the journal is intact up to byte " + std::to_string(m_durable) + ", " +
                      std::to_string(m_waiting.size()) + " bytes wait to be written";
        return tl::unexpected(std::move(error));
    }
    const std::lock_guard lock(m_mutex);
    m_durable += m_waiting.size();
    m_waiting.clear();
    return {};
}

Expected<std::unique_ptr<JournalWriter>> open_writer(std::unique_ptr<AppendFile> file,
                                                     const std::string& name,
                                                     std::unique_ptr<JournalIndex> known) {
    auto writer = std::make_unique<FileJournalWriter>(std::move(file), name);
    if (Status status = writer->recover(std::move(known)); !status) {
        Error error = std::move(status.error());
        if (error.where.empty()) {
            error.where = name;
        }
        return tl::unexpected(std::move(error));
    }
    return writer;
}

}  // namespace

Expected<std::unique_ptr<JournalWriter>> JournalWriter::open(const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(std::unique_ptr<AppendFile> file, open_append_file(path));
    return open_writer(std::move(file), path.string(), nullptr);
}

Expected<std::unique_ptr<JournalWriter>> JournalWriter::open_after(
    const std::filesystem::path& path, std::unique_ptr<JournalReader> reader) {
    ATOLL_TRY_ASSIGN(std::unique_ptr<AppendFile> file, open_append_file(path));
    return open_writer(std::move(file), path.string(), reader->release_index());
}

Expected<std::unique_ptr<JournalWriter>> JournalWriter::create(std::unique_ptr<AppendFile> file) {
    return open_writer(std::move(file), "journal", nullptr);
}

}  // namespace atl
