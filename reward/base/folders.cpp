#include "reward/base/folders.hpp"

#include "reward/base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace atl {

namespace {

// Some file systems cannot fsync a folder (EINVAL); there the name is as durable as they make it.
Status sync_folder(const std::filesystem::path& folder) {
    const FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle) {
        return tl::unexpected(errno_error("open", folder.string(), errno));
    }
    if (::fsync(handle.get()) != 0 && errno != EINVAL) {
        return tl::unexpected(errno_error("fsync", folder.string(), errno));
    }
    return {};
}

}  // namespace

Status create_folders_durably(const std::filesystem::path& path) {
    std::error_code error;
    if (path.empty() || std::filesystem::is_directory(path, error)) {
        return {};
    }
    const std::filesystem::path own = path.has_filename() ? path : path.parent_path();
    ATOLL_TRY(create_folders_durably(own.parent_path()));
    if (::mkdir(own.c_str(), 0777) != 0 &&
        !(errno == EEXIST && std::filesystem::is_directory(own, error))) {
        return tl::unexpected(errno_error("mkdir", own.string(), errno));
    }
    return sync_folder(own.has_parent_path() ? own.parent_path() : ".");
}

}  // namespace atl
