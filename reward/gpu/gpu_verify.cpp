#include "reward/gpu/gpu_verify.hpp"

#include "reward/verifier/case_words.hpp"
#include "reward/verifier/cases.hpp"
#include "reward/verifier/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace atl {

namespace {

constexpr double k_ns = 1e-9;
/// Of a launch when nothing of what all may take is left: enough to be asked once more.
constexpr double k_least_limit_s = 1e-3;

Placement other(Placement placement) {
    return placement == Placement::end ? Placement::start : Placement::end;
}

bool is_wrong_answer(const CandidateFault& fault) {
    return fault.outcome == Outcome::wrong_result || fault.outcome == Outcome::non_finite;
}

bool is_measured(const TaskLayout& layout, std::size_t workload) {
    const std::vector<std::size_t>& all = layout.measured();
    return std::find(all.begin(), all.end(), workload) != all.end();
}

}  // namespace

GpuCaseVerifier::GpuCaseVerifier(GpuTask& task, GpuCasePool& pool, RunnerClient& runner,
                                 std::uint32_t program, double launch_timeout_s, double allowance_s)
    : m_task(task),
      m_pool(pool),
      m_runner(runner),
      m_program(program),
      m_limit_s(launch_timeout_s),
      m_left_s(allowance_s) {}

Expected<GpuCaseVerifier::Batch> GpuCaseVerifier::make_batch(std::span<const GpuWish> wishes) {
    Batch batch;
    const bool small = m_task.is_small(wishes.front().workload);
    batch.fresh.reserve(m_task.slots(small));
    for (const GpuWish& wish : wishes) {
        const std::size_t slot = batch.trials.size();
        if (slot >= m_task.slots(small) || m_task.is_small(wish.workload) != small) {
            break;
        }
        GpuTrial trial;
        trial.judged = wish.judged;
        if (trial.judged == nullptr && small) {
            batch.fresh.push_back(m_task.small_case(wish.workload, wish.distribution, slot));
            trial.judged = &batch.fresh.back();
        } else if (trial.judged == nullptr) {
            ATOLL_TRY_ASSIGN(trial.judged, m_pool.get(wish.workload, wish.distribution));
        }
        trial.tensors = m_task.places(wish.workload, slot, wish.placement);
        batch.trials.push_back(std::move(trial));
        batch.placements.push_back(wish.placement);
    }
    return batch;
}

Expected<std::vector<GpuCheck>> GpuCaseVerifier::launch(std::span<const GpuTrial> trials) {
    ATOLL_TRY(m_task.prepare(trials));
    GpuPlayCall call;
    call.program = m_program;
    call.limit_ns =
        static_cast<std::uint64_t>(std::max(std::min(m_limit_s, m_left_s), k_least_limit_s) / k_ns);
    for (const GpuTrial& trial : trials) {
        call.plays.push_back(
            {static_cast<std::uint32_t>(task_index_of(m_task.layout(), trial.judged->workload)),
             trial.tensors});
    }
    ATOLL_TRY_ASSIGN(const GpuPlayed played, m_runner.play(call));
    const std::size_t done = played.wall_ns.size();
    m_left_s -= k_ns * std::accumulate(played.wall_ns.begin(), played.wall_ns.end(), 0.0);
    ATOLL_TRY_ASSIGN(std::vector<GpuCheck> checks, m_task.judge(trials.first(done)));
    if (played.fault) {
        checks.push_back(m_task.check_of_fault(*trials[done].judged,
                                               {played.fault->outcome, played.fault->reason}));
    } else if (m_left_s <= 0) {
        checks.back().fault = CandidateFault{
            Outcome::timeout, "the launches of verification took longer than all of them may"};
    }
    return checks;
}

/// A wrong answer is asked for again with the same inputs at the other ends.
Status GpuCaseVerifier::ask_again(const GpuTrial& trial, Placement placement, GpuCheck& check) {
    m_pool.expose(*trial.judged);
    if (!is_wrong_answer(*check.fault) || !m_runner.usable()) {
        return {};
    }
    GpuTrial again = trial;
    again.tensors = m_task.places(trial.judged->workload, 0, other(placement));
    ATOLL_TRY_ASSIGN(const auto checks, launch(std::span(&again, 1)));
    if (!checks.front().fault) {
        check.fault->outcome = Outcome::inconsistent;
        check.fault->reason = "right and wrong by turns on the same inputs: " + check.fault->reason;
    }
    return {};
}

Expected<GpuVerifyReport> GpuCaseVerifier::run(std::span<const GpuWish> wishes) {
    GpuVerifyReport report;
    while (!wishes.empty()) {
        ATOLL_TRY_ASSIGN(const Batch batch, make_batch(wishes));
        ATOLL_TRY_ASSIGN(std::vector<GpuCheck> checks, launch(batch.trials));
        for (std::size_t i = 0; i < checks.size(); ++i) {
            GpuCheck& check = checks[i];
            if (check.fault) {
                ATOLL_TRY(ask_again(batch.trials[i], batch.placements[i], check));
            }
            report.cases.push_back(std::move(check.report));
            if (check.fault) {
                report.fault = std::move(check.fault);
                return report;
            }
        }
        wishes = wishes.subspan(batch.trials.size());
    }
    return report;
}

Expected<std::vector<GpuWish>> wishes_of(GpuTask& task, GpuCasePool& pool, CounterRng& rng) {
    const TaskLayout& layout = task.layout();
    const std::size_t distributions = std::max<std::size_t>(layout.task().distributions.size(), 1);
    std::vector<std::size_t> order = layout.verified();
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return layout.workloads()[a].total_bytes() < layout.workloads()[b].total_bytes();
    });
    std::vector<GpuWish> wishes;
    std::set<std::size_t> met;
    Placement placement = Placement::end;
    for (const Pairing& pair :
         covering_schedule(order.size(), distributions, CasePool::k_most_verified)) {
        const std::size_t workload = order[pair.workload];
        if (pair.distribution == 0 && !task.is_small(workload) && is_measured(layout, workload)) {
            continue;  // that case comes below, and none comes twice
        }
        wishes.push_back({workload, pair.distribution, placement, nullptr});
        placement = other(placement);
        if (met.insert(workload).second && task.is_small(workload)) {
            wishes.push_back({workload, pair.distribution, placement, nullptr});
        }
    }
    // By size, so that one batch holds as many as possible.
    std::stable_sort(wishes.begin(), wishes.end(), [&](const GpuWish& a, const GpuWish& b) {
        return task.is_small(a.workload) && !task.is_small(b.workload);
    });
    for (const std::size_t workload : layout.measured()) {
        ATOLL_TRY_ASSIGN(GpuCase * judged, pool.get(workload, 0));
        wishes.push_back({workload, 0, placement, judged});
        placement = other(placement);
    }
    if (distributions > 1 && !layout.measured().empty()) {
        const std::size_t workload = layout.measured()[rng.below(layout.measured().size())];
        const std::size_t distribution = 1 + rng.below(distributions - 1);
        ATOLL_TRY_ASSIGN(GpuCase * judged, pool.get(workload, distribution));
        wishes.push_back({workload, distribution, placement, judged});
    }
    return wishes;
}

}  // namespace atl
