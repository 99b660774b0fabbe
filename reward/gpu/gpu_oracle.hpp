#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/plan_player.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "reward/verifier/task_layout.hpp"

#include <cstddef>
#include <map>
#include <span>

namespace atl {

/// The task's reference on the device, with outputs of double. It is trusted, and runs in the
/// verifier's process. Used on the thread of its Gpu.
class GpuOracle {
  public:
    GpuOracle(const Gpu& gpu, const TaskLayout& layout, GpuPackage package)
        : m_gpu(&gpu), m_layout(&layout), m_package(std::move(package)) {}

    /// Queues the reference on a workload (index into TaskLayout::workloads()). `inputs`: addresses
    /// by tensor; `wants`: of each output. no_space when the device has no room for it;
    /// invalid_argument when it cannot be started else: the task's fault.
    [[nodiscard]] Status answer(std::size_t workload, std::span<const cuda::Address> inputs,
                                std::span<const cuda::Address> wants, cuda::Stream stream);

    /// Scratch memory of what was asked so far.
    [[nodiscard]] std::uint64_t device_bytes() const;

  private:
    [[nodiscard]] Expected<PlanPlayer*> player_of(std::size_t workload);

    const Gpu* m_gpu;
    const TaskLayout* m_layout;
    GpuPackage m_package;
    std::map<std::size_t, PlanPlayer> m_players;
};

/// Index of Task::workloads of a layout's workload.
[[nodiscard]] std::size_t task_index_of(const TaskLayout& layout, std::size_t workload);

}  // namespace atl
