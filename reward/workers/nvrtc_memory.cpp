#include "reward/workers/nvrtc_memory.hpp"

#include "reward/base/files.hpp"

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace atl {

namespace {

constexpr std::uintptr_t k_page = 4096;
constexpr std::uintptr_t k_huge = 2u << 20;
/// What a small compilation takes; at most what mallopt() takes for its threshold (32 MiB).
constexpr std::size_t k_malloc_bytes = 28u << 20;
constexpr int k_malloc_threshold = 32 << 20;
/// What most compilations fill of it, and of the mapping of precompiled headers. Touching memory
/// that one does not fill costs what it saves others.
constexpr std::size_t k_filled_malloc_bytes = 8u << 20;
constexpr std::size_t k_filled_precompiled_bytes = 8u << 20;

std::uintptr_t rounded_up(std::uintptr_t address) {
    return (address + k_huge - 1) / k_huge * k_huge;
}

std::uintptr_t rounded_down(std::uintptr_t address) {
    return address / k_huge * k_huge;
}

bool look_for_huge_pages() {
    const FileHandle file(
        ::open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC));
    std::array<char, 256> text{};
    const ssize_t got = file ? ::read(file.get(), text.data(), text.size()) : -1;
    return got > 0 &&
           std::string_view(text.data(), static_cast<std::size_t>(got)).find("[never]") ==
               std::string_view::npos;
}

/// Children have it of their parent: a jail does not show that file.
bool has_huge_pages() {
    static const bool known = look_for_huge_pages();
    return known;
}

struct Range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
};

/// A part of a loaded library, whole huge pages of it where it is to be moved.
struct Part {
    Range range;
    int protection = PROT_READ;
};

struct PartsOf {
    const std::string& path;
    std::vector<Part> fixed{};     ///< code and constants
    std::vector<Range> written{};  ///< variables
};

void take_parts(const dl_phdr_info& info, PartsOf& parts) {
    std::uintptr_t relocated_end = 0;  // of what is constant once the library is loaded
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = info.dlpi_phdr[i];
        const std::uintptr_t begin = info.dlpi_addr + part.p_vaddr;
        const Range range{begin, begin + part.p_memsz};
        if (part.p_type == PT_GNU_RELRO) {
            relocated_end = range.end;
            parts.fixed.push_back({range, PROT_READ});
        } else if (part.p_type == PT_LOAD && (part.p_flags & PF_W) != 0) {
            parts.written.push_back(range);
        } else if (part.p_type == PT_LOAD && part.p_offset != 0) {  // 0: tables, read at its load
            parts.fixed.push_back(
                {range, (part.p_flags & PF_X) != 0 ? PROT_READ | PROT_EXEC : PROT_READ});
        }
    }
    for (Range& range : parts.written) {
        range.begin = std::clamp(relocated_end, range.begin, range.end);
    }
}

int find_parts(dl_phdr_info* info, std::size_t /*size*/, void* argument) {
    auto& parts = *static_cast<PartsOf*>(argument);
    if (info->dlpi_name == nullptr || parts.path != info->dlpi_name) {
        return 0;
    }
    take_parts(*info, parts);
    return 1;
}

void* as_pointer(std::uintptr_t address) {
    return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

/// Faults come now, in one call. Nothing happens before Linux 5.14.
void touch(const Range& range) {
    const std::uintptr_t begin = range.begin / k_page * k_page;
    ::madvise(as_pointer(begin), range.end - begin, MADV_POPULATE_WRITE);
}

/// The first of them, those that are filled, now.
void take_huge_pages(const Range& range, std::size_t filled_bytes) {
    const Range whole{rounded_up(range.begin), rounded_down(range.end)};
    ::madvise(as_pointer(whole.begin), whole.end - whole.begin, MADV_HUGEPAGE);
    touch({range.begin, whole.begin + filled_bytes});
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

/// False when it was left where it is.
bool move(const Range& range, int protection) {
    const Range whole{rounded_up(range.begin), rounded_down(range.end)};
    if (whole.end <= whole.begin || !has_huge_pages()) {
        return false;
    }
    const std::size_t bytes = whole.end - whole.begin;
    void* const space = map_by_kernel(nullptr, bytes + k_huge, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) {
        return false;
    }
    const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(space);
    void* const copy = as_pointer(rounded_up(begin));
    ::madvise(copy, bytes, MADV_HUGEPAGE);
    std::memcpy(copy, as_pointer(whole.begin), bytes);
    const bool moved = ::mprotect(copy, bytes, protection) == 0 &&
                       ::mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                                as_pointer(whole.begin)) == as_pointer(whole.begin);
    // What the alignment left over, and all of it where the policy forbids such code.
    ::munmap(space, moved ? rounded_up(begin) - begin : bytes + k_huge);
    if (moved) {
        ::munmap(as_pointer(rounded_up(begin) + bytes), begin + k_huge - rounded_up(begin));
    }
    return moved;
}

}  // namespace

bool move_to_huge_pages(const std::string& path) {
    PartsOf parts{path};
    dl_iterate_phdr(find_parts, &parts);
    bool moved = false;
    for (const Part& part : parts.fixed) {
        moved = move(part.range, part.protection) || moved;
    }
    return moved;
}

void take_own_memory(const std::string& path) {
    PartsOf parts{path};
    dl_iterate_phdr(find_parts, &parts);
    for (const Range& range : parts.written) {
        (void)move(range, PROT_READ | PROT_WRITE);
        touch(range);
    }
    ::mallopt(M_MMAP_THRESHOLD, k_malloc_threshold);
    ::mallopt(M_TRIM_THRESHOLD, 2 * k_malloc_threshold);
    void* const block = std::malloc(k_malloc_bytes);  // NOLINT: its place is what is wanted
    if (block != nullptr) {
        const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(block);
        take_huge_pages({begin, begin + k_malloc_bytes}, k_filled_malloc_bytes);
        std::free(block);  // NOLINT: it stays below the threshold for giving memory back
    }
    if (const std::uintptr_t begin = g_precompiled.load(std::memory_order_relaxed); begin != 0) {
        take_huge_pages({begin, begin + k_precompiled_heap_bytes}, k_filled_precompiled_bytes);
    }
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
