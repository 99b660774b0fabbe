#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace atl {

/// Futexes on memory shared between processes.
inline void futex_wake(std::atomic<std::uint32_t>& word) {
    ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

/// Sleeps while the word has this value, at most `timeout` (null: for ever); may wake up early.
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value,
                       const timespec* timeout = nullptr) {
    ::syscall(SYS_futex, &word, FUTEX_WAIT, value, timeout, nullptr, 0);
}

}  // namespace atl
