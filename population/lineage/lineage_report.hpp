#pragma once

#include "population/journal/text_store.hpp"
#include "population/lineage/lineage_view.hpp"

#include <string>

namespace atl {

/// What people and programs ask of a campaign, one question per function pair. Texts that are lost
/// are named as lost; nothing here fails. The *_text forms are safe to print on a terminal, the
/// *_json forms are one JSON object. Pure functions of the view and its texts.

/// The best individual, how it was measured, and how to evaluate it again. `run` is what the reader
/// typed to name the campaign.
[[nodiscard]] std::string best_text(const LineageView& view, const TextSource& texts,
                                    const std::string& run);
[[nodiscard]] std::string best_json(const LineageView& view, const TextSource& texts);

/// How `id` came to be: one step per ancestor along base parents, starter first, with what the
/// operator did, the other parents, the gain in fitness, and the difference in source and tune.
[[nodiscard]] std::string path_text(const LineageView& view, const TextSource& texts,
                                    IndividualId id);
[[nodiscard]] std::string path_json(const LineageView& view, const TextSource& texts,
                                    IndividualId id);

/// Everything recorded about one individual. REQUIRES view.find(id).
[[nodiscard]] std::string show_text(const LineageView& view, const TextSource& texts,
                                    IndividualId id);
[[nodiscard]] std::string show_json(const LineageView& view, const TextSource& texts,
                                    IndividualId id);

/// The source as it is to be compiled: as stored, below one #define per tune value. Exact bytes,
/// not made safe for terminals.
[[nodiscard]] Expected<std::string> compilable_source(const Individual& individual,
                                                      const TextSource& texts);

}  // namespace atl
