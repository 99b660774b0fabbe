#pragma once

#include "population/campaign_state.hpp"
#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_view.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace atl {

/// What is wrong with a campaign's record, and what was looked at. `problems` empty: sound.
struct LineageCheck {
    std::vector<std::string> problems;  ///< one sentence each, at most k_max_problems
    std::vector<std::string> notes;     ///< not wrong, but worth knowing
    std::uint64_t events = 0;
    std::uint64_t individuals = 0;
    std::uint64_t texts = 0;  ///< read and compared with their ids

    static constexpr std::size_t k_max_problems = 100;
    void problem(std::string text);
};

/// Checks that the events follow from one another (the fold accepts each), that parents, ids,
/// tickets, migrations and confirmations are consistent, that every text is there and matches its
/// id, and that verdicts agree with their individuals. Reads every text once.
[[nodiscard]] LineageCheck check_lineage(const LineageData& data, const LineageView& view,
                                         const StateSettings& settings);

/// Checks that the tables of a lineage.h5 agree with the events that it holds, and notes how many
/// of `events` those are. A file that is being written, or whose writer was killed, is only noted:
/// it can be rebuilt. Errors when the file cannot be read at all.
[[nodiscard]] Status check_lineage_tables(const std::filesystem::path& h5, std::uint64_t events,
                                          LineageCheck& check);

}  // namespace atl
