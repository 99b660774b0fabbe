#pragma once

#include "population/archive.hpp"
#include "population/individual.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace atl {

/// A program that was chosen to be shown.
struct ShownChoice {
    std::size_t index = 0;   ///< in the island's entries
    double probability = 1;  ///< with which it was chosen, given the choices before it
};

/// The places of the entries that are not in `taken`, best first. REQUIRES entries best first.
[[nodiscard]] inline std::vector<std::size_t> places_left(std::span<const ArchiveEntry> entries,
                                                          std::span<const IndividualId> taken) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (std::find(taken.begin(), taken.end(), entries[i].id) == taken.end()) {
            places.push_back(i);
        }
    }
    return places;
}

}  // namespace atl
