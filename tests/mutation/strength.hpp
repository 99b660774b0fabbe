#pragma once

#include "tests/mutation/faults.hpp"
#include "tests/mutation/judge.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace atl::mutation {

/// What became of a mutant.
enum class Fate {
    no_program,  ///< does not compile, or only past the compiler's limits: counts nowhere
    killed,      ///< the task's verification found it
    same,        ///< passed, and gave the original's bits on every other input: no fault
    tolerated,   ///< passed; other bits, but within the task's tolerances on every other input
    survived,    ///< passed, and is wrong by the task's own measure on some other input
    unjudged,    ///< a fault of ours
};

struct JudgedMutant {
    std::string starter;
    Mutant mutant;
    Fate fate = Fate::unjudged;
    std::string reason;     ///< of what ended it, or what was wrong on another input
    std::string confirmed;  ///< survivors only: the outcome of a confirmation
};

struct TaskStrength {
    std::string task;
    std::vector<JudgedMutant> mutants;
    /// Honest evaluations (tuned starters, confirmations), and those that did not end as `passed`.
    std::size_t honest = 0;
    std::vector<std::string> rejected;
    /// The original among its mutants on other inputs. Where it fails, the task's tolerances were
    /// not chosen for such a shape, or it is wrong there; what survived there says little.
    std::size_t controls = 0;
    std::vector<std::string> failed_controls;
};

/// How many rounds of other inputs (other_inputs.hpp) survivors are asked.
inline constexpr std::uint64_t k_rounds = 3;
/// How many random settings of its knobs each starter is verified with.
inline constexpr std::size_t k_variants = 4;

/// Counts an evaluation that must end as `passed`; `who` names it in the list of rejected ones.
void count_honest(const std::string& who, const EvaluationResult& result, TaskStrength& strength);

/// Judges `per_class` mutants of each class of each starter: first the task's own verification
/// (level verify, public workloads), then, for those that pass, other inputs.
void judge_mutants(Judge& judge, const TaskPtr& task, std::size_t per_class,
                   TaskStrength& strength);

/// Starters with other values of their knobs and other allowed flags (level verify), and as they
/// are (level confirm): none may be rejected.
void judge_honest(Judge& judge, const TaskPtr& task, TaskStrength& strength);

}  // namespace atl::mutation
