#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// One run of a user's own program under limits. Not a sandbox: the program sees the machine as
/// its user does; only its appetite is limited.
struct JudgeCommand {
    std::vector<std::string> argv;            ///< [0] is an absolute path
    std::vector<std::string> environment;     ///< the whole of it, "NAME=value"
    std::filesystem::path folder;             ///< working folder
    double timeout_s = 60;                    ///< wall time
    std::uint64_t memory_bytes = 2ull << 30;  ///< address space of each process
    std::uint64_t output_bytes = 1 << 20;     ///< standard output beyond this ends the run
    std::stop_token cancel{};                 ///< ends the run when nobody wants it any more
    /// Gets all output so far whenever there may be more, on the thread that waits.
    std::function<void(std::string_view)> on_output{};
};

struct JudgeRun {
    enum class End { exited, killed, timeout, too_much_output, cancelled };
    End end = End::exited;
    int status = 0;          ///< exit status or signal
    std::string output;      ///< standard output
    std::string error_tail;  ///< last 8 KiB of standard error
    double seconds = 0;
};

/// Runs the command and kills whatever it started and left when it ends, breaks a limit or is
/// cancelled, or when this process dies (reward/kinds/judge_keeper.hpp). An error (no program, no
/// process, no pipe) is a fault of ours. Thread-safe; blocks its thread.
[[nodiscard]] Expected<JudgeRun> run_judge(const JudgeCommand& command);

}  // namespace atl
