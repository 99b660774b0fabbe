#include "reward/kinds/cuda_program.hpp"

#include "reward/base/words.hpp"
#include "reward/code_facts.hpp"
#include "reward/cuda/cubin_facts.hpp"
#include "reward/cuda/front_end.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/static_profile.hpp"
#include "reward/kinds/device_order.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <variant>

namespace atl {

namespace {

constexpr const char* k_plan_contract =
#include "reward/kinds/explicit_plan_contract.inc"
    ;

SourceForm form_of(const std::string& kind) {
    return kind == "ptx" ? SourceForm::ptx : kind == "cubin" ? SourceForm::cubin : SourceForm::cuda;
}

std::uint64_t most_local_memory(const FrontEndReply& reply, const DeviceLimits& device) {
    std::set<std::string> launched;
    for (const auto& [workload, plan] : reply.plans) {
        for (const PlanStep& step : plan.steps) {
            if (const auto* const launch = std::get_if<PlanLaunch>(&step.what)) {
                launched.insert(launch->kernel);
            }
        }
    }
    std::uint64_t most = 0;
    for (const KernelFacts& kernel : reply.kernels) {
        if (launched.contains(kernel.name)) {
            most = std::max(most, local_memory_of(device, kernel));
        }
    }
    return most;
}

Expected<std::shared_ptr<const FileHandle>> package_of(FrontEndReply reply, SourceForm form,
                                                       const DeviceLimits& device) {
    const std::uint64_t local_bytes = most_local_memory(reply, device);
    GpuPackage package{std::move(reply.cubin), std::move(reply.plans), form != SourceForm::cubin};
    package.touches_variables = reply.touches_variables;
    package.local_bytes = local_bytes;
    // What machine code from elsewhere says that it calls is its own word.
    package.leaves_heap = form == SourceForm::cubin || calls_driver_code(package.cubin);
    ATOLL_TRY_ASSIGN(FileHandle file, write_gpu_package(package));
    return std::make_shared<const FileHandle>(std::move(file));
}

/// The reference is trusted, so a refusal is the task's fault, not the candidate's.
Expected<std::shared_ptr<const FileHandle>> prepare_oracle(FrontEndRequest order,
                                                           CudaFrontEnd& front_end) {
    const Task& task = *order.task;
    order.form = SourceForm::cuda;
    order.source = task.reference_source;
    order.tune.clear();
    order.flags.clear();
    order.reference = true;
    ATOLL_TRY_ASSIGN(FrontEndReply reply, front_end.prepare(order));
    if (reply.fault) {
        // What took too long may be a busy machine's doing, and is tried again.
        const bool limit =
            *reply.fault == Outcome::compile_limit || *reply.fault == Outcome::timeout;
        return failure(limit ? ErrorCode::limit : ErrorCode::invalid_argument,
                       "the reference cannot be used: " + reply.reason,
                       (task.folder / "reference.cu").string(),
                       "it must define: " + cuda_launch_prototype(task, CudaEntry::reference) +
                           "; run: atoll task check --kind cuda " +
                           shell_quoted(task.folder.string()));
    }
    return package_of(std::move(reply), order.form, front_end.device());
}

CompileReport report_of(const CudaFrontEnd& front_end, const Candidate& candidate,
                        const FrontEndReply& reply) {
    CompileReport report;
    report.compiler = front_end.toolchain();
    report.flags = candidate.flags;
    for (const auto& [name, value] : candidate.tune) {
        report.flags.push_back("-D" + name + "=" + value);
    }
    report.seconds = reply.host_compile_seconds + reply.device_compile_seconds;
    report.cached = reply.cached;
    report.binary_bytes = reply.cubin.size();
    report.code = cubin_code_facts(reply.cubin);
    report.log = reply.log;
    return report;
}

Status add_rival(const FrontEndRequest& order, const Rival& rival, CudaFrontEnd& front_end,
                 Prepared& prepared) {
    if (!rival.libraries.empty()) {
        leave_out(rival, "libraries are not linked to CUDA programs", prepared);
        return {};
    }
    ATOLL_TRY_ASSIGN(FrontEndReply reply, front_end.prepare(order));
    if (reply.fault) {
        leave_out(rival, reply.reason, prepared);
        return {};
    }
    ATOLL_TRY_ASSIGN(auto package, package_of(std::move(reply), order.form, front_end.device()));
    add_to_order(rival, std::move(package), prepared);
    return {};
}

}  // namespace

FrontEndRequest front_end_request(const EvaluationRequest& request, const Candidate& candidate,
                                  const EvaluationLimits& limits, const std::stop_token& cancel) {
    FrontEndRequest order;
    order.form = form_of(candidate.kind);
    order.task = request.task;
    order.source = candidate.source;
    order.tune = candidate.tune;
    order.flags = candidate.flags;
    order.with_hidden = request.level == Level::confirm;
    order.compile_timeout_s = limits.compile_timeout_s;
    order.cancel = cancel;
    return order;
}

Expected<Prepared> CudaProgramKind::prepare(const EvaluationRequest& request, Verdict verdict,
                                            const EvaluationLimits& limits,
                                            CompileService& compiler,
                                            std::stop_token cancel) const {
    CudaFrontEnd* front_end = compiler.front_end();
    if (front_end == nullptr) {
        return failure(ErrorCode::unavailable, "this evaluator has no GPU",
                       "kind " + request.candidate.kind, "run: atoll doctor");
    }
    const auto start = std::chrono::steady_clock::now();
    Prepared prepared;
    prepared.verdict = std::move(verdict);
    const FrontEndRequest order = front_end_request(request, request.candidate, limits, cancel);
    ATOLL_TRY_ASSIGN(FrontEndReply reply, front_end->prepare(order));
    prepared.verdict.compile = report_of(*front_end, request.candidate, reply);
    prepared.verdict.stage = Stage::compile;
    prepared.verdict.stage_times.push_back({Stage::compile, seconds_since(start)});
    if (reply.fault) {
        prepared.ended = true;
        prepared.verdict.outcome = *reply.fault;
        prepared.verdict.reason = reply.reason;
        return prepared;
    }
    prepared.order = device_order(request, limits);
    ATOLL_TRY_ASSIGN(prepared.verdict.profile,
                     static_profile(request.task, reply, front_end->device()));
    if (request.profile && request.level != Level::verify) {
        prepared.order.evaluate.profile_workload = profiled_workload(*request.task, reply.plans);
    }
    ATOLL_TRY_ASSIGN(prepared.order.oracle, prepare_oracle(order, *front_end));
    ATOLL_TRY_ASSIGN(prepared.order.binaries.emplace_back(),
                     package_of(std::move(reply), order.form, front_end->device()));
    for (const Rival& rival : request.rivals) {
        ATOLL_TRY(add_rival(front_end_request(request, rival.candidate, limits, cancel), rival,
                            *front_end, prepared));
    }
    return prepared;
}

std::optional<std::string> lint_explicit(const Task& task, const Candidate& candidate) {
    if (std::optional<std::string> problem = lint_common(task, candidate)) {
        return problem;
    }
    if (!candidate.files.empty()) {
        return "a folder cannot be a candidate of kind " + candidate.kind + ": give one file";
    }
    if (!candidate.tune.empty() || !candidate.flags.empty()) {
        return "candidates of kind " + candidate.kind + " have neither tune values nor flags";
    }
    return std::nullopt;
}

std::string explicit_plan_contract(const Task& task) {
    std::string names;
    const auto add = [&](const std::string& name, const std::string& what) {
        names += (names.empty() ? "" : ", ") + name + " (" + what + ")";
    };
    for (const TensorSpec& input : task.inputs) {
        add(input.name, std::string(input.scalar ? "scalar " : "input ") + to_string(input.dtype));
    }
    for (const TensorSpec& output : task.outputs) {
        add(output.name, std::string("output ") + to_string(output.dtype));
    }
    for (const Axis& axis : task.axes) {
        add(axis.name, "axis");
    }
    return "The names of this task: " + names + ".\n\n" + k_plan_contract;
}

Expected<Verdict> CudaProgramKind::execute(const EvaluationRequest& /*request*/, Prepared prepared,
                                           DeviceLane& lane) const {
    return execute_on(lane, std::move(prepared));
}

}  // namespace atl
