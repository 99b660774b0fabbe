#pragma once

#include "reward/cuda/device_limits.hpp"
#include "reward/cuda/driver_library.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace atl {

/// One device with its primary context, which is current on the thread that opened it; all else
/// that belongs to the device is made and used on that thread. What is made from it refers to it:
/// it must stay where it is, and live longer.
class Gpu {
  public:
    /// Starts the driver in this process (0.2 s in the first one of a machine, measured on an H200;
    /// after it the process must not fork). not_found when there is no such device.
    [[nodiscard]] static Expected<Gpu> open(const DriverLibrary& driver, int ordinal);
    Gpu(Gpu&&) = default;
    Gpu& operator=(Gpu&&) = default;

    [[nodiscard]] const DriverLibrary& driver() const { return m_driver; }
    [[nodiscard]] const DriverLibrary::Functions& call() const { return m_driver.call(); }
    /// By the driver's word; where it has none, those of the architecture.
    [[nodiscard]] const DeviceLimits& limits() const { return m_limits; }
    [[nodiscard]] int ordinal() const { return m_ordinal; }
    [[nodiscard]] cuda::Context context() const { return m_context; }
    /// Where it is on the machine's buses, e.g. "00000000:1b:00.0".
    [[nodiscard]] Expected<std::string> bus_id() const;
    /// What memory that can be shared is counted in (2 MiB on an H200), bytes.
    [[nodiscard]] std::size_t granularity() const { return m_granularity; }
    /// For memory on this device that another process may import.
    [[nodiscard]] cuda::AllocationProperties allocation_properties() const;

  private:
    struct ReleaseContext {
        cuda::Result (*release)(cuda::Device);
        void operator()(const cuda::Device* device) const;
    };

    Gpu(DriverLibrary driver, int ordinal) : m_driver(std::move(driver)), m_ordinal(ordinal) {}
    [[nodiscard]] Status retain_context();
    [[nodiscard]] Status read_limits();

    DriverLibrary m_driver;
    int m_ordinal;
    cuda::Context m_context = nullptr;
    std::unique_ptr<const cuda::Device, ReleaseContext> m_device;
    DeviceLimits m_limits;
    std::size_t m_granularity = 0;
};

/// A stream of its own, which waits for no other. Movable.
class GpuStream {
  public:
    [[nodiscard]] static Expected<GpuStream> create(const Gpu& gpu);
    [[nodiscard]] cuda::Stream handle() const { return m_stream.get(); }

  private:
    struct Destroy {
        cuda::Result (*destroy)(cuda::Stream);
        void operator()(cuda::Stream stream) const { destroy(stream); }
    };
    using Owned = std::unique_ptr<std::remove_pointer_t<cuda::Stream>, Destroy>;

    explicit GpuStream(Owned stream) : m_stream(std::move(stream)) {}

    Owned m_stream;
};

}  // namespace atl
