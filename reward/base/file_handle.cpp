#include "reward/base/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace atl {

void FileHandle::reset(int fd) {
    if (m_fd >= 0) {
        ::close(m_fd);
    }
    m_fd = fd;
}

Expected<FileHandle> duplicate_handle(int fd) {
    FileHandle copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!copy) {
        return tl::unexpected(errno_error("fcntl(F_DUPFD_CLOEXEC)", "a file handle", errno));
    }
    return copy;
}

Expected<FileHandle> duplicate_handle(const FileHandle& file) {
    return duplicate_handle(file.get());
}

}  // namespace atl
