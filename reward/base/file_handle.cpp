#include "reward/base/files.hpp"

#include <unistd.h>

namespace atl {

void FileHandle::reset(int fd) {
    if (m_fd >= 0) {
        ::close(m_fd);
    }
    m_fd = fd;
}

}  // namespace atl
