#include "reward/verifier/schedule.hpp"

#include <algorithm>

namespace atl {

std::vector<Pairing> covering_schedule(std::size_t workloads, std::size_t distributions,
                                       std::size_t most) {
    std::vector<Pairing> schedule;
    if (workloads == 0 || distributions == 0) {
        return schedule;
    }
    const std::size_t all = workloads * distributions;
    const std::size_t count =
        all <= most ? all : std::min(all, std::max({most, workloads, distributions}));
    // Walk along diagonals: step i pairs workload i mod W with distribution i mod D, shifted by
    // one after each full period so that no pair comes twice.
    std::vector<bool> used(all, false);
    std::size_t shift = 0;
    for (std::size_t i = 0; schedule.size() < count; ++i) {
        const std::size_t workload = i % workloads;
        std::size_t distribution = (i + shift) % distributions;
        if (used[workload * distributions + distribution]) {
            ++shift;
            distribution = (i + shift) % distributions;
        }
        used[workload * distributions + distribution] = true;
        schedule.push_back({workload, distribution});
    }
    return schedule;
}

}  // namespace atl
