#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/gpu_memory.hpp"
#include "reward/gpu/exported_buffers.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/gpu/support_kernels.hpp"
#include "reward/verifier/task_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace atl {

/// Inputs of a task's workloads, made on the device from a seed: the values that make_input_set()
/// makes of it on the host. Sparse matrices, whose entries depend on each other, are made on the
/// host instead, a few per workload (donors), and the seed says which one. Used on the thread of
/// its Gpu.
class GpuInputs {
  public:
    /// `shared`: where the runner's copies of donors are put; it outlives this, and may change
    /// places with others of the same sizes.
    GpuInputs(const Gpu& gpu, const SupportKernels& kernels, const TaskLayout& layout,
              ExportedBuffers& shared)
        : m_gpu(&gpu), m_kernels(&kernels), m_layout(&layout), m_shared(&shared) {}

    /// Makes the donors of those workloads that have any, with the task's first distribution for
    /// all (sparse matrices do not differ between distributions in kind).
    [[nodiscard]] Status make_donors(cuda::Stream stream);

    /// Queues making the shared donors what they were, and overwriting what lies behind them: a
    /// candidate may have written there.
    [[nodiscard]] Status restore(cuda::Stream stream) const;

    /// Queues writing every tensor input to `tensors` (addresses by tensor; outputs are passed
    /// over). Nothing of it comes from memory that the runner can reach.
    [[nodiscard]] Status fill(std::size_t workload, std::size_t distribution, std::uint64_t seed,
                              std::span<const cuda::Address> tensors, cuda::Stream stream) const;

    /// What the runner does to the same effect.
    [[nodiscard]] Expected<std::vector<GpuRefill>> refills(std::size_t workload,
                                                           std::size_t distribution) const;
    [[nodiscard]] static std::uint32_t donor_of(std::uint64_t seed) { return seed % k_donors; }

    /// Whether tensors of the workload come from donors.
    [[nodiscard]] bool has_donors(std::size_t workload) const;

    /// Of the donors' originals.
    [[nodiscard]] std::uint64_t device_bytes() const;

    static constexpr std::uint32_t k_donors = 3;

  private:
    struct Donor {
        std::uint32_t buffer = 0;  ///< of those that are shared with the runner
        std::uint64_t bytes = 0;
        GpuBuffer original;  ///< in this process only
    };
    [[nodiscard]] Expected<InputGenerator> generator(std::size_t workload, std::size_t distribution,
                                                     std::size_t tensor) const;
    [[nodiscard]] bool is_sparse(std::size_t tensor) const;
    [[nodiscard]] Status make_donor(std::size_t workload, cuda::Stream stream);

    const Gpu* m_gpu;
    const SupportKernels* m_kernels;
    const TaskLayout* m_layout;
    ExportedBuffers* m_shared;
    std::vector<Donor> m_donors;
    /// (workload, tensor) -> index of the first of its k_donors donors.
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> m_donors_of;
};

}  // namespace atl
