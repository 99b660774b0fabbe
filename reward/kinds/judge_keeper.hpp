#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace atl {

/// Everything that the processes between us and a judge need, prepared before fork(): afterwards
/// only async-signal-safe calls are allowed, because other threads may hold any lock.
struct JudgePlan {
    std::vector<char*> argv;         ///< ends with nullptr; [0] is an absolute path
    std::vector<char*> environment;  ///< ends with nullptr
    const char* folder = nullptr;    ///< working folder
    int input = -1;
    int output = -1;
    int error = -1;
    int report = -1;     ///< a KeeperReport is written here when all is over
    int life_line = -1;  ///< a pipe's reading end: its end of file means that nobody waits any more
    std::uint64_t cpu_seconds = 0;
    std::uint64_t memory_bytes = 0;
};

struct KeeperReport {
    int exec_errno = 0;   ///< not 0: the judge could not be started
    int wait_status = 0;  ///< of the judge, as waitpid(2) stores it
};

/// The life of a process forked to keep one judge: starts it, and when it ends or the life line
/// does (the evaluator was killed, or gave up) kills it and whatever it started. Orphans come to
/// this process (PR_SET_CHILD_SUBREAPER), so setsid() is no way out. What remains is to kill this
/// process first, which a judge of the same user may (judge_strays.hpp).
[[noreturn]] void keep_judge(const JudgePlan& plan);

}  // namespace atl
