#include "reward/verifier/candidate_fault.hpp"

#include <csignal>
#include <cstring>

namespace atl {

std::string seconds_text(double seconds) {
    std::string text = std::to_string(seconds);
    text.erase(text.find_last_not_of('0') + 1);
    return (text.back() == '.' ? text + "0" : text) + " s";
}

namespace {

/// What a source that does not look at what malloc() gave cannot know.
std::string null_hint(const StartRun& limits) {
    return limits.memory_bytes == 0
               ? ""
               : "; an allocation that does not fit into its " +
                     std::to_string(limits.memory_bytes >> 20) + " MiB of memory returns null";
}

CandidateFault fault_of_signal(const RunEnded& death, const StartRun& limits) {
    // An allocation that fails because the address space is full ends as abort or as a null
    // pointer; with most of the allowance resident, memory is the honest name for it.
    const bool memory_full =
        limits.memory_bytes > 0 &&
        static_cast<double>(death.peak_rss_bytes) > 0.9 * static_cast<double>(limits.memory_bytes);
    const std::string name = std::string("signal ") + std::to_string(death.status) + " (" +
                             strsignal(death.status) + ")";
    switch (death.status) {
        case SIGSYS:
            return {Outcome::forbidden_call,
                    "made a system call that the jail does not allow" +
                        (death.refused_call.empty() ? "" : ": " + death.refused_call)};
        case SIGXCPU:
            return {Outcome::timeout,
                    "used more than " + seconds_text(limits.cpu_seconds) + " of CPU time"};
        case SIGSEGV:
        case SIGBUS:
            if (!memory_full) {
                return {Outcome::memory_fault,
                        "touched memory outside its buffers: " + name + null_hint(limits)};
            }
            break;
        case SIGKILL:
            if (limits.cpu_seconds > 0 && death.cpu_seconds >= limits.cpu_seconds) {
                return {Outcome::timeout,
                        "used more than " + seconds_text(limits.cpu_seconds) + " of CPU time"};
            }
            if (!memory_full) {
                return {Outcome::crash, "was killed from outside of its jail: " + name, true};
            }
            break;
        case SIGABRT:
            if (!memory_full) {
                return {Outcome::crash, "aborted: " + name};
            }
            break;
        default:
            return {Outcome::crash, "died by " + name};
    }
    return {Outcome::memory_limit, "ran out of its " + std::to_string(limits.memory_bytes >> 20) +
                                       " MiB of memory: " + name};
}

}  // namespace

CandidateFault fault_of_death(const RunEnded& death, bool killed, const StartRun& limits) {
    if (killed) {
        return {Outcome::timeout, "did not return in time and was killed"};
    }
    if (!death.signalled) {
        return {Outcome::crash, "ended its process with exit status " +
                                    std::to_string(death.status) + " before the answer"};
    }
    return fault_of_signal(death, limits);
}

}  // namespace atl
