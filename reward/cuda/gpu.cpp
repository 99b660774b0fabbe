#include "reward/cuda/gpu.hpp"

#include <fmt/format.h>

#include <array>

namespace atl {

namespace {

constexpr int k_minimum_granularity = 0;
constexpr unsigned k_non_blocking = 1;  ///< CU_STREAM_NON_BLOCKING

std::string architecture_of(int major, int minor) {
    // From 9.0 on there is a variant with the instructions of that one architecture.
    return fmt::format("sm_{}{}{}", major, minor, major >= 9 ? "a" : "");
}

}  // namespace

void Gpu::ReleaseContext::operator()(const cuda::Device* device) const {
    release(*device);
    delete device;
}

Expected<Gpu> Gpu::open(const DriverLibrary& driver, int ordinal) {
    ATOLL_TRY(driver.check(driver.call().init(0), "cuInit"));
    int count = 0;
    ATOLL_TRY(driver.check(driver.call().device_get_count(&count), "cuDeviceGetCount"));
    if (ordinal < 0 || ordinal >= count) {
        return failure(ErrorCode::not_found, fmt::format("there is no device {}", ordinal), "CUDA",
                       fmt::format("the driver shows {} of them", count));
    }
    Gpu gpu(driver, ordinal);
    ATOLL_TRY(gpu.retain_context());
    ATOLL_TRY(gpu.read_limits());
    const cuda::AllocationProperties properties = gpu.allocation_properties();
    ATOLL_TRY(driver.check(
        driver.call().mem_granularity(&gpu.m_granularity, &properties, k_minimum_granularity),
        "cuMemGetAllocationGranularity"));
    return gpu;
}

Status Gpu::retain_context() {
    cuda::Device device = 0;
    ATOLL_TRY(m_driver.check(call().device_get(&device, m_ordinal), "cuDeviceGet"));
    ATOLL_TRY(m_driver.check(call().primary_context_retain(&m_context, device),
                             "cuDevicePrimaryCtxRetain"));
    m_device = {new cuda::Device(device), ReleaseContext{call().primary_context_release}};
    return m_driver.check(call().context_set_current(m_context), "cuCtxSetCurrent");
}

Status Gpu::read_limits() {
    const auto read = [this](cuda::DeviceAttribute attribute, auto& field) -> Status {
        int value = 0;
        ATOLL_TRY(m_driver.check(call().device_get_attribute(&value, attribute, *m_device),
                                 "cuDeviceGetAttribute"));
        field = static_cast<std::remove_reference_t<decltype(field)>>(value);
        return {};
    };
    int major = 0;
    int minor = 0;
    ATOLL_TRY(read(cuda::k_major, major));
    ATOLL_TRY(read(cuda::k_minor, minor));
    const std::string architecture = architecture_of(major, minor);
    m_limits = device_limits_of(architecture).value_or(DeviceLimits{});
    m_limits.arch = architecture;
    m_limits.major = major;
    m_limits.minor = minor;
    std::array<char, 256> name{};
    ATOLL_TRY(m_driver.check(
        call().device_get_name(name.data(), static_cast<int>(name.size()) - 1, *m_device),
        "cuDeviceGetName"));
    m_limits.name = name.data();
    std::size_t bytes = 0;
    ATOLL_TRY(m_driver.check(call().device_total_mem(&bytes, *m_device), "cuDeviceTotalMem"));
    m_limits.memory_bytes = bytes;
    ATOLL_TRY(read(cuda::k_multiprocessors, m_limits.multiprocessors));
    ATOLL_TRY(read(cuda::k_l2_bytes, m_limits.l2_bytes));
    ATOLL_TRY(read(cuda::k_threads_per_multiprocessor, m_limits.threads_per_multiprocessor));
    ATOLL_TRY(read(cuda::k_blocks_per_multiprocessor, m_limits.blocks_per_multiprocessor));
    ATOLL_TRY(read(cuda::k_registers_per_multiprocessor, m_limits.registers_per_multiprocessor));
    ATOLL_TRY(read(cuda::k_shared_per_block, m_limits.shared_per_block));
    ATOLL_TRY(read(cuda::k_shared_per_block_optin, m_limits.shared_per_block_optin));
    ATOLL_TRY(read(cuda::k_shared_reserved_per_block, m_limits.shared_reserved_per_block));
    return read(cuda::k_shared_per_multiprocessor, m_limits.shared_per_multiprocessor);
}

Expected<std::string> Gpu::bus_id() const {
    std::array<int, 3> parts{};
    constexpr std::array k_parts{cuda::k_pci_domain, cuda::k_pci_bus, cuda::k_pci_device};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        ATOLL_TRY(m_driver.check(call().device_get_attribute(&parts[i], k_parts[i], *m_device),
                                 "cuDeviceGetAttribute"));
    }
    return fmt::format("{:08x}:{:02x}:{:02x}.0", parts[0], parts[1], parts[2]);
}

cuda::AllocationProperties Gpu::allocation_properties() const {
    cuda::AllocationProperties properties;
    properties.location.id = m_ordinal;
    return properties;
}

Expected<GpuStream> GpuStream::create(const Gpu& gpu) {
    cuda::Stream stream = nullptr;
    ATOLL_TRY(
        gpu.driver().check(gpu.call().stream_create(&stream, k_non_blocking), "cuStreamCreate"));
    return GpuStream(Owned(stream, Destroy{gpu.call().stream_destroy}));
}

}  // namespace atl
