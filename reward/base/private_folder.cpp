#include "reward/base/private_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace atl {

namespace {

namespace fs = std::filesystem;

FileHandle open_folder(const fs::path& path) {
    return FileHandle(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool lock(const FileHandle& folder) {
    return folder && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0;
}

/// Removes the folders of processes that were killed.
void sweep_abandoned(const fs::path& parent, const std::string& prefix) {
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
         entry.increment(error)) {
        if (!entry->path().filename().string().starts_with(prefix)) {
            continue;
        }
        if (const FileHandle folder = open_folder(entry->path()); lock(folder)) {
            std::error_code ignored;
            fs::remove_all(entry->path(), ignored);
        }
    }
}

bool is_gone(const fs::path& path) {
    struct stat about {};
    return ::lstat(path.c_str(), &about) != 0;
}

}  // namespace

Expected<PrivateFolder> PrivateFolder::make(const std::string& prefix) {
    std::error_code code;
    const fs::path base = fs::temp_directory_path(code);
    const fs::path parent = code ? fs::path("/tmp") : base;
    sweep_abandoned(parent, prefix);
    while (true) {
        std::string pattern = (parent / (prefix + "XXXXXX")).string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            return tl::unexpected(errno_error("mkdtemp", pattern, errno));
        }
        // Others may sweep the folder between its making and its locking: they have removed it, or
        // hold its lock and will. A file system without locks gives none; nothing is swept there.
        FileHandle folder = open_folder(pattern);
        const bool being_swept = !lock(folder) && errno == EWOULDBLOCK;
        if (!being_swept && !is_gone(pattern)) {
            return PrivateFolder(pattern, std::move(folder));
        }
    }
}

PrivateFolder::~PrivateFolder() {
    std::error_code ignored;
    if (!m_path.empty()) {
        fs::remove_all(m_path, ignored);
    }
}

}  // namespace atl
