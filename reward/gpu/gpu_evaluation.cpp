#include "reward/gpu/gpu_evaluation.hpp"

#include "reward/gpu/gpu_measure.hpp"
#include "reward/gpu/gpu_profile.hpp"
#include "reward/gpu/gpu_programs.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "reward/gpu/gpu_verify.hpp"
#include "reward/verifier/cases.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <vector>

namespace atl {

namespace {

constexpr std::size_t k_smoke_cases = 2;

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

class GpuEvaluation {
  public:
    GpuEvaluation(LoadedGpuTask& loaded, const EvaluateOrder& order,
                  std::span<const FileHandle> packages, RunnerSource& source,
                  BestAnchors& best_anchors, const GpuDeviceFacts& device)
        : m_task(*loaded.task),
          m_pool(loaded.pool),
          m_order(order),
          m_source(source),
          m_programs(source, *loaded.task, packages),
          m_rng(secret_seed(), RngPurpose::measurement, 0),
          m_best_anchors(best_anchors),
          m_device(device) {}

    Expected<EvaluateReply> run();

  private:
    Status verify_candidate();
    Status admit_rivals();
    Status measure_all();
    Status profile();
    Status time_everyone(GpuMeasurement& measurement);
    Status report(const GpuMeasurement& measurement);
    Expected<GpuVerifyReport> verify(std::uint32_t program, std::span<const GpuWish> wishes);
    void end_stage(Stage stage, double since);
    void fail(Stage stage, const CandidateFault& fault);
    void note(const std::string& text);
    [[nodiscard]] bool failed() const { return m_reply.outcome != Outcome::passed; }

    GpuTask& m_task;
    GpuCasePool& m_pool;
    const EvaluateOrder& m_order;
    RunnerSource& m_source;
    GpuPrograms m_programs;
    CounterRng m_rng;
    BestAnchors& m_best_anchors;
    const GpuDeviceFacts& m_device;
    std::vector<GpuContestant> m_contestants;
    EvaluateReply m_reply;
};

void GpuEvaluation::end_stage(Stage stage, double since) {
    m_reply.stage_times.push_back({stage, seconds_now() - since});
}

void GpuEvaluation::fail(Stage stage, const CandidateFault& fault) {
    m_reply.outcome = fault.outcome;
    m_reply.stage = stage;
    m_reply.reason = fault.reason;
}

void GpuEvaluation::note(const std::string& text) {
    m_reply.noise += (m_reply.noise.empty() ? "" : "; ") + text;
}

Expected<GpuVerifyReport> GpuEvaluation::verify(std::uint32_t program,
                                                std::span<const GpuWish> wishes) {
    ATOLL_TRY_ASSIGN(RunnerClient * runner, m_programs.runner());
    GpuCaseVerifier verifier(m_task, m_pool, *runner, program, m_order.launch_timeout_s,
                             verification_allowance_s(m_order.level, m_order.launch_timeout_s));
    return verifier.run(wishes);
}

Status GpuEvaluation::verify_candidate() {
    const double since = seconds_now();
    ATOLL_TRY_ASSIGN(const std::vector<GpuWish> wishes, wishes_of(m_task, m_pool, m_rng));
    ATOLL_TRY_ASSIGN(GpuVerifyReport report, verify(0, wishes));
    const Stage stage = report.cases.size() <= k_smoke_cases ? Stage::smoke : Stage::verify;
    m_reply.verify = std::move(report.cases);
    m_reply.stage = Stage::verify;
    if (report.fault) {
        fail(stage, *report.fault);
    }
    end_stage(m_reply.stage, since);
    return {};
}

/// A rival is checked less: its own faults only take it out of the comparison.
Status GpuEvaluation::admit_rivals() {
    m_contestants.push_back({"candidate", 0, {}, {}});
    for (std::size_t i = 0; i < m_order.rivals.size(); ++i) {
        std::vector<GpuWish> wishes;
        for (const std::size_t workload : m_task.layout().measured()) {
            ATOLL_TRY_ASSIGN(GpuCase * judged, m_pool.get(workload, 0));
            wishes.push_back({workload, 0, Placement::start, judged});
        }
        const auto program = static_cast<std::uint32_t>(i + 1);
        ATOLL_TRY(m_task.scrub());
        ATOLL_TRY_ASSIGN(const GpuVerifyReport report, verify(program, wishes));
        if (report.fault) {
            note(
                fmt::format("rival '{}' is left out: {}", m_order.rivals[i], report.fault->reason));
            continue;
        }
        m_contestants.push_back({m_order.rivals[i], program, {}, {}});
    }
    return {};
}

Status GpuEvaluation::time_everyone(GpuMeasurement& measurement) {
    const bool confirm = m_order.level == Level::confirm;
    m_reply.stage = confirm ? Stage::confirm : Stage::screen;
    double since = seconds_now();
    if (!confirm) {
        ATOLL_TRY_ASSIGN(const bool hopeless, measurement.screen());
        end_stage(Stage::screen, since);
        if (hopeless) {
            m_reply.outcome = Outcome::slower_than_cutoff;
            m_reply.reason = fmt::format("slower than {} times the cutoff of {:.4g} ns",
                                         k_cutoff_factor, m_order.cutoff_ns);
            return {};
        }
        if (m_contestants.front().fault) {
            return {};
        }
        m_reply.stage = Stage::measure;
        since = seconds_now();
    }
    ATOLL_TRY(measurement.run());
    end_stage(m_reply.stage, since);
    return {};
}

Status GpuEvaluation::report(const GpuMeasurement& measurement) {
    MeasureReport report;
    report.protocol = measurement.protocol().name;
    if (measurement.clock() == "events") {
        note("timed by the driver's events, which add some microseconds: CUPTI was not used");
    }
    ATOLL_TRY_ASSIGN(report.workloads, measurement.timings(m_contestants.front()));
    for (std::size_t i = 1; i < m_contestants.size(); ++i) {
        const GpuContestant& rival = m_contestants[i];
        if (rival.fault) {
            note(fmt::format("rival '{}' is left out: {}", rival.name, rival.fault->reason));
            continue;
        }
        ATOLL_TRY_ASSIGN(report.rivals[rival.name], measurement.timings(rival));
    }
    for (const WorkloadTiming& timing : report.workloads) {
        if (timing.noisy) {
            note(fmt::format("{}: the interval is wide, or the device ran {:.0f} % below its clock",
                             timing.hidden ? "a hidden workload" : timing.workload,
                             100 * (1 - 1 / timing.clock_ratio)));
        }
    }
    m_reply.measure = std::move(report);
    m_reply.timed_seconds = measurement.timed_seconds();
    return {};
}

Status GpuEvaluation::measure_all() {
    ATOLL_TRY(admit_rivals());
    ATOLL_TRY(m_programs.runner());  // where the last rival ended one, another takes over before
    ATOLL_TRY(m_source.wait_until_quiet());
    // What verification showed is no case that judged launches meet, but answers may be alike.
    ATOLL_TRY(m_task.scrub());
    GpuMeasurement measurement(m_order, m_task, m_pool, m_programs, m_rng, m_best_anchors,
                               m_contestants, m_device);
    ATOLL_TRY(time_everyone(measurement));
    ATOLL_TRY(report(measurement));
    if (m_contestants.front().fault) {
        fail(m_reply.stage, *m_contestants.front().fault);
    }
    return {};
}

/// Behind all that is timed, of which it must not disturb anything.
Status GpuEvaluation::profile() {
    const double since = seconds_now();
    const auto limit_ns = static_cast<std::uint64_t>(m_order.launch_timeout_s * 1e9);
    ATOLL_TRY_ASSIGN(m_reply.counters,
                     count_launch(m_task, m_programs, m_rng, *m_order.profile_workload, limit_ns));
    end_stage(Stage::profile, since);
    return {};
}

Expected<EvaluateReply> GpuEvaluation::run() {
    ATOLL_TRY(m_task.scrub());
    ATOLL_TRY(verify_candidate());
    if (!failed() && m_order.level != Level::verify && !m_task.layout().measured().empty()) {
        ATOLL_TRY(measure_all());
    }
    if (!failed() && m_order.profile_workload) {
        ATOLL_TRY(profile());
    }
    return std::move(m_reply);
}

}  // namespace

Expected<LoadedGpuTask> LoadedGpuTask::create(TaskPtr task, bool with_hidden,
                                              const FileHandle& oracle, const GpuTools& tools) {
    ATOLL_TRY_ASSIGN(auto made, GpuTask::create(std::move(task), with_hidden, oracle, tools));
    GpuCasePool pool(*made);
    return LoadedGpuTask{std::move(made), std::move(pool)};
}

Expected<EvaluateReply> evaluate_on_gpu(LoadedGpuTask& loaded, const EvaluateOrder& order,
                                        std::span<const FileHandle> packages, RunnerSource& source,
                                        BestAnchors& best_anchors, const GpuDeviceFacts& device) {
    const double since = seconds_now();
    GpuEvaluation evaluation(loaded, order, packages, source, best_anchors, device);
    Expected<EvaluateReply> reply = evaluation.run();
    if (reply) {
        reply->device_seconds = seconds_now() - since;
    }
    return reply;
}

}  // namespace atl
