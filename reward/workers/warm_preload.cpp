// A library of its own, preloaded into a compiler: its constructor runs when the compiler's
// libraries are loaded, relocated and initialised, which takes longer than compiling a launcher,
// and waits there. For each order it forks a child that is confined and goes on into the compiler's
// main(), with the command line that it was started with.
//
// It is part of another program, maybe with another C library than ours: no C++ runtime, and only
// functions of libc that have always been there. A child is its grandparent's (CLONE_PARENT), which
// waits for it and kills it as it does its own.

#include "reward/workers/warm_messages.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace {

using atl::k_max_warm_filter;
using atl::k_warm_fd;
using atl::k_warm_handles;

sock_filter g_filter[k_max_warm_filter];  // NOLINT: a constructor's only memory
unsigned short g_filter_length = 0;

bool send_answer(long pid) {
    const atl::WarmAnswer answer{pid};
    return ::send(k_warm_fd, &answer, sizeof(answer), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(sizeof(answer));
}

bool receive_filter() {
    const ssize_t bytes = ::recv(k_warm_fd, g_filter, sizeof(g_filter), 0);
    if (bytes < 0 || bytes % static_cast<ssize_t>(sizeof(sock_filter)) != 0) {
        return false;
    }
    g_filter_length =
        static_cast<unsigned short>(bytes / static_cast<ssize_t>(sizeof(sock_filter)));
    return send_answer(::getpid());
}

/// False at the end of the zygote, or when what it sends is no order.
bool receive_order(atl::WarmOrder& order, int (&handles)[k_warm_handles]) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(handles))];
    iovec data{&order, sizeof(order)};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    ssize_t bytes = -1;
    do {
        bytes = ::recvmsg(k_warm_fd, &message, 0);
    } while (bytes < 0 && errno == EINTR);
    const cmsghdr* const head = CMSG_FIRSTHDR(&message);
    if (bytes != static_cast<ssize_t>(sizeof(order)) || head == nullptr ||
        head->cmsg_len != CMSG_LEN(sizeof(handles))) {
        return false;
    }
    __builtin_memcpy(handles, CMSG_DATA(head), sizeof(handles));
    return true;
}

/// In a child, whose copy of the filter is its own.
void name_own_pid_in_filter() {
    const auto own_pid = static_cast<__u32>(::syscall(SYS_getpid));
    for (unsigned i = 0; i < g_filter_length; ++i) {
        if (BPF_CLASS(g_filter[i].code) == BPF_JMP && g_filter[i].k == atl::k_warm_own_pid) {
            g_filter[i].k = own_pid;
        }
    }
}

bool confine(const atl::WarmOrder& order, const int (&handles)[k_warm_handles]) {
    for (int i = 0; i < k_warm_handles; ++i) {
        if (::dup2(handles[i], i) < 0) {
            return false;
        }
    }
    ::lseek(STDIN_FILENO, 0, SEEK_SET);  // whoever wrote it shares the place with us
    const rlimit cpu{order.cpu_seconds, order.cpu_seconds + 1};
    if (::syscall(SYS_close_range, 3U, ~0U, 0U) != 0 || ::setrlimit(RLIMIT_CPU, &cpu) != 0 ||
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return false;
    }
    name_own_pid_in_filter();
    const sock_fprog filter{g_filter_length, g_filter};
    return g_filter_length == 0 || ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

[[gnu::constructor]] void serve() {
    if (!receive_filter()) {
        ::_exit(atl::k_warm_not_confined);
    }
    while (true) {
        atl::WarmOrder order;
        int handles[k_warm_handles];
        if (!receive_order(order, handles)) {
            ::_exit(0);
        }
        // Not fork(): it has no such child. What libc does besides is for programs with threads.
        const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) {
            if (!confine(order, handles)) {
                ::_exit(atl::k_warm_not_confined);
            }
            return;  // to main()
        }
        const long answer = pid < 0 ? -static_cast<long>(errno) : pid;
        for (const int handle : handles) {
            ::close(handle);
        }
        if (!send_answer(answer)) {
            ::_exit(0);
        }
    }
}

}  // namespace
