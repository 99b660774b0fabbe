#include "reward/gpu/device_clocks.hpp"

#include <array>
#include <filesystem>
#include <utility>

namespace atl {

namespace {

constexpr const char* k_library = "libnvidia-ml.so.1";
constexpr int k_success = 0;

/// nvmlClocksEventReasons (nvml.h): those that hold a clock back against its will.
constexpr std::array<std::pair<unsigned long long, const char*>, 5> k_reasons{{
    {0x4, "power cap"},
    {0x8, "hardware slowdown"},
    {0x20, "thermal slowdown"},
    {0x40, "hardware thermal slowdown"},
    {0x80, "power brake"},
}};

Status check(int result, const char* call) {
    if (result == k_success) {
        return {};
    }
    return failure(ErrorCode::unavailable,
                   std::string(call) + " failed with code " + std::to_string(result), "NVML");
}

}  // namespace

Expected<DeviceClocks> DeviceClocks::open(const std::string& driver, const std::string& bus_id) {
    const std::filesystem::path beside = std::filesystem::path(driver).parent_path() / k_library;
    Expected<SharedLibrary> library = SharedLibrary::open(beside);
    if (!library) {
        library = SharedLibrary::open(k_library);
    }
    ATOLL_TRY(library);
    DeviceClocks clocks(std::move(*library));
    ATOLL_TRY(clocks.load(bus_id));
    return clocks;
}

Status DeviceClocks::load(const std::string& bus_id) {
    int (*init)() = nullptr;
    int (*by_bus)(const char*, Device*) = nullptr;
    ATOLL_TRY(m_library.load("nvmlInit_v2", init));
    ATOLL_TRY(m_library.load("nvmlDeviceGetHandleByPciBusId_v2", by_bus));
    ATOLL_TRY(m_library.load("nvmlDeviceGetClockInfo", m_clock));
    // The older name of nvmlDeviceGetCurrentClocksEventReasons, which drivers still have.
    ATOLL_TRY(m_library.load("nvmlDeviceGetCurrentClocksThrottleReasons", m_reasons));
    ATOLL_TRY(check(init(), "nvmlInit"));
    return check(by_bus(bus_id.c_str(), &m_device), "nvmlDeviceGetHandleByPciBusId");
}

Expected<DeviceClocks::Reading> DeviceClocks::read() const {
    unsigned mhz = 0;
    ATOLL_TRY(check(m_clock(m_device, k_multiprocessors, &mhz), "nvmlDeviceGetClockInfo"));
    Reading reading;
    reading.multiprocessors_mhz = mhz;
    unsigned long long bits = 0;
    // Some devices tell their clock and no reasons.
    if (m_reasons(m_device, &bits) == k_success) {
        for (const auto& [bit, word] : k_reasons) {
            if ((bits & bit) != 0) {
                reading.throttling.emplace_back(word);
            }
        }
    }
    return reading;
}

}  // namespace atl
