#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/gpu/gpu_case_pool.hpp"
#include "reward/gpu/gpu_task.hpp"
#include "reward/gpu/runner_client.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace atl {

/// A launch that is wanted on a workload's inputs; placement says which end of its buffers is
/// exact.
struct GpuWish {
    std::size_t workload = 0;
    std::size_t distribution = 0;
    Placement placement = Placement::end;
    GpuCase* judged = nullptr;  ///< nullptr: a fresh case
};

struct GpuVerifyReport {
    std::vector<VerifyCase> cases;
    std::optional<CandidateFault> fault;  ///< of the first that was wrong
};

/// Launches of one program on cases with answers: in batches of as many as there are slots, so that
/// the device changes between verifier and runner twice a batch. Each launch meets freshly loaded
/// code, so that device globals carry nothing from one to the next. Used on the thread of its Gpu.
class GpuCaseVerifier {
  public:
    /// All launches together may take `allowance_s`, one of them `launch_timeout_s`.
    GpuCaseVerifier(GpuTask& task, GpuCasePool& pool, RunnerClient& runner, std::uint32_t program,
                    double launch_timeout_s, double allowance_s);

    /// Until one is wrong.
    [[nodiscard]] Expected<GpuVerifyReport> run(std::span<const GpuWish> wishes);

  private:
    struct Batch {
        std::vector<GpuCase> fresh;
        std::vector<GpuTrial> trials;
        std::vector<Placement> placements;
    };
    [[nodiscard]] Expected<Batch> make_batch(std::span<const GpuWish> wishes);
    [[nodiscard]] Expected<std::vector<GpuCheck>> launch(std::span<const GpuTrial> trials);
    [[nodiscard]] Status ask_again(const GpuTrial& trial, Placement placement, GpuCheck& check);

    GpuTask& m_task;
    GpuCasePool& m_pool;
    RunnerClient& m_runner;
    std::uint32_t m_program;
    double m_limit_s;
    double m_left_s;
};

/// What every candidate has to pass, cheapest first: all verify workloads with distributions (those
/// that are small at both ends of their buffers once), then every timed shape, one of them with
/// another distribution than the first. The first one is the smoke test.
[[nodiscard]] Expected<std::vector<GpuWish>> wishes_of(GpuTask& task, GpuCasePool& pool,
                                                       CounterRng& rng);

}  // namespace atl
