#include "reward/base/sandbox.hpp"
#include "reward/compiler.hpp"
#include "reward/compiler_discovery.hpp"
#include "reward/cpu_lane.hpp"
#include "reward/cpu_layout.hpp"
#include "reward/cuda/toolkit.hpp"
#include "reward/device_facts.hpp"
#include "reward/device_peaks.hpp"
#include "reward/evaluator.hpp"
#include "reward/gpu_devices.hpp"
#include "reward/local_evaluator.hpp"
#include "reward/peaks_file.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

/// Each has processes of its own, and more of them would not keep a GPU busier.
constexpr int k_most_gpu_compilers = 16;

/// A task whose own program judges needs no device: then every core may compile or judge.
Expected<GpuCores> layout_for(const LocalEvaluatorOptions& options,
                              const std::vector<int>& allowed) {
    if (options.needs_device && !is_gpu_kind(options.kind)) {
        ATOLL_TRY_ASSIGN(CpuLayout layout,
                         lay_out_cores(allowed, options.devices, options.device_cores));
        return GpuCores{std::move(layout), {}};
    }
    return claim_gpu_cores(
        allowed, options.needs_device ? std::max<std::size_t>(options.gpus.size(), 1) : 0);
}

/// What compiles and runs candidates: the compiler's process and a lane for each device.
Status add_devices(const LocalEvaluatorOptions& options, const CpuLayout& layout,
                   std::size_t all_cores, EvaluatorParts& parts) {
    ATOLL_TRY_ASSIGN(const SandboxLevel required, sandbox_level_from(options.required_sandbox));
    ATOLL_TRY_ASSIGN(const SandboxLevel level,
                     choose_sandbox_level(probe_sandbox(), required, SandboxLevel::full));
    CompilerOptions compiler_options;
    compiler_options.compiler = options.compiler;
    compiler_options.required = required;
    compiler_options.cores = layout.host;
    ATOLL_TRY_ASSIGN(std::unique_ptr<Compiler> compiler, make_jailed_compiler(compiler_options));
    parts.compiler = std::make_unique<CompileService>(std::move(compiler));
    const std::string model = cpu_model();
    ATOLL_TRY_ASSIGN(const DevicePeaks measured,
                     measure_device_peaks(layout.devices.front().front()));
    const DevicePeaks peaks = highest_peaks(measured, model, options.peaks_files);
    parts.device_facts = std::make_shared<DeviceFacts>(DeviceFacts{model, peaks, {}});
    for (const std::vector<int>& cores : layout.devices) {
        CpuLaneOptions lane;
        lane.cores = cores;
        lane.model = model;
        lane.all_cores = all_cores;
        lane.required = required;
        lane.peaks = peaks;
        parts.lanes.push_back(make_cpu_lane(std::move(lane)));
    }
    parts.shared_cores = layout.shared;
    parts.sandbox = std::string(to_string(level));
    return {};
}

}  // namespace

bool task_needs_device(const Task& task) {
    const CandidateKind* kind = find_kind(task.kind);
    return kind == nullptr || kind->needs_device();
}

LocalEvaluatorOptions options_for(const Task& task, LocalEvaluatorOptions options) {
    options.kind = task.kind;
    options.needs_device = task_needs_device(task);
    return options;
}

Status check_local_evaluator(const LocalEvaluatorOptions& options) {
    ATOLL_TRY(layout_for(options, allowed_cores()));
    if (!options.needs_device) {
        return {};
    }
    ATOLL_TRY_ASSIGN(const SandboxLevel required, sandbox_level_from(options.required_sandbox));
    ATOLL_TRY(choose_sandbox_level(probe_sandbox(), required, SandboxLevel::full));
    if (is_gpu_kind(options.kind)) {
        return check_gpu_parts(find_toolkit(options));
    }
    return find_compiler(options.compiler).map([](const FoundCompiler&) {});
}

Expected<std::unique_ptr<Evaluator>> make_local_evaluator(const LocalEvaluatorOptions& options) {
    ATOLL_TRY(VerdictCache(options.cache_folder).try_folder());
    const std::vector<int> allowed = allowed_cores();
    ATOLL_TRY_ASSIGN(GpuCores cores, layout_for(options, allowed));
    const CpuLayout& layout = cores.layout;
    EvaluatorParts parts;
    parts.core_claims = std::move(cores.claims);
    parts.compile_workers = std::max<int>(1, static_cast<int>(layout.host.size()));
    if (!options.needs_device) {
        parts.compiler = std::make_unique<CompileService>(make_no_compiler());
    } else if (is_gpu_kind(options.kind)) {
        ATOLL_TRY(add_gpus(options, find_toolkit(options), layout, parts));
        parts.compile_workers = std::min(static_cast<int>(allowed.size()), k_most_gpu_compilers);
    } else {
        ATOLL_TRY(add_devices(options, layout, allowed.size(), parts));
    }
    if (options.compile_workers > 0) {
        parts.compile_workers = options.compile_workers;
    }
    parts.host_cores = layout.host;
    parts.limits = options.limits;
    parts.cache_folder = options.cache_folder;
    parts.on_cache_trouble = options.on_cache_trouble;
    return std::unique_ptr<Evaluator>(std::make_unique<LocalEvaluator>(std::move(parts)));
}

}  // namespace atl
