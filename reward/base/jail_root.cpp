#include "reward/base/jail_root.hpp"

#include "reward/base/files.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

namespace atl {

namespace fs = std::filesystem;

namespace {

constexpr mode_t k_folder_mode = 0755;

tl::unexpected<Error> jail_error(const std::string& call, const std::string& where, int error) {
    Error result = errno_error(call, where, error);
    result.hint = "unprivileged user namespaces may be switched off here";
    return tl::unexpected(result);
}

Status write_text(const char* path, const std::string& text) {
    const FileHandle file(::open(path, O_WRONLY | O_CLOEXEC));
    if (!file ||
        ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return jail_error("write", path, errno);
    }
    return {};
}

/// Any folder that exists everywhere; it is covered in our own mount namespace only.
Expected<std::string> find_mount_point(const JailRoot& root) {
    for (const std::string folder : {"/mnt", "/srv", "/media", "/tmp"}) {
        bool needed = false;
        for (const std::string& path : root.read_only) {
            needed = needed || path == folder || path.starts_with(folder + "/");
        }
        struct stat about {};
        if (!needed && ::stat(folder.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) {
            return folder;
        }
    }
    return failure(ErrorCode::not_found, "none of /mnt, /srv, /media, /tmp can hold the new root",
                   "sandbox", "make a folder /mnt");
}

Status restrict_mount(const std::string& target, std::uint64_t attributes) {
    mount_attr wanted{};
    wanted.attr_set = attributes;
    if (::mount_setattr(-1, target.c_str(), AT_RECURSIVE, &wanted, sizeof(wanted)) != 0) {
        return jail_error("mount_setattr", target, errno);
    }
    return {};
}

Status bind_restricted(const std::string& source, const std::string& target,
                       std::uint64_t attributes) {
    if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
        return jail_error("bind mount", source, errno);
    }
    return restrict_mount(target, attributes);
}

/// Makes the place for `path` below `new_root` and returns it; empty when the host lacks it.
Expected<std::string> prepare_place(const std::string& new_root, const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (error || !fs::exists(status)) {
        return std::string();
    }
    const std::string place = new_root + path;
    fs::create_directories(fs::path(place).parent_path(), error);
    if (fs::is_symlink(status)) {
        fs::create_symlink(fs::read_symlink(path, error), place, error);
        return error ? Expected<std::string>(jail_error("symlink", place, error.value()))
                     : std::string();
    }
    if (fs::is_directory(status)) {
        fs::create_directories(place, error);
    } else {
        const FileHandle file(::open(place.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        if (!file) {
            return jail_error("open", place, errno);
        }
    }
    if (error) {
        return jail_error("mkdir", place, error.value());
    }
    return place;
}

Status fill_root(const std::string& new_root, const JailRoot& root) {
    for (const std::string& path : root.read_only) {
        ATOLL_TRY_ASSIGN(const std::string place, prepare_place(new_root, path));
        if (!place.empty()) {
            ATOLL_TRY(bind_restricted(path, place,
                                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
        }
    }
    for (const std::string& path : root.devices) {
        ATOLL_TRY_ASSIGN(const std::string place, prepare_place(new_root, path));
        if (!place.empty()) {
            ATOLL_TRY(bind_restricted(path, place, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
        }
    }
    for (const std::string& path : root.folders) {
        std::error_code error;
        fs::create_directories(new_root + path, error);
        if (error) {
            return jail_error("mkdir", path, error.value());
        }
    }
    return {};
}

}  // namespace

Status enter_namespaces() {
    const uid_t user = ::getuid();
    const gid_t group = ::getgid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                  CLONE_NEWPID) != 0) {
        return jail_error("unshare", "namespaces", errno);
    }
    ATOLL_TRY(write_text("/proc/self/setgroups", "deny"));
    ATOLL_TRY(
        write_text("/proc/self/uid_map", std::to_string(user) + " " + std::to_string(user) + " 1"));
    ATOLL_TRY(write_text("/proc/self/gid_map",
                         std::to_string(group) + " " + std::to_string(group) + " 1"));
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return jail_error("mount", "/", errno);
    }
    return {};
}

Status mount_tmpfs(const std::string& folder, std::uint64_t bytes) {
    const std::string options = "mode=0755,nr_inodes=4096,size=" + std::to_string(bytes);
    if (::mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
        return jail_error("mount tmpfs", folder, errno);
    }
    return {};
}

Status enter_jail_root(const JailRoot& root) {
    ATOLL_TRY_ASSIGN(const std::string new_root, find_mount_point(root));
    const mode_t old_mask = ::umask(0777 & ~k_folder_mode);
    Status filled = mount_tmpfs(new_root, root.tmpfs_bytes);
    if (filled) {
        filled = fill_root(new_root, root);
    }
    ::umask(old_mask);
    ATOLL_TRY(filled);
    // pivot_root(".", ".") stacks the old root on the new one, from where it is detached.
    if (::chdir(new_root.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0) {
        return jail_error("pivot_root", new_root, errno);
    }
    if (::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
        return jail_error("umount", "the old root", errno);
    }
    if (!root.writable) {
        mount_attr wanted{};
        wanted.attr_set = MOUNT_ATTR_RDONLY;
        if (::mount_setattr(-1, "/", 0, &wanted, sizeof(wanted)) != 0) {
            return jail_error("mount_setattr", "/", errno);
        }
    }
    return {};
}

Status drop_capabilities() {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        // Fails without CAP_SETPCAP, and then there is nothing to drop.
        ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    if (::syscall(SYS_capset, &header, none) != 0) {
        return jail_error("capset", "capabilities", errno);
    }
    return {};
}

}  // namespace atl
