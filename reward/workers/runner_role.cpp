#include "reward/workers/runner_role.hpp"

#include "reward/base/jail_limits.hpp"
#include "reward/workers/blas_kernels.hpp"
#include "reward/workers/jailed_role.hpp"
#include "reward/workers/run_zygote.hpp"

#include <dlfcn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

namespace atl {

namespace {

constexpr std::uint64_t k_binaries_bytes = 512u << 20;  ///< of the tmpfs for shared objects
constexpr std::uint64_t k_max_processes = 256;          ///< mostly threads of candidates

/// Loaded before the jail closes, so that a candidate's dependencies are there already, and as the
/// user who started us, since a bundle may lie where no other may read. For all to see, since
/// launchers are linked without naming libraries. What is missing is not an error: then no
/// candidate links it either.
void preload_libraries() {
    for (const char* name : {"libm.so.6", "libmvec.so.1", "libstdc++.so.6", "libgcc_s.so.1",
                             "libgomp.so.1", "libatomic.so.1"}) {
        (void)::dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    }
}

/// Forks the zygote that runs trusted binaries, which may load libraries of the host.
Expected<FrameChannel> fork_trusted_zygote(std::uint64_t address_space) {
    ATOLL_TRY_ASSIGN(auto ends, make_socket_pair());
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        return tl::unexpected(errno_error("fork", "runner", errno));
    }
    if (child == 0) {
        // Only its own socket: it must not keep the runner's channels open.
        FileHandle socket(::dup2(ends.second.get(), 3));
        ::close_range(4, ~0u, 0);
        if (!die_with_parent(parent) || !drop_privilege_paths() || !silence_standard_streams()) {
            ::_exit(1);
        }
        choose_blas_kernels();
        RunZygote zygote(FrameChannel(std::move(socket)), {}, address_space);
        ::_exit(zygote.serve());
    }
    return FrameChannel(std::move(ends.first));
}

JailView runner_view() {
    JailView view;
    view.root.tmpfs_bytes = k_binaries_bytes;
    view.root.writable = true;  // for the zygote, which puts shared objects there
    return view;
}

Expected<RunZygoteOptions> make_options(SandboxLevel level, int lifeline,
                                        std::uint64_t address_space) {
    RunZygoteOptions options;
    options.lifeline = lifeline;
    ATOLL_TRY_ASSIGN(options.trusted, fork_trusted_zygote(address_space));
    if (level != SandboxLevel::none) {
        ATOLL_TRY_ASSIGN(options.filters, make_run_filters());
    }
    if (level == SandboxLevel::full) {
        options.binary_folder = "/";
        options.max_processes = k_max_processes;
    }
    return options;
}

}  // namespace

int serve_runner(const WorkerArguments& arguments, FrameChannel supervisor, FrameChannel verifier) {
    const auto report = [&supervisor](const Error& error) {
        (void)supervisor.send(make_failed_frame(0, error));
        return 1;
    };
    ::clearenv();
    const auto level = choose_sandbox_level(probe_sandbox(), arguments.required, arguments.at_most);
    if (!level) {
        return report(level.error());
    }
    preload_libraries();
    if (Status left = leave_root_user(); !left) {
        return report(left.error());
    }
    // The change of user made the parent's death go unnoticed.
    if (Status bound = die_with_parent(arguments.parent); !bound) {
        return report(bound.error());
    }
    const std::uint64_t address_space = address_space_bytes();
    auto options = make_options(*level, supervisor.fd(), address_space);
    if (!options) {
        return report(options.error());
    }
    return run_in_jail(
        *level, runner_view(),
        [&] {
            // Within the namespaces it has them all, and candidates would inherit them.
            if (Status dropped = drop_capabilities(); !dropped) {
                return report(dropped.error());
            }
            RunZygote zygote(std::move(verifier), std::move(*options), address_space);
            Frame ready;
            ready.type = FrameType::ready;
            ready.generation = arguments.generation;
            ready.payload = to_json(WorkerReady{*level, layers_of(*level)});
            return supervisor.send(ready) ? zygote.serve() : 1;
        },
        report);
}

}  // namespace atl
