#pragma once

#include "reward/outcome.hpp"
#include "reward/workers/messages.hpp"

#include <string>

namespace atl {

/// What a candidate did wrong: a value, with one sentence for a person or a prompt.
struct CandidateFault {
    Outcome outcome = Outcome::crash;
    std::string reason;
};

/// Maps the death of a candidate's process to its verdict. `killed`: by us, for exceeding a time
/// limit. `limits`: what the process was given.
[[nodiscard]] CandidateFault fault_of_death(const RunEnded& death, bool killed,
                                            const StartRun& limits);

/// "1.5 s".
[[nodiscard]] std::string seconds_text(double seconds);

}  // namespace atl
