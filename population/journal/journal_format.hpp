#pragma once

#include "population/event.hpp"
#include "reward/base/error.hpp"
#include "reward/base/files.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace atl {

/// The bytes of a journal (documented for people in FORMATS.md): a header, then records.
inline constexpr std::string_view k_journal_magic = "ATOLLJNL";
inline constexpr std::size_t k_journal_header_bytes = 32;
inline constexpr std::size_t k_record_header_bytes = 16;
inline constexpr std::uint32_t k_max_record_bytes = 80u << 20;

/// Record types below k_text_record are the indices of Event.
inline constexpr std::uint32_t k_text_record = 0x7f;
/// Set in the type of the first record after a sync: it attests that every byte before it was
/// durable when it was written, so that damage there cannot be the torn end of a crash.
inline constexpr std::uint32_t k_attest_bit = 1u << 31;

struct JournalHeader {
    std::uint32_t version = 0;
    std::int64_t created_wall_ns = 0;
    std::uint64_t id = 0;  ///< the header's checksum; seeds every record's checksum
};

[[nodiscard]] std::string encode_journal_header(std::int64_t created_wall_ns);
/// REQUIRES bytes.size() >= k_journal_header_bytes.
[[nodiscard]] Expected<JournalHeader> decode_journal_header(std::string_view bytes,
                                                            const std::string& name);
/// Reads the header of a journal. A file shorter than a header that begins like one is a journal
/// whose creation was interrupted: version 0.
[[nodiscard]] Expected<JournalHeader> read_journal_header(const ReadableFile& file,
                                                          const std::string& name);

/// A whole record: u64 checksum (over the rest, seeded with its journal and position), u32 payload
/// length, u32 type, payload.
[[nodiscard]] std::string frame_record(std::uint64_t journal_id, std::uint64_t position,
                                       std::uint32_t type, std::string_view payload);
[[nodiscard]] std::uint64_t record_checksum(std::uint64_t journal_id, std::uint64_t position,
                                            std::string_view after_checksum);

}  // namespace atl
