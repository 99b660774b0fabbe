#pragma once

#include "reward/base/error.hpp"
#include "reward/candidate.hpp"
#include "reward/task.hpp"
#include "reward/verdict.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What was to be measured and was not, or is no finite number: objectives are better the lower
/// they are, so that leaving something out must not win. In a grid it falls into the last bin.
inline constexpr double k_not_measured = 1e300;

/// What archives may look at beside fitness (archive.axes, archive.objectives). Each is a finite
/// number of a right candidate; a macro that its source does not have is 0.
///
///     source_bytes      size of the source
///     flags             number of optional compiler flags
///     starter           place, from 0, of the starter that it descends from among the task's
///     tune:MACRO        value of a `// tune:` macro (its default where the candidate sets none)
///     binary_bytes      size of what the compiler made of it
///     memory_bytes      peak memory of its own (Verdict::memory_bytes)
///     error             largest absolute error over public verification launches
///     time              geometric mean over public workloads, nanoseconds per launch
///     time:WORKLOAD     median of that public workload, nanoseconds per launch
///     score:NAME        what an external judge reported under that name
///     code:FACT         read from the machine code (reward/code_facts.hpp)
///
/// Of GPU kinds, by its plan for the profiled workload (Verdict::profile), over all its kernels:
///     registers         most per thread
///     shared_bytes      most shared memory of a block, static and dynamic
///     spill_bytes       most spilled per thread
///     occupancy         least theoretical, 0 to 1
///     block_threads     most threads of a block
///     kernels           launches
///
/// Hidden workloads are no measures: an archive decides what mutators see.
[[nodiscard]] const std::vector<std::string>& plain_measures();
/// "tune:", "time:", "score:" and "code:", to be followed by a name.
[[nodiscard]] const std::vector<std::string>& measure_prefixes();

/// invalid_argument, with what there is, when the name means nothing; `task` may be null, then
/// macros and workloads are not looked for.
[[nodiscard]] Status check_measure(const std::string& name, const Task* task);

/// The measures of a right candidate, in the order of the names. REQUIRES checked names.
[[nodiscard]] std::vector<double> measure_candidate(const std::vector<std::string>& names,
                                                    const Task& task, const Candidate& candidate,
                                                    const std::string& starter,
                                                    const Verdict& verdict);

}  // namespace atl
