#include "population/archives/grid.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

namespace atl {

namespace {

tl::unexpected<Error> wrong_axis(const std::string& text, const std::string& what) {
    return failure(ErrorCode::invalid_argument, "axis \"" + text + "\" " + what, {},
                   "write measure, low, high and bins: \"source_bytes 0 16384 16\"");
}

bool ranks_before_member(const ArchiveEntry& entry, double fitness, IndividualId id) {
    return entry.fitness != fitness ? entry.fitness > fitness : entry.id < id;
}

}  // namespace

std::int64_t GridAxis::bin(double value) const {
    const double place = std::floor(static_cast<double>(bins) * (value - low) / (high - low));
    return static_cast<std::int64_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)));
}

Expected<GridAxis> parse_axis(const std::string& text) {
    std::istringstream in(text);
    GridAxis axis;
    std::string more;
    if (!(in >> axis.measure >> axis.low >> axis.high >> axis.bins) || in >> more) {
        return wrong_axis(text, "is not a measure and three numbers");
    }
    if (!std::isfinite(axis.low) || !std::isfinite(axis.high) || !(axis.low < axis.high) ||
        !std::isfinite(axis.high - axis.low)) {
        return wrong_axis(text, "does not begin below its end");
    }
    if (axis.bins < 1 || axis.bins > k_max_grid_cells) {
        return wrong_axis(text,
                          "has not between 1 and " + std::to_string(k_max_grid_cells) + " bins");
    }
    return axis;
}

Expected<std::vector<GridAxis>> parse_axes(const std::vector<std::string>& texts) {
    std::vector<GridAxis> axes;
    std::int64_t cells = 1;
    for (const std::string& text : texts) {
        ATOLL_TRY_ASSIGN(axes.emplace_back(), parse_axis(text));
        cells *= axes.back().bins;
        if (cells > k_max_grid_cells) {
            return failure(
                ErrorCode::invalid_argument,
                "the axes have more than " + std::to_string(k_max_grid_cells) + " cells together",
                {}, "use fewer bins");
        }
    }
    if (axes.empty()) {
        return failure(ErrorCode::invalid_argument, "a grid needs at least one axis");
    }
    return axes;
}

GridArchive::GridArchive(std::vector<GridAxis> axes) : m_axes(std::move(axes)) {}

std::uint64_t GridArchive::cells() const {
    std::uint64_t count = 1;
    for (const GridAxis& axis : m_axes) {
        count *= static_cast<std::uint64_t>(axis.bins);
    }
    return count;
}

std::uint64_t GridArchive::cell_of(const ArchiveEntry& entry) const {
    std::uint64_t cell = 0;
    for (std::size_t i = 0; i < m_axes.size(); ++i) {
        cell = cell * static_cast<std::uint64_t>(m_axes[i].bins) +
               static_cast<std::uint64_t>(m_axes[i].bin(entry.measures[i]));
    }
    return cell;
}

bool GridArchive::takes(const ArchiveEntry& entry) const {
    if (m_keys.contains(entry.key)) {
        return false;
    }
    const auto found = m_cells.find(cell_of(entry));
    return found == m_cells.end() ||
           ranks_before_member(entry, found->second.fitness, found->second.id);
}

AddResult GridArchive::add(ArchiveEntry entry) {
    if (!takes(entry)) {
        return AddResult::not_added;
    }
    const std::uint64_t cell = cell_of(entry);
    const auto found = m_cells.find(cell);
    if (found == m_cells.end()) {
        insert(cell, std::move(entry));
        return AddResult::added;
    }
    ArchiveEntry rank;
    rank.fitness = found->second.fitness;
    rank.id = found->second.id;
    const auto before = std::lower_bound(m_entries.begin(), m_entries.end(), rank, ranks_before);
    m_keys.erase(before->key);
    m_entries.erase(before);
    insert(cell, std::move(entry));
    return AddResult::replaced;
}

void GridArchive::insert(std::uint64_t cell, ArchiveEntry entry) {
    m_cells[cell] = {entry.fitness, entry.id};
    m_keys.insert(entry.key);
    const auto at = std::upper_bound(m_entries.begin(), m_entries.end(), entry, ranks_before);
    m_entries.insert(at, std::move(entry));
}

bool GridArchive::restore(std::vector<ArchiveEntry> entries) {
    GridArchive restored(m_axes);
    const bool measured = std::all_of(
        entries.begin(), entries.end(),
        [this](const ArchiveEntry& entry) { return entry.measures.size() == m_axes.size(); });
    if (!measured || !std::is_sorted(entries.begin(), entries.end(), ranks_before)) {
        return false;
    }
    for (ArchiveEntry& entry : entries) {
        if (restored.add(std::move(entry)) != AddResult::added) {
            return false;
        }
    }
    *this = std::move(restored);
    return true;
}

}  // namespace atl
