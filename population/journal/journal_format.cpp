#include "population/journal/journal_format.hpp"

#include "population/byte_codec.hpp"
#include "population/journal/journal.hpp"
#include "reward/base/hash.hpp"

#include <algorithm>

namespace atl {

namespace {

constexpr const char* k_not_a_journal_hint =
    "give a run folder that `atoll run` wrote, or restore this file from a copy";

}  // namespace

std::string encode_journal_header(std::int64_t created_wall_ns) {
    ByteWriter out;
    out.raw(k_journal_magic);
    out.u32(k_journal_version);
    out.u32(k_journal_header_bytes);
    out.i64(created_wall_ns);
    out.u64(checksum64(out.bytes().data(), out.bytes().size()));
    return out.take();
}

Expected<JournalHeader> decode_journal_header(std::string_view bytes, const std::string& name) {
    if (bytes.substr(0, k_journal_magic.size()) != k_journal_magic) {
        return failure(ErrorCode::corrupt, "is not an Atoll journal", name, k_not_a_journal_hint);
    }
    ByteReader in(
        bytes.substr(k_journal_magic.size(), k_journal_header_bytes - k_journal_magic.size()));
    JournalHeader header;
    header.version = in.u32();
    // Version before checksum: a newer header may be longer.
    if (header.version > k_journal_version) {
        return failure(ErrorCode::too_new,
                       "was written in journal version " + std::to_string(header.version) +
                           "; this program reads up to " + std::to_string(k_journal_version),
                       name, "use the version of Atoll that wrote it, or a later one");
    }
    const std::uint32_t header_bytes = in.u32();
    header.created_wall_ns = in.i64();
    header.id = in.u64();
    const bool intact = header.id == checksum64(bytes.data(), k_journal_header_bytes - 8);
    if (!intact || header.version == 0 || header_bytes != k_journal_header_bytes) {
        return failure(ErrorCode::corrupt, "has a damaged header", name, k_not_a_journal_hint);
    }
    return header;
}

Expected<JournalHeader> read_journal_header(const ReadableFile& file, const std::string& name) {
    ATOLL_TRY_ASSIGN(const std::string bytes, file.read_at(0, k_journal_header_bytes));
    if (bytes.size() == k_journal_header_bytes) {
        return decode_journal_header(bytes, name);
    }
    const std::size_t common = std::min(bytes.size(), k_journal_magic.size());
    if (bytes.compare(0, common, k_journal_magic.substr(0, common)) != 0) {
        return failure(ErrorCode::corrupt, "is not an Atoll journal", name, k_not_a_journal_hint);
    }
    return JournalHeader{};
}

std::uint64_t record_checksum(std::uint64_t journal_id, std::uint64_t position,
                              std::string_view after_checksum) {
    // Odd multiplier (2^64 / golden ratio): neighbouring positions get unrelated seeds.
    const std::uint64_t seed = journal_id ^ position * 0x9E3779B97F4A7C15ull;
    return checksum64(after_checksum.data(), after_checksum.size(), seed);
}

std::string frame_record(std::uint64_t journal_id, std::uint64_t position, std::uint32_t type,
                         std::string_view payload) {
    ByteWriter body;
    body.u32(static_cast<std::uint32_t>(payload.size()));
    body.u32(type);
    body.raw(payload);
    ByteWriter record;
    record.u64(record_checksum(journal_id, position, body.bytes()));
    record.raw(body.bytes());
    return record.take();
}

}  // namespace atl
