#pragma once

#include <linux/futex.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/// For attacks on the page through which a candidate's process is told what to launch: its layout
/// as in reward/workers/run_control.hpp, and how to find it.
struct ControlPage {
    volatile uint32_t command;
    volatile uint32_t reply;
    volatile uint32_t state;
    volatile uint32_t launch;
    volatile uint32_t refused_call;
    volatile uint64_t given_bytes;
};

[[maybe_unused]] static void wake(volatile uint32_t& word) {
    syscall(SYS_futex, &word, FUTEX_WAKE, 1000, nullptr, nullptr, 0);
}

/// The frames of the callers hold its address: every word on the stack that points to a page is
/// looked at. During a launch one command is unanswered. Null when it is not found.
[[maybe_unused]] static ControlPage* find_control_page() {
    const auto* words = static_cast<const uintptr_t*>(__builtin_frame_address(0));
    const auto is_mapped = [](uintptr_t page) {
        return madvise(reinterpret_cast<void*>(page), 4096, MADV_POPULATE_READ) == 0;
    };
    for (int i = 0; i < 4096; ++i) {
        const auto at = reinterpret_cast<uintptr_t>(words + i);
        if ((i == 0 || at % 4096 == 0) && !is_mapped(at & ~4095UL)) {
            break;
        }
        if (words[i] < 4096 || words[i] % 4096 != 0 || !is_mapped(words[i])) {
            continue;
        }
        auto* found = reinterpret_cast<ControlPage*>(words[i]);
        if (found->state == 1 && found->command != 0 && found->command - found->reply == 1 &&
            found->launch < 100'000) {
            return found;
        }
    }
    return nullptr;
}
