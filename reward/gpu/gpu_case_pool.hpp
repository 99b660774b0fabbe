#pragma once

#include "reward/base/error.hpp"
#include "reward/gpu/gpu_task.hpp"

#include <cstddef>
#include <map>

namespace atl {

/// Cases whose answers take too much memory or time to be made for every candidate: those of large
/// and of timed workloads. They stay across candidates, since nothing leaves but the verdict and
/// everything that the runner maps is overwritten in between, and get a new seed when a verdict
/// showed a part of the answer or k_most_uses candidates met them. Used on the thread of its Gpu.
class GpuCasePool {
  public:
    /// Of a workload that is timed: the first one is verification's, the others are for launches
    /// that are timed and judged, since a candidate meets none twice.
    static constexpr std::size_t k_timed_cases = 4;
    static constexpr int k_most_uses = 32;

    explicit GpuCasePool(GpuTask& task) : m_task(&task) {}

    /// `number`: which of those of the workload and the distribution.
    [[nodiscard]] Expected<GpuCase*> get(std::size_t workload, std::size_t distribution,
                                         std::size_t number = 0);
    /// Its answer stands in a verdict: the next get() makes it anew.
    void expose(const GpuCase& shown);

  private:
    struct Kept {
        GpuCase made;
        int uses = 0;
    };
    struct Place {
        std::size_t workload;
        std::size_t distribution;
        std::size_t number;
        auto operator<=>(const Place&) const = default;
    };

    GpuTask* m_task;
    std::map<Place, Kept> m_cases;
};

}  // namespace atl
