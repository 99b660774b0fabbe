#include "reward/verifier/evaluation.hpp"

#include "reward/statistics.hpp"
#include "reward/verifier/bench.hpp"
#include "reward/verifier/measure.hpp"
#include "reward/verifier/verify.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

namespace atl {

namespace {

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// One order in work: what all its stages share.
class Evaluation {
  public:
    Evaluation(const TaskLayout& layout, CasePool& pool, const EvaluateOrder& order,
               RunnerLink& runner, Anchor& anchor)
        : m_layout(layout),
          m_pool(pool),
          m_order(order),
          m_runner(runner),
          m_tools{anchor, CacheFlusher(order.cache_bytes),
                  CounterRng(secret_seed(), RngPurpose::measurement, 0)} {
        anchor.refer_to(order.core);
    }

    /// `buffers`: one set per binary.
    Expected<EvaluateReply> run(const std::vector<FileHandle>& binaries,
                                std::vector<SharedBuffers*> buffers);
    /// Whether a process, the candidate's or a rival's, was killed by nobody knows whom, and no
    /// fault of the candidate makes that unimportant.
    [[nodiscard]] bool unexplained() const { return m_unexplained; }

  private:
    Status verify_candidate();
    Status measure_all();
    Status time_everyone(Measurement& measurement);
    Status start_rivals(const std::vector<FileHandle>& binaries,
                        const std::vector<SharedBuffers*>& buffers);
    Expected<std::optional<CandidateFault>> smoke_rival(Bench& bench);
    Contestant enter(const std::string& name, Bench& bench);
    bool take_report(Stage stage, VerifyReport report);
    void end_stage(Stage stage, double since);
    void fail(Stage stage, const CandidateFault& fault);
    void leave_out(const std::string& rival, const CandidateFault& fault);
    void report_timings();
    void note(const std::string& text);
    [[nodiscard]] bool failed() const { return m_reply.outcome != Outcome::passed; }

    const TaskLayout& m_layout;
    CasePool& m_pool;
    const EvaluateOrder& m_order;
    RunnerLink& m_runner;
    TimingTools m_tools;
    EvaluateReply m_reply;
    std::vector<std::unique_ptr<Bench>> m_benches;  ///< the candidate's first
    std::vector<std::string> m_rival_names;         ///< of m_benches[1...]
    std::vector<std::size_t> m_first_cases;         ///< per timed workload
    std::vector<Contestant> m_contestants;
    bool m_unexplained = false;
};

void Evaluation::fail(Stage stage, const CandidateFault& fault) {
    m_reply.outcome = fault.outcome;
    m_reply.stage = stage;
    m_reply.reason = fault.reason;
    m_unexplained = fault.unexplained;
}

void Evaluation::leave_out(const std::string& rival, const CandidateFault& fault) {
    note(fmt::format("rival '{}' is left out: {}", rival, fault.reason));
    m_unexplained = m_unexplained || fault.unexplained;
}

void Evaluation::note(const std::string& text) {
    m_reply.noise += (m_reply.noise.empty() ? "" : "; ") + text;
}

void Evaluation::end_stage(Stage stage, double since) {
    m_reply.stage_times.push_back({stage, seconds_now() - since});
}

bool Evaluation::take_report(Stage stage, VerifyReport report) {
    m_reply.stage = stage;
    for (VerifyCase& one : report.cases) {
        m_reply.verify.push_back(std::move(one));
    }
    if (report.fault) {
        fail(stage, *report.fault);
    }
    return !report.fault;
}

Status Evaluation::verify_candidate() {
    double since = seconds_now();
    Bench& bench = *m_benches.front();
    CaseVerifier verifier(bench, m_layout.slots(),
                          verification_allowance_s(m_order.level, m_order.launch_timeout_s));
    ATOLL_TRY_ASSIGN(VerifyReport smoke, verifier.at_both_ends(m_pool.verified().front()));
    end_stage(Stage::smoke, since);
    if (!take_report(Stage::smoke, std::move(smoke))) {
        return {};
    }
    since = seconds_now();
    ATOLL_TRY_ASSIGN(VerifyReport small, verifier.all(m_pool.verified()));
    bool right = take_report(Stage::verify, std::move(small));
    for (TimedCases& timed : m_pool.timed()) {
        m_first_cases.push_back(m_tools.rng.below(timed.cases.size()));
        if (right) {
            ATOLL_TRY_ASSIGN(VerifyReport large, verifier.one(timed.cases[m_first_cases.back()]));
            right = take_report(Stage::verify, std::move(large));
        }
    }
    if (right && !m_pool.varied().empty()) {
        // One of them: a launch on so much is the dearest part of this stage.
        Case& chosen = m_pool.varied()[m_tools.rng.below(m_pool.varied().size())];
        ATOLL_TRY_ASSIGN(VerifyReport varied, verifier.one(chosen));
        take_report(Stage::verify, std::move(varied));
    }
    end_stage(Stage::verify, since);
    return {};
}

Contestant Evaluation::enter(const std::string& name, Bench& bench) {
    Contestant contestant;
    contestant.name = name;
    contestant.bench = &bench;
    for (std::size_t w = 0; w < m_pool.timed().size(); ++w) {
        contestant.workloads.push_back(
            std::make_unique<TimedWorkload>(bench, m_pool.timed()[w], m_first_cases[w], m_tools));
    }
    return contestant;
}

/// A rival is checked less: its own faults only take it out of the comparison. The timed-shape
/// launches also warm it up, as verification does for the candidate.
Expected<std::optional<CandidateFault>> Evaluation::smoke_rival(Bench& bench) {
    if (bench.load_fault()) {
        return bench.load_fault();
    }
    CaseVerifier verifier(bench, m_layout.slots(),
                          verification_allowance_s(m_order.level, m_order.launch_timeout_s));
    for (std::size_t w = 0; w < m_pool.timed().size(); ++w) {
        ATOLL_TRY_ASSIGN(VerifyReport large,
                         verifier.one(m_pool.timed()[w].cases[m_first_cases[w]]));
        if (large.fault) {
            return large.fault;
        }
    }
    return std::optional<CandidateFault>{};
}

Status Evaluation::start_rivals(const std::vector<FileHandle>& binaries,
                                const std::vector<SharedBuffers*>& buffers) {
    for (std::size_t i = 1; i < binaries.size(); ++i) {
        const std::string& name = m_order.rivals[i - 1];
        ATOLL_TRY_ASSIGN(auto bench, Bench::start(m_runner, binaries[i], m_layout, *buffers[i],
                                                  m_order, m_order.rival_trusted[i - 1]));
        ATOLL_TRY_ASSIGN(const auto fault, smoke_rival(*bench));
        if (fault) {
            leave_out(name, *fault);
            continue;
        }
        m_benches.push_back(std::move(bench));
        m_rival_names.push_back(name);
    }
    return {};
}

void Evaluation::report_timings() {
    MeasureReport report;
    report.protocol = k_cpu_protocol;
    report.workloads = m_contestants.front().timings;
    for (std::size_t i = 1; i < m_contestants.size(); ++i) {
        Contestant& rival = m_contestants[i];
        if (rival.fault) {
            leave_out(rival.name, *rival.fault);
        } else {
            report.rivals[rival.name] = std::move(rival.timings);
        }
    }
    for (const WorkloadTiming& timing : report.workloads) {
        if (timing.anchor_ratio > TimingSamples::k_quiet) {
            note(fmt::format("somebody else used the same core, and took {:.0f} % of it, during {}",
                             100 * (1 - 1 / timing.anchor_ratio),
                             timing.hidden ? "a hidden workload" : timing.workload));
        }
        if (timing.noisy) {
            note(fmt::format(
                "{} had too few undisturbed launches, or an interval more than three times as "
                "wide as asked for",
                timing.hidden ? "a hidden workload" : timing.workload));
        }
    }
    m_reply.measure = std::move(report);
}

Status Evaluation::time_everyone(Measurement& measurement) {
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
        m_reply.stage = Stage::measure;
        since = seconds_now();
    }
    if (!m_contestants.front().fault) {
        ATOLL_TRY(measurement.run());
    }
    end_stage(m_reply.stage, since);
    return {};
}

Status Evaluation::measure_all() {
    for (std::size_t i = 0; i < m_benches.size(); ++i) {
        m_contestants.push_back(enter(i == 0 ? "candidate" : m_rival_names[i - 1], *m_benches[i]));
    }
    Measurement measurement(m_order, m_layout, m_tools, m_contestants);
    if (!m_contestants.front().fault) {
        ATOLL_TRY(time_everyone(measurement));
    }
    ATOLL_TRY(measurement.collect());
    report_timings();
    if (m_contestants.front().fault) {
        fail(m_reply.stage, *m_contestants.front().fault);
    }
    return {};
}

Expected<EvaluateReply> Evaluation::run(const std::vector<FileHandle>& binaries,
                                        std::vector<SharedBuffers*> buffers) {
    const double since = seconds_now();
    ATOLL_TRY_ASSIGN(auto bench, Bench::start(m_runner, binaries.front(), m_layout,
                                              *buffers.front(), m_order, false));
    m_benches.push_back(std::move(bench));
    if (m_benches.front()->load_fault()) {
        fail(Stage::smoke, *m_benches.front()->load_fault());
        end_stage(Stage::smoke, since);
    } else {
        ATOLL_TRY(verify_candidate());
    }
    if (!failed() && m_order.level != Level::verify && !m_pool.timed().empty()) {
        ATOLL_TRY(start_rivals(binaries, buffers));
        ATOLL_TRY(measure_all());
    }
    // Not where hidden workloads took part: a number tells of their shapes.
    if (is_correct(m_reply.outcome) && m_order.level != Level::confirm) {
        // Not known when the runner does not say; the verdict stands all the same.
        m_reply.memory_bytes = m_benches.front()->end().value_or(std::nullopt);
    }
    m_reply.timed_seconds = m_tools.timed_seconds;
    return std::move(m_reply);
}

/// A death that nothing explains is the candidate's, or the rival's, only when it happens twice.
Expected<EvaluateReply> evaluate_twice_if_killed(const TaskLayout& layout, CasePool& pool,
                                                 const EvaluateOrder& order, RunnerLink& runner,
                                                 Anchor& anchor,
                                                 const std::vector<FileHandle>& binaries,
                                                 const std::vector<SharedBuffers*>& buffers) {
    Evaluation first(layout, pool, order, runner, anchor);
    Expected<EvaluateReply> reply = first.run(binaries, buffers);
    if (!reply || !first.unexplained()) {
        return reply;
    }
    ATOLL_TRY(pool.renew());
    return Evaluation(layout, pool, order, runner, anchor).run(binaries, buffers);
}

/// Everything fresh: seeds, buffers, and hidden workloads besides the public ones.
Expected<EvaluateReply> confirm(LoadedTask& task, const EvaluateOrder& order,
                                const std::vector<FileHandle>& binaries, RunnerLink& runner,
                                Anchor& anchor) {
    ATOLL_TRY_ASSIGN(const TaskLayout layout, TaskLayout::create(task.task(), true));
    CasePool pool(layout, task.oracle());
    ATOLL_TRY(pool.fill());
    while (pool.has_idle_work()) {
        ATOLL_TRY(pool.do_idle_work());
    }
    std::vector<SharedBuffers> sets;
    sets.reserve(binaries.size());
    std::vector<SharedBuffers*> buffers;
    for (std::size_t i = 0; i < binaries.size(); ++i) {
        ATOLL_TRY_ASSIGN(SharedBuffers set,
                         SharedBuffers::create(layout.capacity(), layout.slots()));
        sets.push_back(std::move(set));
        buffers.push_back(&sets.back());
    }
    return evaluate_twice_if_killed(layout, pool, order, runner, anchor, binaries, buffers);
}

}  // namespace

LoadedTask::LoadedTask(std::unique_ptr<Oracle> oracle, TaskLayout layout, SharedBuffers buffers)
    : m_oracle(std::move(oracle)),
      m_layout(std::move(layout)),
      m_pool(m_layout, *m_oracle),
      m_buffers(std::move(buffers)) {}

Expected<std::unique_ptr<LoadedTask>> LoadedTask::create(TaskPtr task, const FileHandle& oracle) {
    ATOLL_TRY_ASSIGN(auto loaded_oracle, load_oracle(task, oracle));
    ATOLL_TRY_ASSIGN(TaskLayout layout, TaskLayout::create(std::move(task), false));
    ATOLL_TRY_ASSIGN(SharedBuffers buffers,
                     SharedBuffers::create(layout.capacity(), layout.slots()));
    std::unique_ptr<LoadedTask> loaded(
        new LoadedTask(std::move(loaded_oracle), std::move(layout), std::move(buffers)));
    ATOLL_TRY(loaded->m_pool.fill());
    return loaded;
}

Expected<EvaluateReply> evaluate_order(LoadedTask& task, const EvaluateOrder& order,
                                       const std::vector<FileHandle>& binaries, RunnerLink& runner,
                                       Anchor& anchor) {
    const double since = seconds_now();
    Expected<EvaluateReply> reply;
    if (order.level == Level::confirm) {
        reply = confirm(task, order, binaries, runner, anchor);
    } else {
        ATOLL_TRY(task.pool().renew());
        reply = evaluate_twice_if_killed(task.layout(), task.pool(), order, runner, anchor,
                                         binaries, {&task.buffers()});
    }
    if (reply) {
        reply->device_seconds = seconds_now() - since;
    }
    return reply;
}

}  // namespace atl
