#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/shared_library.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// What NVML (NVIDIA's management library, in the driver since 2012) tells of a device's clocks.
/// Read between launches, never during them. Not thread-safe.
class DeviceClocks {
  public:
    struct Reading {
        double multiprocessors_mhz = 0;
        /// Why the clock is held back now: "power cap", "thermal slowdown" ...; of an idle device,
        /// and of one whose clock was set by hand, nothing.
        std::vector<std::string> throttling;
    };

    /// `driver`: path of libcuda, in whose folder NVML is looked for first; `bus_id`: as
    /// Gpu::bus_id() says. not_found where there is no NVML.
    [[nodiscard]] static Expected<DeviceClocks> open(const std::string& driver,
                                                     const std::string& bus_id);
    [[nodiscard]] Expected<Reading> read() const;

  private:
    using Device = void*;
    static constexpr int k_multiprocessors = 1;  ///< nvmlClockType_t, NVML_CLOCK_SM

    explicit DeviceClocks(SharedLibrary library) : m_library(std::move(library)) {}
    [[nodiscard]] Status load(const std::string& bus_id);

    SharedLibrary m_library;
    Device m_device = nullptr;
    int (*m_clock)(Device, int kind, unsigned* mhz) = nullptr;
    int (*m_reasons)(Device, unsigned long long* bits) = nullptr;
};

}  // namespace atl
