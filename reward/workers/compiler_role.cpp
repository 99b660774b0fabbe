#include "reward/workers/compiler_role.hpp"

#include "reward/base/jail_limits.hpp"
#include "reward/base/private_folder.hpp"
#include "reward/workers/compile_filter.hpp"
#include "reward/workers/compile_zygote.hpp"
#include "reward/workers/jailed_role.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace atl {

namespace fs = std::filesystem;

namespace {

constexpr const char* k_jail_work_folder = "/job";
constexpr const char* k_jail_warm_folder = "/warm";
constexpr std::uint64_t k_warm_bytes = 256u << 20;
constexpr const char* k_folder_prefix = "atoll-compile-";

/// The parts of an installation prefix that a compiler works with. Not share, src or local: data
/// of the host, maybe of Atoll itself, could lie there.
std::vector<std::string> parts_of_prefix(const std::string& prefix) {
    std::vector<std::string> parts;
    for (const char* part : {"bin", "include", "lib", "lib32", "lib64", "libx32", "libexec"}) {
        parts.push_back((prefix == "/" ? "" : prefix) + "/" + part);
    }
    return parts;
}

std::vector<std::string> visible_paths(const std::string& compiler) {
    std::vector<std::string> paths = parts_of_prefix("/usr");
    for (const char* path :
         {"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache"}) {
        paths.emplace_back(path);
    }
    std::error_code error;
    const fs::path real = fs::canonical(compiler, error);
    for (const fs::path& binary : {fs::path(compiler), error ? fs::path(compiler) : real}) {
        const std::string prefix = binary.parent_path().parent_path().string();
        if (prefix != "/usr" && prefix != "/" && !prefix.starts_with("/usr/lib")) {
            for (std::string& part : parts_of_prefix(prefix)) {
                // A compiler that is no link is its own real path: a place is prepared once.
                if (std::find(paths.begin(), paths.end(), part) == paths.end()) {
                    paths.push_back(std::move(part));
                }
            }
        }
    }
    return paths;
}

JailView compiler_view(const std::string& compiler, const std::string& temporary_folder) {
    JailView view;
    view.root.read_only = visible_paths(compiler);
    view.root.devices = {"/dev/null", "/dev/urandom"};
    view.root.folders = {k_jail_work_folder, k_jail_warm_folder};
    view.landlock.readable = view.root.read_only;
    view.landlock.devices = view.root.devices;
    if (!temporary_folder.empty()) {
        view.landlock.writable = {temporary_folder};
    }
    return view;
}

Status prepare(const WorkerArguments& arguments, SandboxLevel level, CompileZygoteOptions& options,
               std::optional<PrivateFolder>& temporary) {
    ATOLL_TRY(leave_root_user());
    // The change of user made the parent's death go unnoticed.
    ATOLL_TRY(die_with_parent(arguments.parent));
    options.compiler = arguments.compiler;
    options.level = level;
    options.work_folder = k_jail_work_folder;
    options.warm_folder = k_jail_warm_folder;
    if (level != SandboxLevel::full) {
        ATOLL_TRY_ASSIGN(PrivateFolder folder, PrivateFolder::make(k_folder_prefix));
        temporary.emplace(std::move(folder));
        options.work_folder = temporary->path().string();
        options.warm_folder = options.work_folder + "/warm";
        if (::mkdir(options.warm_folder.c_str(), 0700) != 0) {
            return tl::unexpected(errno_error("mkdir", options.warm_folder, errno));
        }
    }
    if (level != SandboxLevel::none) {
        ATOLL_TRY_ASSIGN(options.filter, make_compile_filter());
        ATOLL_TRY_ASSIGN(options.warm_filter, make_warm_filter());
    }
    return {};
}

}  // namespace

int serve_compiler(const WorkerArguments& arguments, FrameChannel supervisor) {
    const auto report = [&supervisor](const Error& error) {
        (void)supervisor.send(make_failed_frame(0, error));
        return 1;
    };
    const auto level = choose_sandbox_level(probe_sandbox(), arguments.required, arguments.at_most);
    if (!level) {
        return report(level.error());
    }
    CompileZygoteOptions options;
    std::optional<PrivateFolder> temporary;  // its destructor runs outside the jail
    if (Status prepared = prepare(arguments, *level, options, temporary); !prepared) {
        return report(prepared.error());
    }
    ::clearenv();
    const JailView view =
        compiler_view(arguments.compiler, temporary ? temporary->path().string() : std::string());
    if (*level == SandboxLevel::restricted) {
        options.landlock = view.landlock;
    }
    return run_in_jail(
        *level, view,
        [&] {
            if (*level == SandboxLevel::full) {
                if (Status made = mount_tmpfs(options.warm_folder, k_warm_bytes); !made) {
                    return report(made.error());
                }
            }
            Frame ready;
            ready.type = FrameType::ready;
            ready.generation = arguments.generation;
            ready.payload = to_json(WorkerReady{*level, layers_of(*level)});
            if (!supervisor.send(ready)) {
                return 1;
            }
            CompileZygote zygote(std::move(supervisor), std::move(options));
            return zygote.serve();
        },
        report);
}

}  // namespace atl
