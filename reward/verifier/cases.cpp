#include "reward/verifier/cases.hpp"

#include "reward/comparison.hpp"
#include "reward/input_sets.hpp"
#include "reward/verifier/shared_buffers.hpp"
#include "reward/verifier/shuffle.hpp"

#include <signal.h>
#include <sys/random.h>
#include <sys/time.h>

#include <algorithm>
#include <stdexcept>

namespace atl {

namespace {

constexpr std::size_t k_least_timed = 2;
constexpr std::size_t k_most_timed = 4;
/// Memory that the cases of all timed workloads may take together, before their number shrinks.
constexpr std::uint64_t k_timed_budget_bytes = 768ull << 20;
constexpr std::size_t k_renewed_share = 8;

/// While it lives, SIGPROF ends this process when its time is over: a reference that loops runs in
/// this very thread, so nothing else here could stop it. The supervisor reads the signal as that.
class OracleTimeLimit {
  public:
    OracleTimeLimit() {
        ::signal(SIGPROF, SIG_DFL);
        set(k_most_oracle_seconds);
    }
    ~OracleTimeLimit() { set(0); }
    OracleTimeLimit(const OracleTimeLimit&) = delete;
    OracleTimeLimit& operator=(const OracleTimeLimit&) = delete;

  private:
    static void set(int seconds) {
        const itimerval timer{{0, 0}, {seconds, 0}};
        ::setitimer(ITIMER_PROF, &timer, nullptr);
    }
};

Expected<ExpectedOutputs> ask(const Oracle& oracle, const BoundWorkload& workload,
                              const InputSet& inputs) {
    const OracleTimeLimit limit;
    return oracle.run(workload.axes, inputs);
}

std::size_t distributions_of(const Task& task) {
    return std::max<std::size_t>(task.distributions.size(), 1);
}

std::uint64_t case_bytes(const TaskLayout& layout, const BoundWorkload& workload) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < layout.tensors(); ++i) {
        bytes += layout.is_output(i) ? static_cast<std::uint64_t>(workload.counts[i]) * 8
                                     : workload.bytes[i];
    }
    return bytes;
}

}  // namespace

std::uint64_t secret_seed() {
    std::uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != static_cast<ssize_t>(sizeof(seed))) {
        throw std::runtime_error("getrandom failed: no secret seeds, no verification");
    }
    return seed;
}

Expected<InputSet> CaseMaker::make_inputs(std::size_t workload, std::size_t distribution) const {
    const Task& task = m_layout.task();
    const BoundWorkload& bound = m_layout.workloads()[workload];
    const Distribution values =
        task.distributions.empty() ? Distribution{} : task.distributions[distribution];
    return make_input_set(task, *bound.workload, values, bound.axes, secret_seed());
}

Expected<Case> CaseMaker::make(std::size_t workload, std::size_t distribution) const {
    ATOLL_TRY_ASSIGN(InputSet inputs, make_inputs(workload, distribution));
    return answer(workload, distribution, std::move(inputs));
}

Expected<Case> CaseMaker::answer(std::size_t workload, std::size_t distribution,
                                 InputSet inputs) const {
    Case made;
    made.workload = workload;
    made.distribution = distribution;
    made.inputs = std::move(inputs);
    ATOLL_TRY_ASSIGN(made.expected, ask(m_oracle, m_layout.workloads()[workload], made.inputs));
    for (const std::vector<double>& output : made.expected) {
        made.tolerances.push_back(resolved(m_layout.workloads()[workload].tolerance, output));
    }
    return made;
}

CasePool::CasePool(const TaskLayout& layout, const Oracle& oracle)
    : m_layout(layout),
      m_maker(layout, oracle),
      m_rng(secret_seed(), RngPurpose::input_values, 0),
      m_turn(m_rng.below(distributions_of(layout.task()))) {}

std::size_t CasePool::wanted_cases(std::size_t timed) const {
    const std::uint64_t bytes =
        case_bytes(m_layout, m_layout.workloads()[m_layout.measured()[timed]]);
    const std::uint64_t share = k_timed_budget_bytes / m_layout.measured().size();
    return std::clamp<std::size_t>(share / std::max<std::uint64_t>(bytes, 1), k_least_timed,
                                   k_most_timed);
}

Status CasePool::make_timed(Place place) {
    TimedCases& timed = m_timed[place.timed];
    ATOLL_TRY_ASSIGN(Case made,
                     m_maker.answer(timed.workload, 0,
                                    shuffle_inputs(m_rng, m_layout, timed.workload, timed.donor)));
    if (place.index == timed.cases.size()) {
        timed.cases.push_back(std::move(made));
    } else {
        timed.cases[place.index] = std::move(made);
    }
    return {};
}

Expected<Case> CasePool::make_varied(std::size_t timed) {
    const std::size_t others = distributions_of(m_layout.task()) - 1;
    return m_maker.make(m_timed[timed].workload, 1 + m_turn++ % others);
}

bool CasePool::is_varied_due(int uses) const {
    return std::any_of(m_varied.begin(), m_varied.end(),
                       [uses](const Case& one) { return one.exposed || one.uses >= uses; });
}

Status CasePool::renew_varied(int uses, std::size_t most) {
    for (std::size_t i = 0; i < m_varied.size() && most > 0; ++i) {
        if (m_varied[i].exposed || m_varied[i].uses >= uses) {
            ATOLL_TRY_ASSIGN(m_varied[i], make_varied(i));
            --most;
        }
    }
    return {};
}

Status CasePool::fill() {
    std::vector<std::size_t> order = m_layout.verified();
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return m_layout.workloads()[a].total_bytes() < m_layout.workloads()[b].total_bytes();
    });
    for (const Pairing& pairing :
         covering_schedule(order.size(), distributions_of(m_layout.task()), k_most_verified)) {
        ATOLL_TRY_ASSIGN(Case made, m_maker.make(order[pairing.workload], pairing.distribution));
        m_verified.push_back(std::move(made));
    }
    std::uint64_t needed = 0;
    for (const std::size_t workload : m_layout.measured()) {
        needed += (2 + k_least_timed) * case_bytes(m_layout, m_layout.workloads()[workload]);
    }
    ATOLL_TRY(check_memory(needed, "inputs and answers of the timed workloads"));
    for (const std::size_t workload : m_layout.measured()) {
        ATOLL_TRY_ASSIGN(InputSet donor, m_maker.make_inputs(workload, 0));
        m_timed.push_back({workload, std::move(donor), {}});
        for (std::size_t i = 0; i < k_least_timed; ++i) {
            ATOLL_TRY(make_timed({m_timed.size() - 1, i}));
        }
        if (distributions_of(m_layout.task()) > 1) {
            ATOLL_TRY_ASSIGN(Case varied, make_varied(m_timed.size() - 1));
            m_varied.push_back(std::move(varied));
        }
    }
    return {};
}

Status CasePool::renew() {
    std::vector<bool> chosen(m_verified.size(), false);
    const std::size_t share = (m_verified.size() + k_renewed_share - 1) / k_renewed_share;
    for (std::size_t i = 0; i < share; ++i) {
        chosen[m_rng.below(m_verified.size())] = true;
    }
    for (std::size_t i = 0; i < m_verified.size(); ++i) {
        if (chosen[i] || m_verified[i].exposed) {
            ATOLL_TRY_ASSIGN(m_verified[i],
                             m_maker.make(m_verified[i].workload, m_verified[i].distribution));
        }
    }
    for (const Place place : due_places(k_most_uses, k_least_timed)) {
        ATOLL_TRY(make_timed(place));
    }
    return renew_varied(k_most_uses, m_varied.size());
}

/// Cases that are missing, exposed, or used that often.
std::vector<CasePool::Place> CasePool::due_places(int uses, std::size_t at_least) const {
    std::vector<Place> places;
    for (std::size_t t = 0; t < m_timed.size(); ++t) {
        const std::vector<Case>& cases = m_timed[t].cases;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            if (cases[i].exposed || cases[i].uses >= uses) {
                places.push_back({t, i});
            }
        }
        if (cases.size() < at_least) {
            places.push_back({t, cases.size()});
        }
    }
    return places;
}

bool CasePool::has_idle_work() const {
    for (std::size_t t = 0; t < m_timed.size(); ++t) {
        if (m_timed[t].cases.size() < wanted_cases(t)) {
            return true;
        }
    }
    return !due_places(k_uses_before_renewal, 0).empty() || is_varied_due(k_uses_before_renewal);
}

Status CasePool::do_idle_work() {
    for (std::size_t t = 0; t < m_timed.size(); ++t) {
        if (m_timed[t].cases.size() < wanted_cases(t)) {
            return make_timed({t, m_timed[t].cases.size()});
        }
    }
    const std::vector<Place> due = due_places(k_uses_before_renewal, 0);
    return due.empty() ? renew_varied(k_uses_before_renewal, 1) : make_timed(due.front());
}

}  // namespace atl
