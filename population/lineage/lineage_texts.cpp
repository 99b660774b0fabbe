#include "population/lineage/lineage_texts.hpp"

#include <algorithm>
#include <limits>

namespace atl::lineage {

Status LineageTexts::restore() {
    ATOLL_TRY_ASSIGN(const std::vector<TextRow> texts, m_file.rows<TextRow>());
    for (const TextRow& text : texts) {
        remember(Digest{text.digest});
    }
    ATOLL_TRY_ASSIGN(const std::vector<NameRow> names, m_file.rows<NameRow>());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto& bytes = names[i].name;
        const auto end = std::find(bytes.begin(), bytes.end(), '\0');
        if (end == bytes.end()) {
            return failure(ErrorCode::limit, "holds a name that may be cut", m_where);
        }
        m_names.emplace(std::pair(names[i].kind, std::string(bytes.begin(), end)),
                        static_cast<std::uint32_t>(i));
    }
    return {};
}

void LineageTexts::remember(const Digest& id) {
    const auto row = static_cast<std::uint32_t>(m_text_ids.size());
    m_text_ids.push_back(id);
    if (!row_of(id)) {
        const std::hash<Digest> hash;
        m_text_rows.insert(hash(id), row, [&](std::uint32_t i) { return hash(m_text_ids[i]); });
    }
}

std::optional<std::int32_t> LineageTexts::row_of(const Digest& id) const {
    const auto row = m_text_rows.find(std::hash<Digest>()(id),
                                      [&](std::uint32_t i) { return m_text_ids[i] == id; });
    return row ? std::optional(static_cast<std::int32_t>(*row)) : std::nullopt;
}

Expected<std::int32_t> LineageTexts::store(const Digest& id, std::string_view text) {
    TextRow row;
    row.digest = id.bytes;
    row.length = text.size();
    ATOLL_TRY_ASSIGN(row.offset, m_file.text_bytes().append(text.data(), text.size()));
    ATOLL_TRY_ASSIGN(const std::uint64_t position, m_file.append(row));
    if (position > std::numeric_limits<std::int32_t>::max()) {
        return failure(ErrorCode::limit, "more than 2^31 texts", m_where);
    }
    remember(id);
    return static_cast<std::int32_t>(position);
}

Expected<std::int32_t> LineageTexts::put(std::string_view text) {
    if (text.empty()) {
        return k_no_text;
    }
    const Digest id = content_id(text);
    const std::optional<std::int32_t> row = row_of(id);
    return row ? *row : store(id, text);
}

Expected<StoredText> LineageTexts::put(const Digest& id, const TextSource& texts) {
    StoredText result;
    if (id.is_zero()) {
        return result;
    }
    if (const std::optional<std::int32_t> row = row_of(id)) {
        result.row = *row;
        return result;
    }
    auto text = texts.text(id);
    if (!text) {
        // A text that is lost must not cost the rest of the data set; `check` reports it.
        if (text.error().code == ErrorCode::not_found || text.error().code == ErrorCode::corrupt) {
            return result;
        }
        return tl::unexpected<Error>(text.error());
    }
    ATOLL_TRY_ASSIGN(result.row, store(id, *text));
    result.text = std::move(*text);
    return result;
}

Expected<std::uint32_t> LineageTexts::name(NameKind kind, const std::string& text) {
    const auto found = m_names.find({kind, text});
    if (found != m_names.end()) {
        return found->second;
    }
    NameRow row;
    row.kind = kind;
    std::copy_n(text.data(), std::min(text.size(), row.name.size()), row.name.begin());
    ATOLL_TRY_ASSIGN(const std::uint64_t position, m_file.append(row));
    const auto number = static_cast<std::uint32_t>(position);
    m_names.emplace(std::pair(kind, text), number);
    return number;
}

}  // namespace atl::lineage
