#include "reward/workers/compiler_role.hpp"

#include "reward/base/jail_limits.hpp"
#include "reward/workers/compile_filter.hpp"
#include "reward/workers/compile_zygote.hpp"
#include "reward/workers/jailed_role.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace atl {

namespace fs = std::filesystem;

namespace {

constexpr const char* k_jail_work_folder = "/job";

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
                paths.push_back(std::move(part));
            }
        }
    }
    return paths;
}

constexpr const char* k_folder_prefix = "atoll-compile-";

/// An open folder that nobody else has locked; empty when it is in use or cannot be opened.
FileHandle lock_folder(const fs::path& path) {
    FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return folder && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0 ? std::move(folder)
                                                                   : FileHandle();
}

/// Removes the folders of workers that were killed. A living worker holds a lock on its own.
void sweep_abandoned_folders(const fs::path& parent) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
        if (entry.path().filename().string().starts_with(k_folder_prefix) &&
            lock_folder(entry.path())) {
            std::error_code ignored;
            fs::remove_all(entry.path(), ignored);
        }
    }
}

/// A folder that is removed with the object, except in the processes forked meanwhile.
class TemporaryFolder {
  public:
    [[nodiscard]] Status make() {
        const fs::path parent = fs::temp_directory_path();
        sweep_abandoned_folders(parent);
        std::string pattern = (parent / (std::string(k_folder_prefix) + "XXXXXX")).string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            return tl::unexpected(errno_error("mkdtemp", pattern, errno));
        }
        m_path = pattern;
        m_lock = lock_folder(m_path);
        return {};
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        if (!m_path.empty()) {
            fs::remove_all(m_path, ignored);
        }
    }
    TemporaryFolder() = default;
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::string& path() const { return m_path; }

  private:
    std::string m_path;
    FileHandle m_lock;
};

JailView compiler_view(const std::string& compiler, const std::string& temporary_folder) {
    JailView view;
    view.root.read_only = visible_paths(compiler);
    view.root.devices = {"/dev/null", "/dev/urandom"};
    view.root.folders = {k_jail_work_folder};
    view.landlock.readable = view.root.read_only;
    view.landlock.devices = view.root.devices;
    if (!temporary_folder.empty()) {
        view.landlock.writable = {temporary_folder};
    }
    return view;
}

Status prepare(const WorkerArguments& arguments, SandboxLevel level, CompileZygoteOptions& options,
               TemporaryFolder& temporary) {
    ATOLL_TRY(leave_root_user());
    // The change of user made the parent's death go unnoticed.
    ATOLL_TRY(die_with_parent(arguments.parent));
    options.compiler = arguments.compiler;
    options.level = level;
    options.work_folder = k_jail_work_folder;
    if (level != SandboxLevel::full) {
        ATOLL_TRY(temporary.make());
        options.work_folder = temporary.path();
    }
    if (level != SandboxLevel::none) {
        ATOLL_TRY_ASSIGN(options.filter, make_compile_filter());
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
    TemporaryFolder temporary;
    if (Status prepared = prepare(arguments, *level, options, temporary); !prepared) {
        return report(prepared.error());
    }
    ::clearenv();
    const JailView view = compiler_view(arguments.compiler, temporary.path());
    if (*level == SandboxLevel::restricted) {
        options.landlock = view.landlock;
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
            CompileZygote zygote(std::move(supervisor), std::move(options));
            return zygote.serve();
        },
        report);
}

}  // namespace atl
