#include "population/archives/ranked.hpp"

#include <algorithm>
#include <utility>

namespace atl {

RankedArchive::RankedArchive(std::size_t capacity, double crowding_distance)
    : m_capacity(std::max<std::size_t>(capacity, 1)), m_crowding_distance(crowding_distance) {}

void RankedArchive::insert(ArchiveEntry entry) {
    const auto at = std::upper_bound(m_entries.begin(), m_entries.end(), entry, ranks_before);
    m_entries.insert(at, std::move(entry));
}

std::optional<std::size_t> RankedArchive::place_for(const ArchiveEntry& entry) const {
    const std::size_t nobody = m_entries.size();
    std::size_t rival = nobody;
    double nearest = m_crowding_distance;
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
        if (m_entries[i].key == entry.key) {
            return std::nullopt;
        }
        // Strictly less: of equally near members the best one is the rival.
        if (const double distance = feature_distance(m_entries[i], entry); distance < nearest) {
            nearest = distance;
            rival = i;
        }
    }
    if (rival == nobody && m_entries.size() < m_capacity) {
        return nobody;
    }
    rival = rival == nobody ? nobody - 1 : rival;
    return ranks_before(entry, m_entries[rival]) ? std::optional(rival) : std::nullopt;
}

bool RankedArchive::takes(const ArchiveEntry& entry) const {
    return place_for(entry).has_value();
}

AddResult RankedArchive::add(ArchiveEntry entry) {
    const std::optional<std::size_t> place = place_for(entry);
    if (!place) {
        return AddResult::not_added;
    }
    const bool room = *place == m_entries.size();
    if (!room) {
        m_entries.erase(m_entries.begin() + static_cast<std::ptrdiff_t>(*place));
    }
    insert(std::move(entry));
    return room ? AddResult::added : AddResult::replaced;
}

bool RankedArchive::restore(std::vector<ArchiveEntry> entries) {
    if (entries.size() > m_capacity || !are_ranked_members(entries)) {
        return false;
    }
    m_entries = std::move(entries);
    return true;
}

}  // namespace atl
