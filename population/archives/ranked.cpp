#include "population/archives/ranked.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace atl {

RankedArchive::RankedArchive(std::size_t capacity, double crowding_distance)
    : m_capacity(std::max<std::size_t>(capacity, 1)), m_crowding_distance(crowding_distance) {}

void RankedArchive::insert(ArchiveEntry entry) {
    const auto at = std::upper_bound(m_entries.begin(), m_entries.end(), entry, ranks_before);
    m_entries.insert(at, std::move(entry));
}

AddResult RankedArchive::add(ArchiveEntry entry) {
    const auto same = [&entry](const ArchiveEntry& member) { return member.key == entry.key; };
    if (std::any_of(m_entries.begin(), m_entries.end(), same)) {
        return AddResult::not_added;
    }
    auto rival = m_entries.end();
    double nearest = m_crowding_distance;
    for (auto member = m_entries.begin(); member != m_entries.end(); ++member) {
        // Strictly less: of equally near members the best one is the rival.
        if (const double distance = feature_distance(*member, entry); distance < nearest) {
            nearest = distance;
            rival = member;
        }
    }
    if (rival == m_entries.end() && m_entries.size() < m_capacity) {
        insert(std::move(entry));
        return AddResult::added;
    }
    if (rival == m_entries.end()) {
        rival = std::prev(m_entries.end());
    }
    if (!ranks_before(entry, *rival)) {
        return AddResult::not_added;
    }
    m_entries.erase(rival);
    insert(std::move(entry));
    return AddResult::replaced;
}

bool RankedArchive::restore(std::vector<ArchiveEntry> entries) {
    std::unordered_set<Digest> keys;
    for (const ArchiveEntry& entry : entries) {
        keys.insert(entry.key);
    }
    if (entries.size() > m_capacity || keys.size() != entries.size() ||
        !std::is_sorted(entries.begin(), entries.end(), ranks_before)) {
        return false;
    }
    m_entries = std::move(entries);
    return true;
}

}  // namespace atl
