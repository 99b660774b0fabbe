#include "population/archives/pareto.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace atl {

bool covers(const ArchiveEntry& a, const ArchiveEntry& b) {
    if (a.fitness < b.fitness) {
        return false;
    }
    bool better = a.fitness > b.fitness;
    for (std::size_t i = 0; i < a.measures.size(); ++i) {
        if (a.measures[i] > b.measures[i]) {
            return false;
        }
        better = better || a.measures[i] < b.measures[i];
    }
    return better || a.id < b.id;
}

std::vector<double> crowding_distances(std::span<const ArchiveEntry> entries) {
    std::vector<double> distances(entries.size(), 0.0);
    std::vector<std::size_t> order(entries.size());
    const auto along = [&](const auto& value) {
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return value(entries[a]) < value(entries[b]);
        });
        const double range = value(entries[order.back()]) - value(entries[order.front()]);
        distances[order.front()] = std::numeric_limits<double>::infinity();
        distances[order.back()] = std::numeric_limits<double>::infinity();
        for (std::size_t i = 1; i + 1 < order.size() && range > 0; ++i) {
            distances[order[i]] +=
                (value(entries[order[i + 1]]) - value(entries[order[i - 1]])) / range;
        }
    };
    if (entries.empty()) {
        return distances;
    }
    along([](const ArchiveEntry& entry) { return entry.fitness; });
    for (std::size_t i = 0; i < entries.front().measures.size(); ++i) {
        along([i](const ArchiveEntry& entry) { return entry.measures[i]; });
    }
    return distances;
}

ParetoArchive::ParetoArchive(std::size_t capacity)
    : m_capacity(std::max<std::size_t>(capacity, 1)) {}

bool ParetoArchive::takes(const ArchiveEntry& entry) const {
    ParetoArchive trial = *this;
    return trial.add(entry) != AddResult::not_added;
}

AddResult ParetoArchive::add(ArchiveEntry entry) {
    for (const ArchiveEntry& member : m_entries) {
        if (member.key == entry.key || covers(member, entry)) {
            return AddResult::not_added;
        }
    }
    const std::size_t before = m_entries.size();
    std::erase_if(m_entries, [&](const ArchiveEntry& member) { return covers(entry, member); });
    bool replaced = m_entries.size() < before;
    const IndividualId id = entry.id;
    const auto at = std::upper_bound(m_entries.begin(), m_entries.end(), entry, ranks_before);
    m_entries.insert(at, std::move(entry));
    if (m_entries.size() > m_capacity) {
        const std::vector<double> distances = crowding_distances(m_entries);
        std::size_t densest = m_entries.size() - 1;
        for (std::size_t i = densest; i > 0; --i) {  // not the best; ties: the worst
            densest = distances[i] < distances[densest] ? i : densest;
        }
        if (m_entries[densest].id == id) {
            m_entries.erase(m_entries.begin() + static_cast<std::ptrdiff_t>(densest));
            return AddResult::not_added;
        }
        m_entries.erase(m_entries.begin() + static_cast<std::ptrdiff_t>(densest));
        replaced = true;
    }
    return replaced ? AddResult::replaced : AddResult::added;
}

bool ParetoArchive::restore(std::vector<ArchiveEntry> entries) {
    if (entries.size() > m_capacity || !are_ranked_members(entries)) {
        return false;
    }
    for (const ArchiveEntry& a : entries) {
        for (const ArchiveEntry& b : entries) {
            if (&a != &b && (a.measures.size() != b.measures.size() || covers(a, b))) {
                return false;
            }
        }
    }
    m_entries = std::move(entries);
    return true;
}

}  // namespace atl
