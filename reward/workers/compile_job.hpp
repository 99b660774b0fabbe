#pragma once

#include "reward/base/files.hpp"
#include "reward/workers/compile_messages.hpp"
#include "reward/workers/compile_zygote.hpp"

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>

namespace atl {

/// One order that the zygote works at. Its processes die with it.
struct CompileZygote::Job {
    std::uint64_t request = 0;
    std::uint32_t generation = 0;
    CompileOrder order;
    pid_t pid = -1;
    FileHandle pidfd;
    FileHandle log;
    FileHandle report;
    FileHandle binary;
    std::chrono::steady_clock::time_point deadline;
    bool overdue = false;
    std::string raw_log;
    std::string own_folder;  ///< removed with the job; empty at level full
    /// While a warm compiler's child is at work; then its object file is linked.
    std::shared_ptr<WarmCompiler> warm;
    FileHandle source;
    FileHandle object;
    std::string whole_because;
    std::string texts_before;  ///< prelude and runtime
    std::chrono::steady_clock::time_point begin;
    double compile_seconds = 0;  ///< of the warm compiler

    ~Job() {
        kill();
        while (pid > 0 && ::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        if (!own_folder.empty()) {
            std::error_code ignored;
            std::filesystem::remove_all(own_folder, ignored);
        }
    }

    /// The manager, the compiler and whatever it started share a process group that they cannot
    /// leave.
    void kill() const {
        if (pid > 0) {
            ::kill(-pid, SIGKILL);
            ::kill(pid, SIGKILL);
        }
    }

    void set_deadline() {
        deadline = begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                               std::chrono::duration<double>(order.timeout_s));
    }

    /// Keeps the beginning of the log and throws the rest away.
    void drain_log() {
        constexpr std::size_t k_max_raw_log_bytes = 256u << 10;
        std::array<char, 16384> chunk{};
        ssize_t got = 0;
        while ((got = ::read(log.get(), chunk.data(), chunk.size())) > 0) {
            const std::size_t room = k_max_raw_log_bytes - raw_log.size();
            raw_log.append(chunk.data(), std::min(room, static_cast<std::size_t>(got)));
        }
        if (got == 0) {
            log.reset();  // else poll would report the closed end for ever
        }
    }
};

}  // namespace atl
