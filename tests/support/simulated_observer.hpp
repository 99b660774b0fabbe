#pragma once

#include <cstdint>

/// What the simulated driver tells a simulated CUPTI about work of the device.
namespace atl::cuda::simulated {

struct Observer {
    /// Something is queued now, by this thread: the number of that call.
    std::uint32_t (*called)();
    /// It was done; `kind` is that of CUpti_ActivityKind, times are ns.
    void (*done)(int kind, const char* name, std::uint32_t call, std::uint64_t start,
                 std::uint64_t end);
};

}  // namespace atl::cuda::simulated

/// In the driver; it calls `observer`, which must stay, from then on.
extern "C" void simulatedObserve(const atl::cuda::simulated::Observer* observer);
