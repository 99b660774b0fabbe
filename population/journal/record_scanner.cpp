#include "population/journal/record_scanner.hpp"

#include "population/byte_codec.hpp"
#include "population/event_codec.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_window_bytes = 1u << 20;
/// Bound on the work of looking for an intact record behind damage, for files made to waste it.
constexpr std::uint64_t k_max_hashed_bytes = std::uint64_t{1} << 30;

constexpr const char* k_damage_hint =
    "records after it are intact, so this is no torn end: restore the file from a copy";

}  // namespace

RecordScanner::RecordScanner(const ReadableFile& file, std::string name, std::uint64_t journal_id,
                             std::uint64_t position)
    : m_file(file), m_name(std::move(name)), m_journal_id(journal_id), m_position(position) {}

Expected<std::string_view> RecordScanner::bytes_at(std::uint64_t position, std::size_t size) {
    const std::uint64_t window_end = m_window_start + m_window.size();
    if (position < m_window_start || position + size > window_end) {
        ATOLL_TRY_ASSIGN(m_window, m_file.read_at(position, std::max(size, k_window_bytes)));
        m_window_start = position;
    }
    return std::string_view(m_window).substr(position - m_window_start, size);
}

Expected<std::optional<Record>> RecordScanner::record_at(std::uint64_t position) {
    ATOLL_TRY_ASSIGN(const std::string_view head, bytes_at(position, k_record_header_bytes));
    ByteReader in(head);
    const std::uint64_t checksum = in.u64();
    const std::uint32_t length = in.u32();
    const std::uint32_t type = in.u32();
    const std::uint32_t plain_type = type & ~k_attest_bit;
    const bool known = plain_type < k_event_types || plain_type == k_text_record;
    if (!in.ok() || length > k_max_record_bytes) {
        return std::optional<Record>();
    }
    // While looking behind damage only attesting records of known types matter: skip the rest
    // before it costs a read.
    if (position != m_position && !(known && (type & k_attest_bit) != 0)) {
        return std::optional<Record>();
    }
    const std::size_t size = k_record_header_bytes + length;
    ATOLL_TRY_ASSIGN(const std::string_view bytes, bytes_at(position, size));
    m_hashed_bytes += length;
    if (bytes.size() < size ||
        record_checksum(m_journal_id, position, bytes.substr(8)) != checksum) {
        return std::optional<Record>();
    }
    m_attests = (type & k_attest_bit) != 0;
    return Record{plain_type, position, position + size, bytes.substr(k_record_header_bytes)};
}

Expected<std::optional<Record>> RecordScanner::next() {
    m_hashed_bytes = 0;
    ATOLL_TRY_ASSIGN(const std::optional<Record> record, record_at(m_position));
    if (record) {
        m_position = record->end_position;
        return record;
    }
    const Status torn = judge_tail();
    if (torn) {
        return std::optional<Record>();
    }
    // The writer may have been in the middle of it when it was read, and further on since.
    m_window.clear();
    ATOLL_TRY_ASSIGN(const std::optional<Record> written, record_at(m_position));
    if (!written) {
        return tl::unexpected(torn.error());
    }
    m_position = written->end_position;
    return written;
}

/// Everything from m_position on is a torn tail, unless an intact record further on attests that
/// what lies before it had been durable.
Status RecordScanner::judge_tail() {
    std::uint64_t at = m_position;
    while (true) {
        ATOLL_TRY_ASSIGN(const std::string_view head, bytes_at(at, k_record_header_bytes));
        if (head.size() < k_record_header_bytes) {
            m_torn_bytes = at + head.size() - m_position;
            return {};
        }
        if (at != m_position) {
            ATOLL_TRY_ASSIGN(const std::optional<Record> record, record_at(at));
            if (record && m_attests) {
                return failure(ErrorCode::corrupt,
                               "is damaged at byte " + std::to_string(m_position), m_name,
                               k_damage_hint);
            }
            if (m_hashed_bytes > k_max_hashed_bytes) {
                return failure(ErrorCode::corrupt,
                               "is damaged at byte " + std::to_string(m_position) +
                                   ", and what follows cannot be judged",
                               m_name, "restore the file from a copy");
            }
        }
        ++at;
    }
}

}  // namespace atl
