#pragma once

#include <optional>
#include <string_view>

namespace atl {

/// How the evaluation of a candidate ended. Closed: every candidate gets exactly one. The values
/// are on disk (journal, lineage.h5): never renumber, only append. A fault of ours is never an
/// Outcome; see InfrastructureFault.
enum class Outcome {
    passed = 0,
    rejected = 1,  ///< lint: too large, NUL bytes, no entry point, forbidden flag
    compile_error = 2,
    compile_limit = 3,  ///< the compiler ran out of the allowed time, memory or output
    launch_error = 4,   ///< loaded, but launch() could not be found or started
    wrong_result = 5,
    non_finite = 6,  ///< NaN or infinity where the reference is finite
    inputs_modified = 7,
    timeout = 8,
    crash = 9,          ///< abort, illegal instruction, exit before the answer
    memory_fault = 10,  ///< touched memory outside its buffers
    memory_limit = 11,
    forbidden_call = 12,      ///< a system call the jail does not allow
    inconsistent = 13,        ///< right on some runs, wrong on others
    reward_hack = 14,         ///< faster than physics allows, or caught cheating
    slower_than_cutoff = 15,  ///< right, but hopeless: not measured in full
    evaluator_failed = 16,    ///< external kind: the judge refused or failed this candidate
};

inline constexpr int k_outcome_count = 17;

[[nodiscard]] std::string_view to_string(Outcome outcome);
[[nodiscard]] std::optional<Outcome> outcome_from(std::string_view name);

/// True for outcomes whose candidate gave right answers on everything that was checked.
[[nodiscard]] constexpr bool is_correct(Outcome outcome) {
    return outcome == Outcome::passed || outcome == Outcome::slower_than_cutoff;
}

}  // namespace atl
