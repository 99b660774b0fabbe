#include "reward/workers/nvrtc_process.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

namespace atl {

Expected<std::unique_ptr<NvrtcProcess>> NvrtcProcess::fork(NvrtcPlan plan) {
    std::string own_folder;
    if (plan.level != SandboxLevel::full) {
        if (::mkdir(plan.work_folder.c_str(), 0700) != 0) {
            return tl::unexpected(errno_error("mkdir", plan.work_folder, errno));
        }
        own_folder = plan.work_folder;
    }
    ATOLL_TRY_ASSIGN(auto ends, make_socket_pair());
    std::unique_ptr<NvrtcProcess> process(
        new NvrtcProcess(FrameChannel(std::move(ends.first)), std::move(own_folder)));
    plan.orders = std::move(ends.second);
    process->m_pid = ::fork();
    if (process->m_pid < 0) {
        return tl::unexpected(errno_error("fork", "NVRTC", errno));
    }
    if (process->m_pid == 0) {
        compile_device_code(plan);
    }
    ATOLL_TRY_ASSIGN(process->m_pidfd, open_pidfd(process->m_pid));
    return process;
}

NvrtcProcess::~NvrtcProcess() {
    kill();
    (void)reap();
    if (!m_own_folder.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(m_own_folder, ignored);
    }
}

Status NvrtcProcess::give(const Frame& order) {
    return m_orders.send(order);
}

void NvrtcProcess::kill() const {
    if (m_pid > 0) {
        ::kill(m_pid, SIGKILL);
    }
}

double NvrtcProcess::cpu_seconds() const {
    clockid_t clock{};
    timespec time{};
    const bool known = m_pid > 0 && ::clock_getcpuclockid(m_pid, &clock) == 0 &&
                       ::clock_gettime(clock, &time) == 0;
    return known ? static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec) : 0;
}

ProcessEnd NvrtcProcess::reap() {
    int status = 0;
    while (m_pid > 0 && ::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
    }
    m_pid = -1;
    return decode_wait_status(status);
}

void NvrtcWords::listen() {
    char byte = 0;
    ssize_t got = 0;
    while (!over() && (got = ::read(m_pipe.get(), &byte, 1)) != -1) {
        const auto word = static_cast<NvrtcWord>(byte);
        m_silent = got == 0;
        if (got == 1 && word == NvrtcWord::confined && !m_confined) {
            m_confined = true;
        } else if (got == 1) {
            m_last = word;
        }
    }
}

}  // namespace atl
