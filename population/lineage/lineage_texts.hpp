#pragma once

#include "population/journal/text_store.hpp"
#include "population/lineage/lineage_file.hpp"
#include "population/position_table.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl::lineage {

struct StoredText {
    std::int32_t row = k_no_text;
    std::string text;  ///< filled only when it was stored just now
};

/// Texts and names of a lineage file, each stored once. Internal to population. Not thread-safe;
/// `file` and `where`, which may be filled later, must outlive it.
class LineageTexts {
  public:
    LineageTexts(LineageFile& file, const std::string& where) : m_file(file), m_where(where) {}

    /// What a file that is gone on with holds.
    [[nodiscard]] Status restore();
    [[nodiscard]] Expected<std::int32_t> put(std::string_view text);
    [[nodiscard]] Expected<StoredText> put(const Digest& id, const TextSource& texts);
    [[nodiscard]] Expected<std::uint32_t> name(NameKind kind, const std::string& text);

  private:
    [[nodiscard]] Expected<std::int32_t> store(const Digest& id, std::string_view text);
    void remember(const Digest& id);
    [[nodiscard]] std::optional<std::int32_t> row_of(const Digest& id) const;

    LineageFile& m_file;
    const std::string& m_where;
    std::vector<Digest> m_text_ids;  ///< by row of texts/index
    PositionTable m_text_rows;       ///< of the first row of each text
    std::map<std::pair<NameKind, std::string>, std::uint32_t> m_names;
};

}  // namespace atl::lineage
