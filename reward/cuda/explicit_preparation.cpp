#include "reward/cuda/explicit_preparation.hpp"

#include "reward/base/files.hpp"
#include "reward/cuda/cubin_facts.hpp"
#include "reward/cuda/explicit_plan.hpp"
#include "reward/cuda/plan_total.hpp"
#include "reward/workers/compile_log.hpp"

#include <utility>

namespace atl {

namespace {

constexpr std::uint64_t k_max_cubin_bytes = 64ull << 20;

/// One candidate on its way.
class ExplicitPreparation {
  public:
    ExplicitPreparation(const FrontEndRequest& request, const DeviceLimits& device,
                        DeviceCompiler& compiler)
        : m_request(request), m_device(device), m_compiler(compiler) {}

    [[nodiscard]] Expected<FrontEndReply> run();

  private:
    [[nodiscard]] bool failed() const { return m_reply.fault.has_value(); }
    void fail(Outcome outcome, std::string reason, std::string log = {}) {
        m_reply.fault = outcome;
        m_reply.reason = std::move(reason);
        m_reply.log = std::move(log);
        m_reply.plans.clear();
    }
    [[nodiscard]] Status assemble(const std::string& ptx);
    void take_cubin(std::string cubin);
    void make_plans(const nlohmann::ordered_json& plan, bool hidden);
    [[nodiscard]] Status make_plan(const nlohmann::ordered_json& plan, std::size_t index);

    const FrontEndRequest& m_request;
    const DeviceLimits& m_device;
    DeviceCompiler& m_compiler;
    FrontEndReply m_reply;
    PlanTotal m_total;
};

Status ExplicitPreparation::assemble(const std::string& ptx) {
    DeviceCompileRequest order;
    order.ptx = true;
    order.source = ptx;
    order.architecture = m_device.arch;
    order.timeout_s = m_request.compile_timeout_s;
    order.cancel = m_request.cancel;
    ATOLL_TRY_ASSIGN(DeviceBinary binary, m_compiler.compile(order));
    m_reply.device_compile_seconds += binary.seconds;
    if (binary.status != DeviceBinary::Status::ok) {
        const bool limit = binary.status == DeviceBinary::Status::limit;
        fail(limit ? Outcome::compile_limit : Outcome::compile_error,
             compile_reason(limit, binary.log), binary.log);
        return {};
    }
    m_reply.kernels = std::move(binary.kernels);
    ATOLL_TRY_ASSIGN(
        m_reply.cubin,
        read_file("/proc/self/fd/" + std::to_string(binary.cubin->get()), k_max_cubin_bytes));
    return {};
}

void ExplicitPreparation::take_cubin(std::string cubin) {
    const Status fits = check_foreign_cubin(cubin, m_device);
    Expected<std::vector<KernelFacts>> kernels =
        fits ? read_cubin_facts(cubin) : tl::unexpected(fits.error());
    if (!kernels) {
        return fail(Outcome::compile_error, kernels.error().message());
    }
    m_reply.kernels = std::move(*kernels);
    m_reply.cubin = std::move(cubin);
}

Status ExplicitPreparation::make_plan(const nlohmann::ordered_json& plan, std::size_t index) {
    const Workload& workload = m_request.task->workloads[index];
    ATOLL_TRY_ASSIGN(Plan made, evaluate_explicit_plan(plan, *m_request.task, workload));
    ATOLL_TRY(check_plan(made, m_device, m_reply.kernels));
    ATOLL_TRY(m_total.add(made));
    m_reply.plans.emplace_back(index, std::move(made));
    return {};
}

/// Nothing is told of what fails on hidden workloads only.
void ExplicitPreparation::make_plans(const nlohmann::ordered_json& plan, bool hidden) {
    const std::vector<Workload>& all = m_request.task->workloads;
    for (std::size_t i = 0; i < all.size() && !failed(); ++i) {
        if (all[i].hidden != hidden) {
            continue;
        }
        if (const Status made = make_plan(plan, i); !made) {
            fail(Outcome::rejected, hidden
                                        ? "the plan cannot be carried out on a hidden workload"
                                        : made.error().message() + " (workload " + all[i].id + ")");
        }
    }
}

Expected<FrontEndReply> ExplicitPreparation::run() {
    const bool ptx = m_request.form == SourceForm::ptx;
    Expected<ExplicitSource> source =
        ptx ? read_ptx_source(m_request.source) : read_cubin_source(m_request.source);
    if (!source) {
        fail(Outcome::rejected, source.error().message());
    } else if (ptx) {
        ATOLL_TRY(assemble(source->code));
    } else {
        take_cubin(std::move(source->code));
    }
    if (!failed()) {
        make_plans(source->plan, false);
    }
    if (!failed() && m_request.with_hidden) {
        make_plans(source->plan, true);
    }
    return std::move(m_reply);
}

}  // namespace

Expected<FrontEndReply> prepare_explicit(const FrontEndRequest& request, const DeviceLimits& device,
                                         DeviceCompiler& compiler) {
    return ExplicitPreparation(request, device, compiler).run();
}

}  // namespace atl
