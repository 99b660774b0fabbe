#include "reward/cuda/preparation.hpp"

#include "reward/base/files.hpp"
#include "reward/cuda/device_prelude.hpp"
#include "reward/cuda/kernel_names.hpp"
#include "reward/cuda/plan_total.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/workers/compile_log.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

namespace atl {

namespace {

/// How often a launcher may choose kernels that it knew nothing of.
constexpr int k_most_choices = 3;

std::set<std::string> kernels_of(const std::vector<std::pair<std::size_t, Plan>>& plans) {
    std::set<std::string> names;
    for (const auto& [workload, plan] : plans) {
        for (const PlanStep& step : plan.steps) {
            if (const auto* launch = std::get_if<PlanLaunch>(&step.what)) {
                names.insert(launch->kernel);
            }
        }
        for (const PlanKernelSettings& settings : plan.settings) {
            names.insert(settings.kernel);
        }
    }
    return names;
}

/// The device's compiler knows the source by one name, whatever it is.
std::string name_reference(std::string text) {
    const std::string_view name = k_device_source_name;
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
        text.replace(at, name.size(), "reference.cu");
    }
    return text;
}

}  // namespace

void Preparation::fail(Outcome outcome, std::string reason, std::string log) {
    m_reply.fault = outcome;
    m_reply.reason = m_request.reference ? name_reference(std::move(reason)) : std::move(reason);
    m_reply.log = m_request.reference ? name_reference(std::move(log)) : std::move(log);
    m_reply.plans.clear();
}

/// Public ones first, so that what fails there is told in full.
void Preparation::choose_workloads() {
    const std::vector<Workload>& all = m_request.task->workloads;
    for (const bool hidden : {false, true}) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].hidden == hidden && (!hidden || m_request.with_hidden)) {
                m_workloads.push_back(i);
            }
        }
    }
}

Status Preparation::record(const std::vector<KernelFacts>& facts) {
    RecordRequest order;
    order.task = m_request.task.get();
    order.entry = m_request.reference ? CudaEntry::reference : CudaEntry::launch;
    order.host_source = recording_source(*m_request.task, m_split, m_request.tune, order.entry);
    for (const std::size_t workload : m_workloads) {
        order.workloads.push_back(&m_request.task->workloads[workload]);
    }
    order.device = m_device;
    order.kernels = facts;
    order.compile_timeout_s = m_request.compile_timeout_s;
    order.cancel = m_request.cancel;
    ATOLL_TRY_ASSIGN(RecordReply recorded, m_recorder.record(order));
    m_reply.host_compile_seconds += recorded.compile_seconds;
    m_reply.record_seconds += recorded.record_seconds;
    if (recorded.fault) {
        take_fault(recorded);
        return {};
    }
    m_reply.plans.clear();
    for (std::size_t i = 0; i < recorded.plans.size(); ++i) {
        m_reply.plans.emplace_back(m_workloads[i], std::move(recorded.plans[i]));
    }
    find_kernels();
    return {};
}

void Preparation::take_fault(const RecordReply& recorded) {
    const RecordFault& fault = *recorded.fault;
    if (recorded.workload.empty()) {
        return fail(fault.outcome,
                    compile_reason(fault.outcome == Outcome::compile_limit, recorded.compile_log),
                    recorded.compile_log);
    }
    const std::vector<Workload>& all = m_request.task->workloads;
    const auto at = std::find_if(all.begin(), all.end(), [&](const Workload& workload) {
        return workload.id == recorded.workload;
    });
    if (at != all.end() && at->hidden) {
        // Not even the line: the launcher could choose it by the workload's shape.
        return fail(fault.outcome, "the launcher fails on a hidden workload");
    }
    fail(fault.outcome, (fault.line > 0 ? "line " + std::to_string(fault.line) + ": " : "") +
                            fault.reason + " (workload " + recorded.workload + ")");
}

/// Those that an earlier recording launched stay.
void Preparation::find_kernels() {
    for (const std::string& name : kernels_of(m_reply.plans)) {
        if (const auto known = m_kernels.find(name); known != m_kernels.end()) {
            continue;
        }
        const std::optional<std::string> expression = name_expression_of(name);
        if (!expression) {
            return fail(Outcome::rejected,
                        "a kernel's name cannot be asked for by name: " + name.substr(0, 200) +
                            "; use a kernel with a plainer name");
        }
        for (const auto& [other, kernel] : m_kernels) {
            if (kernel.expression == *expression) {
                return fail(Outcome::rejected,
                            "kernel " + expression->substr(0, 200) +
                                " is overloaded; give each version its own name");
            }
        }
        m_kernels[name].expression = *expression;
    }
}

DeviceCompileRequest Preparation::device_order() const {
    DeviceCompileRequest order;
    order.source = m_split.device;
    order.architecture = m_device.arch;
    order.defines = m_request.tune;
    order.flags = m_request.flags;
    order.timeout_s = m_request.compile_timeout_s;
    order.cancel = m_request.cancel;
    return order;
}

void Preparation::compile_ahead() {
    std::optional<std::vector<std::string>> kernels = plain_kernels(m_split.device);
    if (!kernels) {
        return;
    }
    m_ahead.emplace();
    m_ahead->expressions = std::move(*kernels);
    DeviceCompileRequest order = device_order();
    order.name_expressions = m_ahead->expressions;
    order.cancel = m_ahead->stop.get_token();
    m_ahead->binary =
        std::async(std::launch::async, [this, order] { return m_compiler.compile(order); });
}

Expected<std::optional<DeviceBinary>> Preparation::take_ahead(
    const std::vector<std::string>& expressions) {
    if (!m_ahead) {
        return std::nullopt;
    }
    const std::stop_callback forward(m_request.cancel, [this] { m_ahead->stop.request_stop(); });
    Expected<DeviceBinary> ahead = m_ahead->binary.get();
    const std::vector<std::string> known = std::exchange(m_ahead->expressions, {});
    m_ahead.reset();
    ATOLL_TRY_ASSIGN(DeviceBinary binary, std::move(ahead));
    const bool ok = binary.status == DeviceBinary::Status::ok;
    std::vector<std::string> names;
    for (const std::string& expression : expressions) {
        const auto at = std::lower_bound(known.begin(), known.end(), expression);
        if (at == known.end() || *at != expression) {
            return std::nullopt;
        }
        if (ok) {
            names.push_back(binary.names[static_cast<std::size_t>(at - known.begin())]);
        }
    }
    // A mistake may be one of the guess: a kernel that #if leaves out has no name.
    if (!ok && expressions.size() != known.size()) {
        return std::nullopt;
    }
    binary.names = std::move(names);
    return binary;
}

Status Preparation::compile() {
    DeviceCompileRequest order = device_order();
    for (const auto& [name, kernel] : m_kernels) {
        order.name_expressions.push_back(kernel.expression);
    }
    ATOLL_TRY_ASSIGN(std::optional<DeviceBinary> ahead, take_ahead(order.name_expressions));
    if (!ahead) {
        ATOLL_TRY_ASSIGN(ahead, m_compiler.compile(order));
    }
    DeviceBinary binary = std::move(*ahead);
    m_reply.device_compile_seconds += binary.seconds;
    if (binary.status != DeviceBinary::Status::ok) {
        const bool limit = binary.status == DeviceBinary::Status::limit;
        fail(limit ? Outcome::compile_limit : Outcome::compile_error,
             compile_reason(limit, binary.log), binary.log);
        return {};
    }
    std::size_t number = 0;
    for (auto& [name, kernel] : m_kernels) {
        kernel.device_name = binary.names[number++];
    }
    m_reply.kernels = std::move(binary.kernels);
    m_reply.touches_variables = binary.touches_variables;
    ATOLL_TRY_ASSIGN(
        m_reply.cubin,
        read_file("/proc/self/fd/" + std::to_string(binary.cubin->get()), order.cubin_bytes));
    return {};
}

bool Preparation::asks_for_facts() const {
    return m_split.host.find("Occupancy") != std::string::npos ||
           m_split.host.find("cudaFuncGetAttributes") != std::string::npos;
}

std::vector<KernelFacts> Preparation::facts_by_host_names() const {
    std::vector<KernelFacts> facts = m_reply.kernels;
    for (KernelFacts& one : facts) {
        const auto known =
            std::find_if(m_kernels.begin(), m_kernels.end(),
                         [&](const auto& kernel) { return kernel.second.device_name == one.name; });
        one.name = known == m_kernels.end() ? one.name : known->first;
    }
    return facts;
}

/// Until the launcher, told of the kernels that it chose so far, chooses among those.
Status Preparation::settle() {
    for (int choice = 1; choice <= k_most_choices; ++choice) {
        const std::size_t known = m_kernels.size();
        ATOLL_TRY(record(facts_by_host_names()));
        if (failed() || m_kernels.size() == known) {
            return {};
        }
        ATOLL_TRY(compile());
        if (failed()) {
            return {};
        }
    }
    fail(Outcome::rejected,
         "the launcher chooses another kernel each time it is told of those that it chose: let the "
         "choice not depend on their registers and occupancy");
    return {};
}

void Preparation::rename_kernels() {
    const auto rename = [&](std::string& name) { name = m_kernels.at(name).device_name; };
    for (auto& [workload, plan] : m_reply.plans) {
        for (PlanStep& step : plan.steps) {
            if (auto* launch = std::get_if<PlanLaunch>(&step.what)) {
                rename(launch->kernel);
            }
        }
        for (PlanKernelSettings& settings : plan.settings) {
            rename(settings.kernel);
        }
    }
}

void Preparation::check_plans() {
    PlanTotal total;
    for (const auto& [index, plan] : m_reply.plans) {
        Status fits = check_plan(plan, m_device, m_reply.kernels);
        if (fits) {
            fits = total.add(plan);
        }
        if (!fits) {
            const Workload& workload = m_request.task->workloads[index];
            return fail(Outcome::rejected,
                        workload.hidden
                            ? "asks for what cannot be run on a hidden workload"
                            : fits.error().message() + " (workload " + workload.id + ")");
        }
    }
}

Expected<FrontEndReply> Preparation::run() {
    choose_workloads();
    m_split = split_cuda_source(m_request.source);
    compile_ahead();
    ATOLL_TRY(record({}));
    if (failed() && m_ahead) {
        m_ahead->stop.request_stop();
    }
    if (!failed()) {
        ATOLL_TRY(compile());
    }
    if (!failed() && asks_for_facts()) {
        ATOLL_TRY(settle());
    }
    if (!failed()) {
        rename_kernels();
        check_plans();
    }
    return std::move(m_reply);
}

}  // namespace atl
