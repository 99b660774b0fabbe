#pragma once

#include "reward/base/error.hpp"
#include "reward/worker_process.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// The command line that WorkerProcess gives to atoll-worker.
struct WorkerArguments {
    WorkerRole role = WorkerRole::verifier;
    int parent = 0;
    std::uint32_t generation = 0;
    SandboxLevel required = SandboxLevel::full;
    SandboxLevel at_most = SandboxLevel::full;
    std::vector<int> cores;
    std::string compiler;
    std::string nvrtc;
    std::string jit_link;
    std::vector<std::string> include;
    std::string architecture;
    std::string driver;
    std::string cupti;
    int gpu = 0;
    int counters = 0;  ///< 1: make ready to count
};

[[nodiscard]] Expected<WorkerArguments> parse_worker_arguments(
    const std::vector<std::string>& arguments);

}  // namespace atl
