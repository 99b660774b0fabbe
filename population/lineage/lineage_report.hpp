#pragma once

#include "population/journal/text_store.hpp"
#include "population/lineage/lineage_view.hpp"

#include <string>

namespace atl {

/// What people and programs ask of a campaign, one question per function pair. Texts that are lost
/// are named as lost; nothing here fails. The *_text forms are safe to print on a terminal, the
/// *_json forms are one JSON object. Pure functions of the view and its texts.

/// What commands that are suggested to the reader are made of, each one word of a shell.
struct CommandWords {
    std::string program = "atoll";
    std::string run;                ///< what the reader typed to name the campaign
    std::string task;               ///< a name or folder by which the program finds the task
    std::string file = "best.cpp";  ///< to write the best's source to
    std::string eval_options = {};  ///< whole words of `eval`, each after a blank
};

/// The best individual, how it was measured, and how to evaluate it again.
[[nodiscard]] std::string best_text(const LineageView& view, const TextSource& texts,
                                    const CommandWords& words);
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

/// The source with its tune values in it, as its kind writes them (the verdict says which). Exact
/// bytes, not made safe for terminals. Fails when the source or the verdict is lost.
[[nodiscard]] Expected<std::string> standalone_source(const Individual& individual,
                                                      const TextSource& texts);

/// " --flag=-ffast-math --flag=...": the individual's flags as `atoll eval` takes them, or nothing.
[[nodiscard]] std::string flag_words(const Individual& individual);

}  // namespace atl
