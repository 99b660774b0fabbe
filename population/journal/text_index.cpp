#include "population/journal/text_index.hpp"

#include <algorithm>

namespace atl {

Status TextIndex::add(std::uint64_t payload_position, std::string_view payload) {
    ATOLL_TRY_ASSIGN(const StoredText stored, decode_stored_text(payload));
    if (find(stored.id) != nullptr) {
        return {};
    }
    Location location{
        payload_position, static_cast<std::uint32_t>(payload.size()), stored.size, 0, 0, stored.id};
    if (stored.method == TextMethod::reference) {
        const auto found = std::lower_bound(
            m_locations.begin(), m_locations.end(), stored.reference,
            [](const Location& l, std::uint64_t position) { return l.position < position; });
        if (found == m_locations.end() || found->position != stored.reference) {
            return failure(ErrorCode::corrupt,
                           "text " + stored.id.short_hex() + " refers to byte " +
                               std::to_string(stored.reference) + ", where no text lies");
        }
        if (found->depth >= k_max_text_depth) {
            return failure(ErrorCode::corrupt, "text " + stored.id.short_hex() +
                                                   " ends a chain of too many references");
        }
        location.reference = static_cast<std::uint32_t>(found - m_locations.begin());
        location.depth = static_cast<std::uint8_t>(found->depth + 1);
    }
    const std::hash<Digest> hash;
    m_by_id.insert(hash(stored.id), static_cast<std::uint32_t>(m_locations.size()),
                   [&](std::uint32_t i) { return hash(m_locations[i].id); });
    m_locations.push_back(location);
    return {};
}

const TextIndex::Location* TextIndex::find(const Digest& id) const {
    const auto found = m_by_id.find(std::hash<Digest>()(id),
                                    [&](std::uint32_t i) { return m_locations[i].id == id; });
    return found ? &m_locations[*found] : nullptr;
}

std::vector<TextIndex::Location> TextIndex::chain(const Digest& id) const {
    std::vector<Location> links;
    for (const Location* at = find(id); at != nullptr;) {
        links.push_back(*at);
        at = at->depth > 0 ? &m_locations[at->reference] : nullptr;
    }
    std::reverse(links.begin(), links.end());
    return links;
}

Expected<std::string> unpack_chain(const std::vector<TextIndex::Location>& chain,
                                   const FetchPayload& fetch, std::string text) {
    thread_local TextUnpacker unpacker;  // working memory, which costs more to make than a text
    for (const TextIndex::Location& link : chain) {
        ATOLL_TRY_ASSIGN(const std::string payload, fetch(link));
        ATOLL_TRY_ASSIGN(const StoredText stored, decode_stored_text(payload));
        ATOLL_TRY_ASSIGN(text, unpacker.unpack(stored, text));
    }
    if (chain.empty() || content_id(text) != chain.back().id) {
        return failure(ErrorCode::corrupt, "a text does not match its id");
    }
    return text;
}

}  // namespace atl
