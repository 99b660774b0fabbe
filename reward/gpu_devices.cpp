#include "reward/gpu_devices.hpp"

#include "reward/cuda/front_end.hpp"
#include "reward/device_facts.hpp"
#include "reward/gpu/device_probe.hpp"
#include "reward/gpu/gpu_peaks.hpp"
#include "reward/gpu/support_kernels.hpp"
#include "reward/gpu_lane.hpp"

#include <filesystem>
#include <utility>

namespace atl {

namespace {

std::vector<int> gpus_of(const LocalEvaluatorOptions& options) {
    return options.gpus.empty() ? std::vector<int>{0} : options.gpus;
}

/// Of the devices, which must be alike: what is compiled and checked for one is run on all.
Expected<DeviceLimits> probe_all(const std::vector<int>& gpus, const std::string& driver,
                                 const std::string& worker_program) {
    ATOLL_TRY_ASSIGN(DeviceLimits first, probe_gpu(driver, gpus.front(), worker_program));
    for (const int gpu : gpus) {
        ATOLL_TRY_ASSIGN(const DeviceLimits other, probe_gpu(driver, gpu, worker_program));
        if (other.name != first.name || other.multiprocessors != first.multiprocessors) {
            return failure(ErrorCode::invalid_argument,
                           "GPU " + std::to_string(gpu) + " is another model (" + other.name +
                               ") than GPU " + std::to_string(gpus.front()) + " (" + first.name +
                               ")",
                           "devices", "name GPUs of one model");
        }
    }
    return first;
}

Expected<std::unique_ptr<CudaFrontEnd>> make_front_end(const LocalEvaluatorOptions& options,
                                                       const CudaToolkit& toolkit,
                                                       const DeviceLimits& device,
                                                       const std::vector<int>& cores,
                                                       const std::string& worker_program) {
    ATOLL_TRY_ASSIGN(const SandboxLevel required, sandbox_level_from(options.required_sandbox));
    FrontEndOptions front_end;
    front_end.device_compiler.cores = front_end.recorder.cores = cores;
    front_end.device = device;
    front_end.device_compiler.nvrtc = toolkit.nvrtc->path;
    front_end.device_compiler.include = toolkit.include;
    front_end.device_compiler.cutlass = toolkit.cutlass;
    front_end.device_compiler.cutlass_version = toolkit.cutlass_version;
    front_end.device_compiler.jit_link = toolkit.jit_link ? toolkit.jit_link->path : "";
    constexpr std::pair k_tells_parameters{12, 4};
    front_end.takes_cubins =
        !toolkit.driver ||
        std::pair(toolkit.driver->major, toolkit.driver->minor) >= k_tells_parameters;
    front_end.device_compiler.architecture = device.arch;
    front_end.device_compiler.required = required;
    front_end.device_compiler.worker_program = worker_program;
    if (!options.cache_folder.empty()) {
        front_end.device_compiler.cache_folder =
            (std::filesystem::path(options.cache_folder) / "cubins").string();
    }
    front_end.recorder.required = required;
    front_end.recorder.worker_program = worker_program;
    return CudaFrontEnd::make(std::move(front_end));
}

Expected<std::shared_ptr<const FileHandle>> compile_support(CudaFrontEnd& front_end) {
    DeviceCompileRequest request;
    request.source = support_kernel_source();
    request.flags = support_kernel_flags();
    request.architecture = front_end.device().arch;
    request.timeout_s = 120;
    ATOLL_TRY_ASSIGN(const DeviceBinary binary, front_end.device_compiler().compile(request));
    if (binary.status != DeviceBinary::Status::ok) {
        return failure(ErrorCode::internal,
                       "Atoll's own kernels do not compile: " + binary.log.substr(0, 500),
                       front_end.toolchain());
    }
    return binary.cubin;
}

}  // namespace

CudaToolkit find_toolkit(const LocalEvaluatorOptions& options) {
    CudaPlaces places = usual_cuda_places();
    if (!options.cutlass.empty()) {
        places.cutlass = options.cutlass;
    }
    return find_cuda_toolkit(places);
}

Status check_gpu_parts(const CudaToolkit& toolkit) {
    const auto missing = [&](const std::string& what) -> Status {
        std::string hint = toolkit.problems.empty() ? "" : toolkit.problems.front();
        return failure(ErrorCode::unavailable, what, "kind cuda",
                       hint.empty() ? "run: atoll doctor" : hint);
    };
    if (!toolkit.driver) {
        return missing("there is no NVIDIA driver (libcuda.so.1)");
    }
    if (!toolkit.nvrtc) {
        return missing("there is no NVRTC");
    }
    if (toolkit.include.empty()) {
        return missing("there are no CUDA headers");
    }
    if (toolkit.cutlass.empty() && toolkit.cutlass_wanted) {
        return missing("there is no CUTLASS where it should be");
    }
    return find_recorder_compiler().map([](const std::string&) {});
}

Expected<std::unique_ptr<CudaFrontEnd>> make_gpu_front_end(const LocalEvaluatorOptions& options,
                                                           const CudaToolkit& toolkit,
                                                           const std::string& worker_program) {
    ATOLL_TRY(check_gpu_parts(toolkit));
    ATOLL_TRY_ASSIGN(const DeviceLimits device,
                     probe_gpu(toolkit.driver->path, gpus_of(options).front(), worker_program));
    return make_front_end(options, toolkit, device, {}, worker_program);
}

Status add_gpus(const LocalEvaluatorOptions& options, const CudaToolkit& toolkit,
                const CpuLayout& layout, EvaluatorParts& parts, const std::string& worker_program) {
    ATOLL_TRY(check_gpu_parts(toolkit));
    ATOLL_TRY_ASSIGN(const SandboxLevel required, sandbox_level_from(options.required_sandbox));
    ATOLL_TRY_ASSIGN(const SandboxLevel level,
                     choose_sandbox_level(probe_sandbox(), required, SandboxLevel::full));
    const std::vector<int> gpus = gpus_of(options);
    ATOLL_TRY_ASSIGN(const DeviceLimits device,
                     probe_all(gpus, toolkit.driver->path, worker_program));
    parts.device_facts = std::make_shared<DeviceFacts>(DeviceFacts{"", {}, device});
    const bool reserved = !layout.devices.empty();
    ATOLL_TRY_ASSIGN(std::unique_ptr<CudaFrontEnd> front_end,
                     make_front_end(options, toolkit, device,
                                    reserved ? layout.host : std::vector<int>(), worker_program));
    ATOLL_TRY_ASSIGN(const auto support, compile_support(*front_end));
    parts.compiler = std::make_unique<CompileService>(std::move(front_end));
    for (std::size_t i = 0; i < gpus.size(); ++i) {
        GpuLaneOptions lane;
        lane.gpu = gpus[i];
        lane.cores = reserved ? layout.devices[i] : std::vector<int>();
        lane.driver = toolkit.driver->path;
        lane.cupti = toolkit.cupti ? toolkit.cupti->path : "";
        lane.limits = device;
        lane.peaks = gpu_peaks_of(device);
        lane.support = support;
        lane.worker_program = worker_program;
        parts.lanes.push_back(make_gpu_lane(std::move(lane)));
    }
    parts.sandbox = std::string(to_string(level));
    return {};
}

}  // namespace atl
