#include "mutators/memory/inspirations.hpp"

#include <cmath>
#include <optional>
#include <utility>

namespace atl {

namespace {

constexpr double k_good_share = 0.3;
constexpr double k_poor_share = 0.3;

std::size_t most_diverse(std::span<const ArchiveEntry> entries,
                         const std::vector<std::size_t>& places,
                         const std::vector<IndividualId>& taken) {
    std::size_t chosen = places.front();
    double farthest = -1;
    for (const std::size_t place : places) {
        double nearest = 1;
        for (const ArchiveEntry& other : entries) {
            if (std::find(taken.begin(), taken.end(), other.id) != taken.end()) {
                nearest = std::min(nearest, feature_distance(entries[place], other));
            }
        }
        if (nearest > farthest) {
            farthest = nearest;
            chosen = place;
        }
    }
    return chosen;
}

/// The ranks [first, second) of a stratum among `count`.
std::pair<std::size_t, std::size_t> stratum(const std::string& name, std::size_t count) {
    const auto all = static_cast<double>(count);
    const auto good = static_cast<std::size_t>(std::ceil(k_good_share * all));
    const auto poor = count - static_cast<std::size_t>(std::ceil(k_poor_share * all));
    if (name == "good") {
        return {0, good};
    }
    return name == "poor" ? std::pair(poor, count) : std::pair(good, poor);
}

std::optional<ShownChoice> choose(const std::string& name, std::span<const ArchiveEntry> entries,
                                  std::vector<std::size_t> places,
                                  const std::vector<IndividualId>& taken, CounterRng& rng) {
    if (places.empty()) {
        return std::nullopt;
    }
    if (name == "top") {
        return ShownChoice{places.front(), 1};
    }
    if (name == "diverse") {
        return ShownChoice{most_diverse(entries, places, taken), 1};
    }
    if (name != "random") {
        const auto [first, last] = stratum(name, entries.size());
        std::erase_if(places, [first = first, last = last](std::size_t place) {
            return place < first || place >= last;
        });
        if (places.empty()) {
            return std::nullopt;
        }
    }
    return ShownChoice{places[rng.below(places.size())], 1 / static_cast<double>(places.size())};
}

}  // namespace

std::vector<ShownChoice> choose_inspirations(const MemorySettings& settings,
                                             std::span<const ArchiveEntry> entries,
                                             std::vector<IndividualId> taken, CounterRng& rng) {
    std::vector<ShownChoice> choices;
    for (const std::string& name : settings.inspirations) {
        const auto chosen = choose(name, entries, places_left(entries, taken), taken, rng);
        if (chosen) {
            choices.push_back(*chosen);
            taken.push_back(entries[chosen->index].id);
        }
    }
    return choices;
}

const std::vector<std::string>& inspiration_names() {
    static const std::vector<std::string> names = {"top",  "diverse", "random",
                                                   "good", "medium",  "poor"};
    return names;
}

}  // namespace atl
