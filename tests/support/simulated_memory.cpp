// The memory of the simulated driver's device: anonymous files and pages of this process.

#include "reward/cuda/driver_types.hpp"
#include "tests/support/simulated_calls.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

using namespace atl::cuda;             // NOLINT: what this file implements
using namespace atl::cuda::simulated;  // NOLINT

// Of tests/support/simulated_driver.cpp.
extern "C" Result cuStreamSynchronize(Stream stream);

namespace {

constexpr std::size_t k_granularity = 2u << 20;

struct SharedMemory {
    int descriptor = -1;
    std::size_t bytes = 0;
};

std::mutex g_mutex;
std::map<AllocationHandle, SharedMemory> g_shared;
std::map<Address, std::pair<void*, std::size_t>> g_reserved;  ///< what was mapped for it
std::map<Address, std::size_t> g_allocated;
AllocationHandle g_next_handle = 1;

void* as_pointer(Address address) {
    return reinterpret_cast<void*>(address);  // NOLINT: device memory is ours here
}

}  // namespace

extern "C" {

Result cuMemAlloc_v2(Address* address, std::size_t bytes) {
    if (const Result result = state(); result != k_success) {
        return result;
    }
    if (bytes > std::size_t{141} << 30 || is_told("full")) {
        return k_out_of_memory;
    }
    void* const memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return k_out_of_memory;
    }
    const std::lock_guard lock(g_mutex);
    *address = reinterpret_cast<Address>(memory);
    g_allocated[*address] = bytes;
    return k_success;
}

Result cuMemFree_v2(Address address) {
    const std::lock_guard lock(g_mutex);
    const auto found = g_allocated.find(address);
    if (found == g_allocated.end()) {
        return k_invalid_value;
    }
    munmap(as_pointer(address), found->second);
    g_allocated.erase(found);
    return k_success;
}

Result cuMemsetD8Async(Address to, unsigned char value, std::size_t bytes, Stream stream) {
    return queue(stream, k_memset, "", [=] {
        std::memset(as_pointer(to), value, bytes);
        return k_success;
    });
}

Result cuMemcpyDtoDAsync_v2(Address to, Address from, std::size_t bytes, Stream stream) {
    return queue(stream, k_memcpy, "", [=] {
        std::memmove(as_pointer(to), as_pointer(from), bytes);
        return k_success;
    });
}

Result cuMemcpyHtoDAsync_v2(Address to, const void* from, std::size_t bytes, Stream stream) {
    const auto* const begin = static_cast<const unsigned char*>(from);
    return queue(stream, k_memcpy, "",
                 [to, copy = std::vector<unsigned char>(begin, begin + bytes)] {
                     std::memcpy(as_pointer(to), copy.data(), copy.size());
                     return k_success;
                 });
}

Result cuMemcpyDtoHAsync_v2(void* to, Address from, std::size_t bytes, Stream stream) {
    const Result result = queue(stream, [=] {
        std::memcpy(to, as_pointer(from), bytes);
        return k_success;
    });
    return result == k_success ? cuStreamSynchronize(stream) : result;
}

Result cuMemGetAllocationGranularity(std::size_t* bytes, const AllocationProperties*, int) {
    *bytes = k_granularity;
    return k_success;
}

Result cuMemCreate(AllocationHandle* handle, std::size_t bytes, const AllocationProperties*,
                   unsigned long long) {
    if (const Result result = state(); result != k_success) {
        return result;
    }
    if (bytes % k_granularity != 0) {
        return k_invalid_value;
    }
    if (is_told("crowded")) {
        return k_out_of_memory;
    }
    const int file = memfd_create("device memory", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, static_cast<off_t>(bytes)) != 0) {
        return k_out_of_memory;
    }
    const std::lock_guard lock(g_mutex);
    *handle = g_next_handle++;
    g_shared[*handle] = {file, bytes};
    return k_success;
}

Result cuMemRelease(AllocationHandle handle) {
    const std::lock_guard lock(g_mutex);
    const auto found = g_shared.find(handle);
    if (found == g_shared.end()) {
        return k_invalid_value;
    }
    close(found->second.descriptor);
    g_shared.erase(found);
    return k_success;
}

Result cuMemExportToShareableHandle(void* shareable, AllocationHandle handle, int,
                                    unsigned long long) {
    const std::lock_guard lock(g_mutex);
    const auto found = g_shared.find(handle);
    if (found == g_shared.end()) {
        return k_invalid_value;
    }
    const int copy = dup(found->second.descriptor);
    std::memcpy(shareable, &copy, sizeof(copy));
    return copy < 0 ? k_out_of_memory : k_success;
}

Result cuMemImportFromShareableHandle(AllocationHandle* handle, void* shareable, int) {
    const int copy = dup(static_cast<int>(reinterpret_cast<std::intptr_t>(shareable)));
    struct stat about {};
    if (copy < 0 || fstat(copy, &about) != 0) {
        return k_invalid_value;
    }
    const std::lock_guard lock(g_mutex);
    *handle = g_next_handle++;
    g_shared[*handle] = {copy, static_cast<std::size_t>(about.st_size)};
    return state();
}

Result cuMemAddressReserve(Address* address, std::size_t bytes, std::size_t alignment, Address,
                           unsigned long long) {
    const std::size_t unit = std::max(alignment, k_granularity);
    void* const memory =
        mmap(nullptr, bytes + unit, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return k_out_of_memory;
    }
    const std::lock_guard lock(g_mutex);
    *address = (reinterpret_cast<Address>(memory) + unit - 1) / unit * unit;
    g_reserved[*address] = {memory, bytes + unit};
    return state();
}

Result cuMemAddressFree(Address address, std::size_t) {
    const std::lock_guard lock(g_mutex);
    const auto found = g_reserved.find(address);
    if (found == g_reserved.end()) {
        return k_invalid_value;
    }
    munmap(found->second.first, found->second.second);
    g_reserved.erase(found);
    return k_success;
}

Result cuMemMap(Address address, std::size_t bytes, std::size_t offset, AllocationHandle handle,
                unsigned long long) {
    const std::lock_guard lock(g_mutex);
    const auto found = g_shared.find(handle);
    if (found == g_shared.end() || offset + bytes > found->second.bytes) {
        return k_invalid_value;
    }
    void* const mapped = mmap(as_pointer(address), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED,
                              found->second.descriptor, static_cast<off_t>(offset));
    return mapped == MAP_FAILED ? k_out_of_memory : state();
}

Result cuMemUnmap(Address address, std::size_t bytes) {
    void* const unmapped = mmap(as_pointer(address), bytes, PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return unmapped == MAP_FAILED ? k_invalid_value : k_success;
}

Result cuMemSetAccess(Address address, std::size_t bytes, const AccessDescription* access,
                      std::size_t) {
    const int protection = access->access == Access::read_write ? PROT_READ | PROT_WRITE
                           : access->access == Access::read     ? PROT_READ
                                                                : PROT_NONE;
    return mprotect(as_pointer(address), bytes, protection) == 0 ? state() : k_invalid_value;
}

}  // extern "C"
