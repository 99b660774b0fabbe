#pragma once

#include "search/config.hpp"
#include "tools/atoll/comparison_report.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace atl {

/// What is compared: one config per recipe, equal in task, evaluator and budget.
struct ComparisonPlan {
    struct Entry {
        std::string name;
        CampaignConfig config;
    };
    std::vector<Entry> recipes;
    std::uint64_t budget = 1;  ///< evaluations of each campaign
    std::int64_t first_seed = 1;
    std::int64_t seeds = 1;
    std::filesystem::path folder;
    bool show_campaigns =
        false;  ///< the usual display of a campaign that is at work, if a terminal

    /// folder/NAME/seed-N
    [[nodiscard]] std::filesystem::path run(const Entry& entry, std::int64_t seed) const;
};

/// Gives all entries the plan's budget as their only limit. Ends the command when two entries have
/// one name, or differ in what is no recipe's: evaluator, confirmations, score, task.
void make_comparable(ComparisonPlan& plan);

/// Where a comparison is: told before and after each campaign.
struct ComparisonStep {
    std::size_t number = 0;  ///< of this one, from 1
    std::size_t of = 0;
    std::string recipe;
    std::int64_t seed = 0;
    bool ended = false;
    bool was_there = false;  ///< it had ended in an earlier session
    double seconds = 0;      ///< that it took now
    double best = 0;         ///< search fitness
};

/// Runs what is missing, seed by seed and within a seed recipe by recipe, so that a machine that
/// becomes slower does so for all; campaigns that were interrupted are gone on with, those that are
/// over are left alone. Returns the exit status of what ended it early (Ctrl-C, a fault), else 0.
/// Ends the command when a folder holds a campaign with another config or task.
[[nodiscard]] int run_comparison(const ComparisonPlan& plan,
                                 const std::function<void(const ComparisonStep&)>& tell);

/// What the run folders of the plan say; all of them must have been run.
[[nodiscard]] Comparison read_comparison(const ComparisonPlan& plan);

}  // namespace atl
