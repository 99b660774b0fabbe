#include "reward/workers/nvrtc_role.hpp"

#include "reward/base/jail_limits.hpp"
#include "reward/base/private_folder.hpp"
#include "reward/cuda/toolkit.hpp"
#include "reward/workers/jailed_role.hpp"
#include "reward/workers/nvrtc_filter.hpp"
#include "reward/workers/nvrtc_memory.hpp"
#include "reward/workers/nvrtc_zygote.hpp"

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_jail_work_folder = "/job";
constexpr const char* k_folder_prefix = "atoll-nvrtc-";

Expected<std::vector<std::string>> real_folders(const std::vector<std::string>& folders) {
    std::vector<std::string> real;
    for (const std::string& folder : folders) {
        std::error_code error;
        real.push_back(fs::canonical(folder, error).string());
        if (error) {
            return tl::unexpected(errno_error("open", folder, error.value()));
        }
        if (const fs::path cccl = fs::path(real.back()) / "cccl"; fs::is_directory(cccl, error)) {
            real.push_back(cccl.string());
        }
    }
    return real;
}

Expected<std::string> make_folder(const fs::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0) {
        return tl::unexpected(errno_error("mkdir", path, errno));
    }
    return path.string();
}

Expected<NvrtcLibrary> open_nvrtc(const std::string& path) {
    ATOLL_TRY_ASSIGN(NvrtcLibrary library, NvrtcLibrary::open(path));
    move_to_huge_pages(library.path());
    ATOLL_TRY(load_nvrtc_builtins({library.path(), library.major(), library.minor()}));
    return library;
}

/// In a thread of its own, whose memory is apart from this one's: what warming up leaves there in
/// pieces is not what children take theirs from.
Status warm_up(WarmNvrtc& warm) {
    Status done;
    std::thread([&] { done = precompile_headers(warm); }).join();
    ::malloc_trim(0);
    return done;
}

/// `folder` holds the precompiled headers and, below level full, the children's folders.
Expected<NvrtcZygoteOptions> prepare(const WorkerArguments& arguments, NvrtcLibrary library,
                                     SandboxLevel level, const PrivateFolder& folder) {
    ATOLL_TRY_ASSIGN(std::vector<std::string> include, real_folders(arguments.include));
    NvrtcZygoteOptions options{{std::move(library), arguments.architecture, "", std::move(include)},
                               level,
                               k_jail_work_folder,
                               {},
                               {},
                               0};
    if (options.warm.include.empty()) {
        return failure(ErrorCode::invalid_argument, "no folder of CUDA's headers is named",
                       "NVRTC");
    }
    if (options.warm.library.has_precompiled_headers()) {
        ATOLL_TRY_ASSIGN(options.warm.folder, make_folder(folder.path() / "pch"));
    }
    if (level != SandboxLevel::full) {
        ATOLL_TRY_ASSIGN(options.work_folder, make_folder(folder.path() / "jobs"));
    }
    ATOLL_TRY(warm_up(options.warm));
    if (level != SandboxLevel::none) {
        ATOLL_TRY_ASSIGN(options.filter, make_nvrtc_filter());
    }
    options.base_bytes = address_space_bytes();
    return options;
}

JailView view_of(const NvrtcZygoteOptions& options) {
    JailView view;
    view.root.read_only = options.warm.include;
    if (!options.warm.folder.empty()) {
        view.root.read_only.push_back(options.warm.folder);
    }
    view.root.devices = {"/dev/null"};
    view.root.folders = {k_jail_work_folder};
    view.landlock.readable = view.root.read_only;
    view.landlock.devices = view.root.devices;
    if (options.level != SandboxLevel::full) {
        view.landlock.writable = {options.work_folder};
    }
    return view;
}

}  // namespace

int serve_nvrtc(const WorkerArguments& arguments, FrameChannel supervisor) {
    const auto report = [&supervisor](const Error& error) {
        (void)supervisor.send(make_failed_frame(0, error));
        return 1;
    };
    const auto level = choose_sandbox_level(probe_sandbox(), arguments.required, arguments.at_most);
    if (!level) {
        return report(level.error());
    }
    // As the user that we were started by: it may lie where the jail's user cannot read.
    auto library = open_nvrtc(arguments.nvrtc);
    if (!library) {
        return report(library.error());
    }
    std::optional<JitLinkLibrary> jit_link;
    if (!arguments.jit_link.empty()) {
        auto opened = JitLinkLibrary::open(arguments.jit_link);
        if (!opened) {
            return report(opened.error());
        }
        jit_link = std::move(*opened);
    }
    // The change of user makes the parent's death go unnoticed, so that is asked for again.
    Status alone = leave_root_user();
    alone = alone ? die_with_parent(arguments.parent) : alone;
    if (!alone) {
        return report(alone.error());
    }
    auto folder = PrivateFolder::make(k_folder_prefix);  // its destructor runs outside the jail
    if (!folder) {
        return report(folder.error());
    }
    ::clearenv();
    ::setenv("TMPDIR", folder->path().c_str(), 1);
    auto options = prepare(arguments, std::move(*library), *level, *folder);
    if (!options) {
        return report(options.error());
    }
    options->warm.jit_link = std::move(jit_link);
    const JailView view = view_of(*options);
    if (*level == SandboxLevel::restricted) {
        options->landlock = view.landlock;
    }
    return run_in_jail(
        *level, view,
        [&] {
            Frame ready;
            ready.type = FrameType::ready;
            ready.generation = arguments.generation;
            ready.payload = to_json(WorkerReady{*level, layers_of(*level)});
            if (!supervisor.send(ready)) {
                return 1;
            }
            NvrtcZygote zygote(std::move(supervisor), std::move(*options));
            return zygote.serve();
        },
        report);
}

}  // namespace atl
