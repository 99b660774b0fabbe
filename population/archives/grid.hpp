#pragma once

#include "population/archive.hpp"
#include "reward/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace atl {

/// One axis of the grid: a measure (search/measures.hpp has the names), cut into bins of equal
/// width over [low, high). What lies outside belongs to the first or the last bin.
struct GridAxis {
    std::string measure;
    double low = 0;
    double high = 1;
    std::int64_t bins = 1;

    /// 0 to bins - 1: floor(bins * (value - low) / (high - low)), clamped, as in pyribs'
    /// GridArchive (Tjanaka et al., "pyribs: A Bare-Bones Python Library for Quality Diversity
    /// Optimization", GECCO 2023).
    [[nodiscard]] std::int64_t bin(double value) const;
    bool operator==(const GridAxis&) const = default;
};

inline constexpr std::int64_t k_max_grid_cells = 10'000;

/// "source_bytes 0 16384 16": measure, low, high, bins. invalid_argument says what is wrong with
/// it.
[[nodiscard]] Expected<GridAxis> parse_axis(const std::string& text);
/// All of them, of at most k_max_grid_cells cells together and at least one axis.
[[nodiscard]] Expected<std::vector<GridAxis>> parse_axes(const std::vector<std::string>& texts);

/// MAP-Elites (Mouret and Clune, "Illuminating search spaces by mapping elites", 2015): the space
/// of the measures is cut into cells, and each cell keeps the best individual that was offered for
/// it. add() says added (a new cell), replaced (the cell's improved) or not_added. Bounds are
/// fixed, so that a cell means the same throughout a campaign. Ties keep the lower id: the members
/// do not depend on the order of offers (of programs that are offered once). The best offered is a
/// member.
///
/// An offer that is turned down costs a look into two hash tables; one that is taken moves the
/// members behind it.
class GridArchive {
  public:
    /// REQUIRES axes as parse_axes() gives them.
    explicit GridArchive(std::vector<GridAxis> axes);

    [[nodiscard]] bool takes(const ArchiveEntry& entry) const;
    AddResult add(ArchiveEntry entry);
    [[nodiscard]] bool restore(std::vector<ArchiveEntry> entries);
    [[nodiscard]] std::span<const ArchiveEntry> entries() const { return m_entries; }

    /// Number of the entry's cell, the last axis varying fastest. REQUIRES a measure per axis.
    [[nodiscard]] std::uint64_t cell_of(const ArchiveEntry& entry) const;
    [[nodiscard]] std::uint64_t cells() const;

  private:
    struct Rank {  ///< of a member: where it stands among the others
        double fitness = 0;
        IndividualId id;
    };
    void insert(std::uint64_t cell, ArchiveEntry entry);

    std::vector<GridAxis> m_axes;
    std::vector<ArchiveEntry> m_entries;  ///< best first
    std::unordered_map<std::uint64_t, Rank> m_cells;
    std::unordered_set<Digest> m_keys;
};

}  // namespace atl
