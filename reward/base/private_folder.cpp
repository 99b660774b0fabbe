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

/// An open folder that nobody else has locked; empty when it is in use or cannot be opened.
FileHandle lock_folder(const fs::path& path) {
    FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return folder && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0 ? std::move(folder)
                                                                   : FileHandle();
}

/// Removes the folders of processes that were killed.
void sweep_abandoned(const fs::path& parent, const std::string& prefix) {
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().filename().string().starts_with(prefix) && lock_folder(entry->path())) {
            std::error_code ignored;
            fs::remove_all(entry->path(), ignored);
        }
    }
}

/// Another process may have swept the folder between its making and its locking.
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
        // A file system without locks gives none: then nothing there is ever swept either.
        FileHandle lock = lock_folder(pattern);
        if (!is_gone(pattern)) {
            return PrivateFolder(pattern, std::move(lock));
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
