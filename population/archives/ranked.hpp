#pragma once

#include "population/archive.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace atl {

/// Keeps the best `capacity` individuals, with crowding (De Jong, "An Analysis of the Behavior of
/// a Class of Genetic Adaptive Systems", 1975): a newcomer closer than `crowding_distance` to a
/// member competes with its nearest member alone, and takes its place only if fitter. Any other
/// newcomer enters while there is room, or in place of the worst if fitter than it. Equal fitness
/// ranks by id. The best offered so far is always a member. With crowding distance 0 the members
/// do not depend on the order of offers.
class RankedArchive {
  public:
    RankedArchive(std::size_t capacity, double crowding_distance);

    [[nodiscard]] bool takes(const ArchiveEntry& entry) const;
    AddResult add(ArchiveEntry entry);
    [[nodiscard]] bool restore(std::vector<ArchiveEntry> entries);
    [[nodiscard]] std::span<const ArchiveEntry> entries() const { return m_entries; }

  private:
    void insert(ArchiveEntry entry);
    /// Whom the entry would have to beat, its nearest or else the worst when there is no room;
    /// size() when nobody, nullopt when it cannot enter.
    [[nodiscard]] std::optional<std::size_t> place_for(const ArchiveEntry& entry) const;

    std::size_t m_capacity;
    double m_crowding_distance;
    std::vector<ArchiveEntry> m_entries;  ///< best first
};

}  // namespace atl
