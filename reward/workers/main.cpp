// atoll-worker: one of the process roles of DESIGN section 6, started by WorkerProcess with the
// supervisor's channel as descriptor 3 and, for verifier and runner, the channel between those two
// as descriptor 4.

#include "reward/base/jail_limits.hpp"
#include "reward/base/process.hpp"
#include "reward/gpu/device_probe.hpp"
#include "reward/gpu/gpu_replay.hpp"
#include "reward/gpu/gpu_runner_role.hpp"
#include "reward/gpu/gpu_verifier_role.hpp"
#include "reward/verifier/service.hpp"
#include "reward/worker_process.hpp"
#include "reward/workers/compiler_role.hpp"
#include "reward/workers/nvrtc_role.hpp"
#include "reward/workers/runner_role.hpp"
#include "reward/workers/worker_arguments.hpp"

#include <unistd.h>

#include <cstdio>
#include <string_view>

namespace {

constexpr int k_supervisor_fd = 3;
constexpr int k_peer_fd = 4;

atl::Status prepare(const atl::WorkerArguments& arguments) {
    ATOLL_TRY(atl::die_with_parent(arguments.parent));
    return atl::pin_to_cores(arguments.cores);
}

/// Trusted: it is in no jail, so there are no layers to report. But it holds secrets, so that other
/// processes of the same user must not trace it.
int play_verifier(const atl::WorkerArguments& arguments, atl::FrameChannel supervisor) {
    if (atl::Status dropped = atl::drop_privilege_paths(); !dropped) {
        (void)supervisor.send(atl::make_failed_frame(0, dropped.error()));
        return 1;
    }
    atl::Frame ready;
    ready.type = atl::FrameType::ready;
    ready.generation = arguments.generation;
    ready.payload = to_json(atl::WorkerReady{});
    if (!supervisor.send(ready)) {
        return 1;
    }
    return atl::serve_verifier(std::move(supervisor),
                               atl::FrameChannel(atl::FileHandle(k_peer_fd)));
}

int play(const atl::WorkerArguments& arguments) {
    atl::FrameChannel supervisor{atl::FileHandle(k_supervisor_fd)};
    if (atl::Status prepared = prepare(arguments); !prepared) {
        (void)supervisor.send(atl::make_failed_frame(0, prepared.error()));
        return 1;
    }
    switch (arguments.role) {
        case atl::WorkerRole::compiler:
            return atl::serve_compiler(arguments, std::move(supervisor));
        case atl::WorkerRole::nvrtc:
            return atl::serve_nvrtc(arguments, std::move(supervisor));
        case atl::WorkerRole::runner:
            return atl::serve_runner(arguments, std::move(supervisor),
                                     atl::FrameChannel(atl::FileHandle(k_peer_fd)));
        case atl::WorkerRole::verifier:
            return play_verifier(arguments, std::move(supervisor));
        case atl::WorkerRole::gpu_runner:
            return atl::serve_gpu_runner(arguments, std::move(supervisor),
                                         atl::FrameChannel(atl::FileHandle(k_peer_fd)));
        case atl::WorkerRole::gpu_verifier:
            return atl::serve_gpu_verifier(arguments, std::move(supervisor));
        case atl::WorkerRole::gpu_probe:
            return atl::serve_gpu_probe(arguments, std::move(supervisor));
    }
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == atl::k_replay_word) {
        return atl::play_replay(std::vector<std::string>(argv + 1, argv + argc));
    }
    const auto arguments =
        atl::parse_worker_arguments(std::vector<std::string>(argv + 1, argv + argc));
    if (!arguments) {
        std::fprintf(stderr, "%s\n", arguments.error().message().c_str());
        return 2;
    }
    return play(*arguments);
}
