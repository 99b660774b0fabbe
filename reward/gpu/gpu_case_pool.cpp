#include "reward/gpu/gpu_case_pool.hpp"

#include "reward/verifier/cases.hpp"

namespace atl {

Expected<GpuCase*> GpuCasePool::get(std::size_t workload, std::size_t distribution,
                                    std::size_t number) {
    const Place place{workload, distribution, number};
    auto known = m_cases.find(place);
    if (known == m_cases.end()) {
        ATOLL_TRY_ASSIGN(GpuCase made, m_task->kept_case(workload, distribution));
        known = m_cases.emplace(place, Kept{std::move(made), 0}).first;
    }
    Kept& kept = known->second;
    if (++kept.uses > k_most_uses) {
        kept.uses = 1;
        kept.made.seed = secret_seed();
        kept.made.answered = false;
    }
    return &kept.made;
}

void GpuCasePool::expose(const GpuCase& shown) {
    for (auto& [place, kept] : m_cases) {
        if (&kept.made == &shown) {
            kept.uses = k_most_uses;
        }
    }
}

}  // namespace atl
