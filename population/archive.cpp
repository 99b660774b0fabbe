#include "population/archive.hpp"

#include "population/archives/grid.hpp"
#include "population/archives/pareto.hpp"
#include "population/archives/ranked.hpp"

#include <algorithm>
#include <unordered_set>

namespace atl {

namespace {

std::uint32_t feature(std::string_view kind, std::string_view value) {
    std::string text(kind);
    text += '\0';
    text += value;
    return static_cast<std::uint32_t>(checksum64(text.data(), text.size()));
}

}  // namespace

double feature_distance(const ArchiveEntry& a, const ArchiveEntry& b) {
    std::size_t common = 0;
    auto at = b.features.begin();
    for (const std::uint32_t value : a.features) {
        at = std::lower_bound(at, b.features.end(), value);
        if (at != b.features.end() && *at == value) {
            ++common;
        }
    }
    const std::size_t all = a.features.size() + b.features.size() - common;
    return all == 0 ? 0.0 : 1.0 - static_cast<double>(common) / static_cast<double>(all);
}

bool ranks_before(const ArchiveEntry& a, const ArchiveEntry& b) {
    return a.fitness != b.fitness ? a.fitness > b.fitness : a.id < b.id;
}

bool are_ranked_members(std::span<const ArchiveEntry> entries) {
    std::unordered_set<Digest> keys;
    for (const ArchiveEntry& entry : entries) {
        keys.insert(entry.key);
    }
    return keys.size() == entries.size() &&
           std::is_sorted(entries.begin(), entries.end(), ranks_before);
}

ArchiveEntry archive_entry(const Individual& individual) {
    ArchiveEntry entry{
        individual.id,      individual.key, individual.fitness, individual.starter, {},
        individual.measures};
    std::vector<std::uint32_t>& features = entry.features;
    features.push_back(feature("starter", individual.starter));
    features.push_back(feature("source", individual.source.hex()));
    for (const auto& [name, value] : individual.tune.values()) {
        features.push_back(feature("tune " + name, value));
    }
    for (const std::string& flag : individual.flags) {
        features.push_back(feature("flag", flag));
    }
    std::sort(features.begin(), features.end());
    features.erase(std::unique(features.begin(), features.end()), features.end());
    return entry;
}

const std::vector<std::string>& archive_names() {
    static const std::vector<std::string> names = {"ranked", "grid", "pareto"};
    return names;
}

std::vector<std::string> archive_measures(const ArchiveSettings& settings) {
    std::vector<std::string> names;
    if (settings.kind == "grid") {
        for (const GridAxis& axis : value_or_throw(parse_axes(settings.axes))) {
            names.push_back(axis.measure);
        }
    } else if (settings.kind == "pareto") {
        names = settings.objectives;
    }
    return names;
}

Archive make_archive(const ArchiveSettings& settings) {
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(settings.size, 1));
    if (settings.kind == "grid") {
        return Archive(GridArchive(value_or_throw(parse_axes(settings.axes))));
    }
    if (settings.kind == "pareto") {
        return Archive(ParetoArchive(size));
    }
    return Archive(RankedArchive(size, settings.crowding_distance));
}

}  // namespace atl
