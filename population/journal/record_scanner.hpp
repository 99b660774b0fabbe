#pragma once

#include "population/journal/journal_format.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

struct Record {
    std::uint32_t type = 0;          ///< without the attest bit
    std::uint64_t position = 0;      ///< of its first byte
    std::uint64_t end_position = 0;  ///< just after its last byte
    std::string_view payload;        ///< valid until the next call of next()
};

/// Walks the records of a journal in file order, in large positional reads. Not thread-safe.
class RecordScanner {
  public:
    /// `position` must be where a record begins.
    RecordScanner(const ReadableFile& file, std::string name, std::uint64_t journal_id,
                  std::uint64_t position);

    /// The next valid record; nothing at the end of the file or before a torn tail; an error of
    /// code corrupt where durable bytes are damaged.
    [[nodiscard]] Expected<std::optional<Record>> next();
    [[nodiscard]] std::uint64_t position() const { return m_position; }
    /// Known once next() returned nothing.
    [[nodiscard]] std::uint64_t torn_bytes() const { return m_torn_bytes; }

  private:
    [[nodiscard]] Expected<std::string_view> bytes_at(std::uint64_t position, std::size_t size);
    [[nodiscard]] Expected<std::optional<Record>> record_at(std::uint64_t position);
    [[nodiscard]] Status judge_tail();

    const ReadableFile& m_file;
    std::string m_name;
    std::uint64_t m_journal_id;
    std::uint64_t m_position;
    std::uint64_t m_torn_bytes = 0;
    std::string m_window;
    std::uint64_t m_window_start = 0;
    bool m_attests = false;            ///< of the record that record_at() found last
    std::uint64_t m_hashed_bytes = 0;  ///< spent on telling torn from corrupt
};

}  // namespace atl
