#pragma once

// What two candidates agree on who would help each other.

constexpr unsigned long long k_mark = 0x5ca1ab1ef005ba11;
constexpr int k_kept = 4096;

/// In the middle of the 2 MiB of device memory around a tensor, which are its buffer's alone. The
/// tensors of this task are shorter than half of it, and lie at one of its ends.
__device__ inline unsigned long long* mark_beside(const void* tensor) {
    constexpr unsigned long long k_page = 2ull << 20;
    const unsigned long long page = reinterpret_cast<unsigned long long>(tensor) & ~(k_page - 1);
    return reinterpret_cast<unsigned long long*>(page + k_page / 2);
}
