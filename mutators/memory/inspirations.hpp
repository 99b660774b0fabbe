#pragma once

#include "mutators/memory/memory_settings.hpp"
#include "mutators/memory/shown_choice.hpp"
#include "reward/base/rng.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace atl {

inline constexpr std::size_t k_max_inspirations = 8;

/// Further programs that a model is shown for ideas, one for each of settings.inspirations:
///
///   top                 the fittest left (OpenEvolve: three; ShinkaEvolve: one)
///   diverse             the one whose nearest of those taken is farthest, by feature_distance();
///                       ties: the fitter (OpenEvolve: two from other cells)
///   random              any one (ShinkaEvolve: one of its archive)
///   good, medium, poor  any one of the upper 30 %, the middle 40 % and the lower 30 % by rank
///                       (AKG: one of each); nothing where none of them is left
///
/// Of `entries` (members of the child's own island, best first: others come to it by migration
/// alone), without those `taken`. Each choice is taken for the next. Pure.
[[nodiscard]] std::vector<ShownChoice> choose_inspirations(const MemorySettings& settings,
                                                           std::span<const ArchiveEntry> entries,
                                                           std::vector<IndividualId> taken,
                                                           CounterRng& rng);

[[nodiscard]] const std::vector<std::string>& inspiration_names();

}  // namespace atl
