#include "tools/atoll/process_setup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace atl {

namespace {

// The first file that is opened would get the number of a closed one, and hold what is printed.
// What is printed there is lost, which must not look like success: they cannot be written to.
void open_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) {
            // Gets the lowest number free: fd.
            static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
        }
    }
}

}  // namespace

void prepare_process() {
    open_standard_descriptors();
    // Whoever started us may have ignored it; then nobody could be waited for.
    std::signal(SIGCHLD, SIG_DFL);
    // A file that may not grow (ulimit -f) is an error like a full disk, and says so.
    std::signal(SIGXFSZ, SIG_IGN);
}

void ignore_broken_pipes() {
    std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace atl
