#pragma once

#include "population/rollouts/run_records.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace atl {

/// What about a record a person should look at. Each is a plain rule, listed in audit_rules(); none
/// says that anything is wrong.
enum class Surprise {
    caught,            ///< its outcome is reward_hack
    unstable,          ///< an equal program ended otherwise: right here and wrong there
    near_light,        ///< k_near_light of the speed of light or more on a workload
    far_faster,        ///< k_far_faster times as fast as the baseline or more
    above_group,       ///< above all others of its group by k_group_deviations of theirs
    only_success,      ///< the one right candidate of a group of k_least_group or more
    uncertain,         ///< its lead over the baseline is less than its times' intervals
    noisy,             ///< the measurement says so itself
    never_reverified,  ///< of its timed launches none was checked, on any workload
    order_differs,     ///< first of its group by reward, in the lower half by cautious speed-up
};
inline constexpr int k_surprise_count = 10;
inline constexpr double k_near_light = 0.95;
inline constexpr double k_far_faster = 10;       ///< AKO4ALL flags what is more
inline constexpr double k_group_deviations = 3;  ///< of a deviation of 5 % of their mean at least
inline constexpr std::size_t k_least_group = 4;

[[nodiscard]] std::string_view to_string(Surprise surprise);
/// Name and meaning of each, for --help.
[[nodiscard]] std::string audit_rules();

struct AuditedRecord {
    const RunRecord* record = nullptr;
    std::vector<Surprise> surprises;  ///< in the order above
    std::string others;               ///< what it was compared with, in a sentence
};

struct Audit {
    std::string preset;
    std::size_t records = 0;
    std::vector<AuditedRecord> highest;     ///< by reward, the highest first
    std::vector<AuditedRecord> surprising;  ///< most surprises first, then by reward
    std::size_t surprising_in_all = 0;
};

/// `records`: with the reward to judge by as their first; they must outlive the result. Of equal
/// programs with equal verdicts the first stands for all. At most `most` in each list.
[[nodiscard]] Audit audit(const std::vector<RunRecord>& records, const ScorePreset& preset,
                          std::size_t most);

/// With the first lines of each source.
[[nodiscard]] std::string to_text(const Audit& audit, const TextSource& texts);
[[nodiscard]] std::string to_json(const Audit& audit);

}  // namespace atl
