#pragma once

#include "reward/outcome.hpp"
#include "reward/workers/messages.hpp"

#include <string>

namespace atl {

/// What a candidate did wrong: a value, with one sentence for a person or a prompt.
struct CandidateFault {
    Outcome outcome = Outcome::crash;
    std::string reason;
    /// Perhaps not its own: killed by something that is neither the candidate nor one of its
    /// limits, or out of time with hardly any of it used. Its verdict only when a repetition ends
    /// the same way.
    bool unexplained = false;
};

/// Maps the death of a candidate's process to its verdict. `killed`: by us, for exceeding a time
/// limit. `limits`: what the process was given.
[[nodiscard]] CandidateFault fault_of_death(const RunEnded& death, bool killed,
                                            const StartRun& limits);

/// "1.5 s".
[[nodiscard]] std::string seconds_text(double seconds);

}  // namespace atl
