#include "reward/workers/nvrtc_memory.hpp"

#include "reward/base/files.hpp"

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace atl {

namespace {

constexpr std::uintptr_t k_huge = 2u << 20;
/// What a small compilation takes; at most what mallopt() takes for its threshold (32 MiB).
constexpr std::size_t k_malloc_bytes = 28u << 20;
constexpr int k_malloc_threshold = 32 << 20;

std::uintptr_t rounded_up(std::uintptr_t address) {
    return (address + k_huge - 1) / k_huge * k_huge;
}

std::uintptr_t rounded_down(std::uintptr_t address) {
    return address / k_huge * k_huge;
}

bool has_huge_pages() {
    const FileHandle file(
        ::open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC));
    std::array<char, 256> text{};
    const ssize_t got = file ? ::read(file.get(), text.data(), text.size()) : -1;
    return got > 0 &&
           std::string_view(text.data(), static_cast<std::size_t>(got)).find("[never]") ==
               std::string_view::npos;
}

struct Range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
};

struct CodeOf {
    const std::string& path;
    Range code;
};

int find_code(dl_phdr_info* info, std::size_t /*size*/, void* argument) {
    auto& wanted = *static_cast<CodeOf*>(argument);
    if (info->dlpi_name == nullptr || wanted.path != info->dlpi_name) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = info->dlpi_phdr[i];
        if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0 && (part.p_flags & PF_W) == 0) {
            const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
            wanted.code = {rounded_up(begin), rounded_down(begin + part.p_filesz)};
        }
    }
    return 1;
}

void* as_pointer(std::uintptr_t address) {
    return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

void* map_by_kernel(void* address, std::size_t bytes, int protection, int flags, int fd,
                    off_t offset) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    return reinterpret_cast<void*>(
        ::syscall(SYS_mmap, address, bytes, protection, flags, fd, offset));
}

std::atomic<bool> g_keeps_precompiled{false};  // NOLINT: mmap() is told nothing but its arguments
/// Where NVRTC maps precompiled headers; set once, by the process that forks.
std::atomic<std::uintptr_t> g_precompiled{0};  // NOLINT: the same

bool is_in_precompiled(std::uintptr_t address, std::size_t bytes) {
    const std::uintptr_t begin = g_precompiled.load(std::memory_order_relaxed);
    return begin != 0 && address >= begin && bytes <= k_precompiled_heap_bytes &&
           address - begin <= k_precompiled_heap_bytes - bytes;
}

/// Puts into memory that is there what a private mapping of the file would show.
bool read_instead(char* to, std::size_t bytes, int fd, off_t offset) {
    std::size_t done = 0;
    while (done < bytes) {
        const ssize_t got = ::pread(fd, to + done, bytes - done, offset + static_cast<off_t>(done));
        if (got < 0 && errno != EINTR) {
            return false;
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got < 0 ? 0 : got);
    }
    std::memset(to + done, 0, bytes - done);
    return true;
}

}  // namespace

bool move_code_to_huge_pages(const std::string& path) {
    CodeOf wanted{path, {}};
    dl_iterate_phdr(find_code, &wanted);
    const Range code = wanted.code;
    if (code.end <= code.begin || !has_huge_pages()) {
        return false;
    }
    const std::size_t bytes = code.end - code.begin;
    void* const space = map_by_kernel(nullptr, bytes + k_huge, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) {
        return false;
    }
    const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(space);
    void* const copy = as_pointer(rounded_up(begin));
    ::madvise(copy, bytes, MADV_HUGEPAGE);
    std::memcpy(copy, as_pointer(code.begin), bytes);
    const bool moved = ::mprotect(copy, bytes, PROT_READ | PROT_EXEC) == 0 &&
                       ::mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                                as_pointer(code.begin)) == as_pointer(code.begin);
    // What the alignment left over, and all of it where the policy forbids such code.
    ::munmap(space, moved ? rounded_up(begin) - begin : bytes + k_huge);
    if (moved) {
        ::munmap(as_pointer(rounded_up(begin) + bytes), begin + k_huge - rounded_up(begin));
    }
    return moved;
}

void give_malloc_huge_pages() {
    ::mallopt(M_MMAP_THRESHOLD, k_malloc_threshold);
    ::mallopt(M_TRIM_THRESHOLD, 2 * k_malloc_threshold);
    void* const block = std::malloc(k_malloc_bytes);  // NOLINT: its place is what is wanted
    if (block == nullptr) {
        return;
    }
    const std::uintptr_t begin = rounded_up(reinterpret_cast<std::uintptr_t>(block));
    const std::uintptr_t end =
        rounded_down(reinterpret_cast<std::uintptr_t>(block) + k_malloc_bytes);
    ::madvise(as_pointer(begin), end - begin, MADV_HUGEPAGE);
    std::free(block);  // NOLINT: it stays below the threshold for giving memory back
}

void begin_to_keep_precompiled_headers() {
    g_keeps_precompiled.store(true, std::memory_order_relaxed);
}

void* map_memory(void* address, std::size_t bytes, int protection, int flags, int fd,
                 off_t offset) noexcept {
    const bool fixed = (flags & MAP_FIXED) != 0;
    if (fixed && fd >= 0 && (flags & MAP_TYPE) == MAP_PRIVATE &&
        protection == (PROT_READ | PROT_WRITE) &&
        is_in_precompiled(reinterpret_cast<std::uintptr_t>(address), bytes) &&
        read_instead(static_cast<char*>(address), bytes, fd, offset)) {
        return address;
    }
    void* const mapped = map_by_kernel(address, bytes, protection, flags, fd, offset);
    // NVRTC makes it once and anew, in its place, after each compilation.
    if (g_keeps_precompiled.load(std::memory_order_relaxed) && mapped != MAP_FAILED &&
        bytes == k_precompiled_heap_bytes && fd < 0 && protection == (PROT_READ | PROT_WRITE)) {
        g_precompiled.store(reinterpret_cast<std::uintptr_t>(mapped), std::memory_order_relaxed);
        ::madvise(mapped, bytes, MADV_HUGEPAGE);
    }
    return mapped;
}

}  // namespace atl
