#pragma once

#include "population/lineage/lineage.hpp"
#include "reward/scores/presets.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// A time of one public workload beside what it is compared with, ns.
struct WorkloadEvidence {
    std::string workload;
    double median_ns = 0;
    double low_ns = 0;
    double high_ns = 0;
    double baseline_ns = 0;  ///< 0: not known
    double light_ns = 0;
    bool noisy = false;
    int reverified = 0;
};

/// What a verdict says, without its raw samples.
struct VerdictEvidence {
    Outcome outcome = Outcome::rejected;
    std::string reason;
    std::string noise;
    double speedup = 0;           ///< 0: not known
    double cautious_speedup = 0;  ///< by the upper ends of the times' intervals
    std::vector<WorkloadEvidence> workloads;
    std::vector<std::optional<double>> rewards;  ///< by the presets that were asked for
};

/// One evaluated candidate of a run: a rollout of a server's log or an individual of a campaign.
struct RunRecord {
    std::uint64_t id = 0;  ///< rollout, or individual
    std::string name;      ///< for people: "12", "17.2"
    /// What its reward is compared within: the client's group of that task, or the siblings
    /// (children of one base parent); empty: none.
    std::string group;
    std::string trajectory;  ///< of a server's log
    std::int64_t turn = -1;
    std::string policy_version;
    Digest program;  ///< equal for equal programs of one task
    Digest source;   ///< text id
    /// As recorded: by preset, or a campaign's "fitness".
    std::vector<std::pair<std::string, double>> logged;
    std::shared_ptr<const VerdictEvidence> verdict;  ///< nullptr: a fault, or the text is lost
};

/// Every record of a run, with its rewards by each of `presets`. A reward is missing without a
/// verdict, and where a right candidate was not timed and the formula needs times. Equal verdicts
/// are read once. A campaign's baseline is its first starter. Errors: a run that holds neither.
[[nodiscard]] Expected<std::vector<RunRecord>> run_records(const LineageData& data,
                                                           const std::vector<ScorePreset>& presets);

/// The preset that the records were scored by first: a log's first score, else "speedup".
[[nodiscard]] std::string first_preset(const LineageData& data);

}  // namespace atl
