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
    std::vector<std::size_t> shares(workloads);
    std::size_t left = count;
    for (std::size_t w = workloads; w-- > 0;) {
        shares[w] = std::min(distributions, left - w);  // one for each that comes before
        left -= shares[w];
    }
    // On from where the workload before stopped, so that none is left out.
    std::size_t next = 0;
    for (std::size_t w = 0; w < workloads; ++w) {
        for (std::size_t i = 0; i < shares[w]; ++i) {
            schedule.push_back({w, next++ % distributions});
        }
    }
    return schedule;
}

}  // namespace atl
