#pragma once

#include "population/rollouts/run_records.hpp"
#include "reward/scores/groups.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace atl {

struct RescoreSettings {
    std::optional<double> gamma;  ///< rewards become returns over a trajectory's turns
    Returns returns = Returns::sum;
    std::optional<Advantage> advantage;  ///< within groups, of the returns where there are some
};

struct RescoredRow {
    const RunRecord* record = nullptr;  ///< of the records that rescore() got
    std::optional<double> logged;       ///< the first score that was recorded
    std::optional<double> reward;
    std::optional<double> turn_return;
    std::optional<double> advantage;
};

/// A run's rewards under one preset.
struct Rescored {
    std::string preset;  ///< ScorePreset::words()
    RescoreSettings settings;
    std::vector<RescoredRow> rows;
    GroupStatistics all;  ///< of the rewards
    std::size_t groups = 0;
    std::size_t degenerate_groups = 0;
    /// Expected best reward of k samples (best_of()), over the groups that have so many: (k, mean
    /// over groups, groups).
    struct BestOf {
        std::size_t k = 0;
        double mean = 0;
        std::size_t groups = 0;
    };
    std::vector<BestOf> best_of;  ///< k = 1, 2, 4, 8, ... up to the largest group
};

/// `records`: with the preset's reward as their first; they must outlive the result.
[[nodiscard]] Rescored rescore(const std::vector<RunRecord>& records, const ScorePreset& preset,
                               const RescoreSettings& settings);

/// With the first `most` rows.
[[nodiscard]] std::string to_text(const Rescored& rescored, std::size_t most);
[[nodiscard]] std::string to_json(const Rescored& rescored);
/// An HDF5 file with one table `rescored`: id (of the rollout or individual), logged, reward,
/// return, advantage (NaN: none), and the preset as attribute. already_exists when it is there.
[[nodiscard]] Status write_rescored(const Rescored& rescored, const std::filesystem::path& path);

}  // namespace atl
