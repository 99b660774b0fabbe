#pragma once

#include "reward/base/files.hpp"
#include "reward/cuda/device_compiler.hpp"
#include "reward/cuda/gpu.hpp"
#include "reward/cuda/toolkit.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

/// Device 0 of this machine and what compiles for it. One for the whole program: starting the
/// driver and the compiler takes seconds. Used on the main thread.
struct RealGpu {
    CudaToolkit toolkit = find_cuda_toolkit();
    std::unique_ptr<DeviceCompiler> compiler;
    std::optional<Gpu> gpu;

    static RealGpu& get() {
        static RealGpu real;
        return real;
    }

    /// Why there is no device to test on; empty when there is.
    [[nodiscard]] std::string missing() const {
        return toolkit.driver ? "" : "libcuda was not found";
    }

    Status open() {
        if (!toolkit.nvrtc || toolkit.include.empty()) {
            return failure(ErrorCode::not_found, "NVRTC or its headers were not found", "CUDA");
        }
        ATOLL_TRY_ASSIGN(const DriverLibrary driver, DriverLibrary::open(toolkit.driver->path));
        // Its worker starts before the driver does: after that a process should not fork.
        DeviceCompilerOptions options;
        options.nvrtc = toolkit.nvrtc->path;
        options.include = toolkit.include;
        options.architecture = "sm_90a";  // of precompiled headers, which no test here needs
        options.required = SandboxLevel::none;
        ATOLL_TRY_ASSIGN(compiler, DeviceCompiler::make(options));
        ATOLL_TRY_ASSIGN(gpu, Gpu::open(driver, 0));
        return {};
    }
};

/// For tests of gpu_tests, whose main() sees to it that there is a GPU.
class GpuTest : public ::testing::Test {
  protected:
    [[nodiscard]] const CudaToolkit& toolkit() const { return RealGpu::get().toolkit; }
    [[nodiscard]] const Gpu& gpu() const { return *RealGpu::get().gpu; }

    /// The machine code of `source` for this device.
    [[nodiscard]] std::string compile(const std::string& source,
                                      std::vector<std::string> flags = {}) const {
        DeviceCompileRequest request;
        request.source = source;
        request.architecture = gpu().limits().arch;
        request.flags = std::move(flags);
        request.timeout_s = 60;
        const DeviceBinary binary = value_or_throw(RealGpu::get().compiler->compile(request));
        if (binary.status != DeviceBinary::Status::ok) {
            throw std::runtime_error(binary.log);
        }
        return value_or_throw(
            read_file("/proc/self/fd/" + std::to_string(binary.cubin->get()), 64u << 20));
    }
};

}  // namespace atl::testing
