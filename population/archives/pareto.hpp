#pragma once

#include "population/archive.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace atl {

/// Keeps the individuals of which no other is better in one thing and as good in the rest: fitness,
/// of which more is better, and the objectives (ArchiveEntry::measures), of which less is. One that
/// equals another in all things gives way to the lower id. Since fitness is among them, the best
/// that was offered is a member whatever the objectives are.
///
/// Of more than `capacity` the one in the densest place goes, by the crowding distance of NSGA-II
/// (Deb et al., "A fast and elitist multiobjective genetic algorithm", 2002, section III-B): per
/// quantity the distance between the neighbours on both sides over the range, infinite at the ends;
/// ties by rank, and never the best. add() says replaced when members had to go for the newcomer.
/// Costs a comparison with each member, and with each quantity a sort when it is full.
class ParetoArchive {
  public:
    explicit ParetoArchive(std::size_t capacity);

    [[nodiscard]] bool takes(const ArchiveEntry& entry) const;
    AddResult add(ArchiveEntry entry);
    [[nodiscard]] bool restore(std::vector<ArchiveEntry> entries);
    [[nodiscard]] std::span<const ArchiveEntry> entries() const { return m_entries; }

  private:
    std::size_t m_capacity;
    std::vector<ArchiveEntry> m_entries;  ///< best first
};

/// Whether `a` is as good as `b` in all things, and better in one or of a lower id. REQUIRES the
/// same number of measures.
[[nodiscard]] bool covers(const ArchiveEntry& a, const ArchiveEntry& b);
/// In the order of the entries.
[[nodiscard]] std::vector<double> crowding_distances(std::span<const ArchiveEntry> entries);

}  // namespace atl
