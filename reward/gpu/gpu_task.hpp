#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/gpu/exported_buffers.hpp"
#include "reward/gpu/gpu_inputs.hpp"
#include "reward/gpu/gpu_oracle.hpp"
#include "reward/gpu/gpu_slots.hpp"
#include "reward/gpu/runner_client.hpp"
#include "reward/gpu/support_kernels.hpp"
#include "reward/verdict.hpp"
#include "reward/verifier/candidate_fault.hpp"
#include "reward/verifier/task_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// Inputs of one workload and the answer to them, both on the device and the answer in this process
/// only.
struct GpuCase {
    std::size_t workload = 0;  ///< index into TaskLayout::workloads()
    std::size_t distribution = 0;
    std::uint64_t seed = 0;
    std::vector<cuda::Address> wants;  ///< of each output, doubles
    bool answered = false;
    std::vector<Tolerance> tolerances;     ///< per output, resolved; once answered
    std::vector<std::uint64_t> checksums;  ///< per tensor input; once answered
};

/// A launch of a candidate on a case.
struct GpuTrial {
    GpuCase* judged = nullptr;
    std::vector<GpuTensorPlace> tensors;
    bool canaries = true;  ///< prepare() was called: what lies beside the tensors is ours
};

struct GpuCheck {
    VerifyCase report;
    std::optional<CandidateFault> fault;
};

/// What stays the same for all candidates on one device.
struct GpuTools {
    const Gpu& gpu;
    SupportKernels& kernels;
    cuda::Stream stream;
};

/// A task ready to judge candidates on a GPU: its oracle, cases and buffers. The buffers are mapped
/// by the runner too and stay so while it serves this task (nothing of a candidate runs when it is
/// not asked to); inputs of the oracle and its answers are in this process only. Behind a launch
/// that does not end the task goes on in other buffers (spoil(), move_out(), move_home()). Used on
/// the thread of its Gpu. Errors are faults of ours.
class GpuTask {
  public:
    [[nodiscard]] static Expected<std::unique_ptr<GpuTask>> create(TaskPtr task, bool with_hidden,
                                                                   const FileHandle& oracle,
                                                                   const GpuTools& tools);
    GpuTask(const GpuTask&) = delete;
    GpuTask& operator=(const GpuTask&) = delete;

    [[nodiscard]] const TaskLayout& layout() const { return m_layout; }
    [[nodiscard]] const GpuInputs& inputs() const { return m_inputs; }
    /// What a runner must map before it launches anything of this task.
    [[nodiscard]] std::vector<const GpuAllocation*> shared() const { return m_shared.all(); }

    /// From now on a process that maps shared() may write there at any time, since a launch of it
    /// did not end: nothing in these buffers counts any more. REQUIRED before another runner maps
    /// them: move_out(), or move_home().
    void spoil() { m_spoilt = true; }
    [[nodiscard]] bool spoilt() const { return m_spoilt; }
    [[nodiscard]] bool has_two_sets() const { return m_other.has_value(); }
    /// Makes the buffers that move_out() takes, unless they are there. no_space where the device
    /// has no room.
    [[nodiscard]] Status make_other();
    /// Those. REQUIRES has_two_sets().
    [[nodiscard]] std::vector<const GpuAllocation*> other() const { return m_other->all(); }
    /// Takes other buffers of the same sizes and numbers, which no process maps that has not ended,
    /// and keeps the spoilt ones. REQUIRES that whoever spoilt the buffers of before has ended,
    /// where this was done before. scrub() is due next. no_space where the device has no room:
    /// then nothing changed.
    [[nodiscard]] Status move_out();
    /// device_bytes() with the second set.
    [[nodiscard]] std::uint64_t bytes_moved_out() const {
        return device_bytes() + m_shared.total_bytes();
    }
    /// REQUIRES that whoever spoilt buffers of this task has ended. Returns to those of the
    /// beginning, since times depend on which pages they have, and lets go of the others. True when
    /// shared() changed: then scrub() is due next.
    [[nodiscard]] bool move_home();

    /// Of the device's memory, what was taken so far, without the second set of buffers that a hang
    /// makes for a while: it grows with cases that are kept.
    [[nodiscard]] std::uint64_t device_bytes() const;

    /// Whether launches on the workload take place in the many small slots.
    [[nodiscard]] bool is_small(std::size_t workload) const;
    /// How many trials, at most 16 of small and 3 of other workloads, fewer where there are so many
    /// tensors that their results would not fit: of small, or else of any, workloads can be told
    /// apart.
    [[nodiscard]] std::size_t slots(bool small) const;
    [[nodiscard]] std::vector<GpuTensorPlace> places(std::size_t workload, std::size_t slot,
                                                     Placement placement) const;

    /// A case whose answer lies in a small slot's own memory until the slot's next case.
    [[nodiscard]] GpuCase small_case(std::size_t workload, std::size_t distribution,
                                     std::size_t slot) const;
    /// A case with memory of its own.
    [[nodiscard]] Expected<GpuCase> kept_case(std::size_t workload, std::size_t distribution);

    /// Overwrites all memory that the runner maps, whole allocations, and waits: what one candidate
    /// left there no other one finds. Some 3 TB/s, the memory's speed.
    [[nodiscard]] Status scrub() const;
    /// Writes inputs, poison and canaries, and waits.
    [[nodiscard]] Status prepare(std::span<const GpuTrial> trials);
    /// What the launches left. Asks the oracle for answers that are not there yet: only now, so
    /// that they are nowhere while a candidate runs. At most as many trials as there are slots.
    [[nodiscard]] Expected<std::vector<GpuCheck>> judge(std::span<const GpuTrial> trials);
    /// Whether the outputs of the trial are those, byte for byte, of one of `others`: places() that
    /// launches on the same workload with other inputs used. The trial's own are passed over.
    [[nodiscard]] Expected<bool> repeats_an_answer(
        const GpuTrial& trial, std::span<const std::vector<GpuTensorPlace>> others);
    /// The report on a launch that ended in a fault. Of a hidden workload no more is told than what
    /// kind of fault it was: not the line, which a launcher can choose by the workload's shape.
    [[nodiscard]] GpuCheck check_of_fault(const GpuCase& judged, CandidateFault fault) const;

  private:
    GpuTask(TaskLayout layout, const GpuTools& tools);
    [[nodiscard]] Status make_buffers();
    [[nodiscard]] Expected<GpuBuffer> allocate_private(std::uint64_t bytes);
    /// One per tensor input, of so many bytes (by index).
    [[nodiscard]] Expected<std::vector<GpuBuffer>> allocate_inputs(
        const std::vector<std::uint64_t>& bytes);
    /// One per output, of so many doubles as its tensor (by index in `counts`) has elements.
    [[nodiscard]] Expected<std::vector<GpuBuffer>> allocate_wants(
        const std::vector<std::uint64_t>& counts);
    [[nodiscard]] std::vector<cuda::Address> addresses(
        const std::vector<GpuTensorPlace>& places) const;
    [[nodiscard]] Status answer(std::span<const GpuTrial> trials);
    /// At most as many as there are slots of small workloads, or one.
    [[nodiscard]] Status answer_together(std::span<GpuCase* const> cases);
    using Results = std::vector<SupportKernels::Result>;
    [[nodiscard]] Results::const_iterator take_answer(GpuCase& one,
                                                      Results::const_iterator next) const;
    [[nodiscard]] Status queue_checks(const GpuTrial& trial, std::size_t& slot);
    [[nodiscard]] GpuCheck read_checks(const GpuTrial& trial,
                                       std::span<const SupportKernels::Result> results) const;
    [[nodiscard]] std::uint8_t canary_of(std::size_t tensor) const;
    [[nodiscard]] const GpuSlots& slots_of(std::size_t workload) const;

    TaskLayout m_layout;
    GpuTools m_tools;
    ExportedBuffers m_shared;
    std::optional<ExportedBuffers> m_other;  ///< after move_out(): the ones that are not in use
    bool m_away = false;                     ///< m_other are those of the beginning
    bool m_spoilt = false;
    GpuInputs m_inputs;
    std::unique_ptr<GpuOracle> m_oracle;
    std::optional<GpuSlots> m_small;
    std::optional<GpuSlots> m_large;
    std::vector<GpuBuffer> m_private_inputs;             ///< per tensor input
    std::vector<std::vector<GpuBuffer>> m_small_inputs;  ///< the same for each small slot
    std::vector<std::vector<GpuBuffer>> m_small_wants;   ///< per small slot and output
    std::vector<std::vector<GpuBuffer>> m_kept_wants;
    std::uint64_t m_private_bytes = 0;
};

/// `reason`, or of a hidden workload no more than `outcome`: lines, steps and times would tell of
/// its shape.
[[nodiscard]] std::string told_reason(const TaskLayout& layout, std::size_t workload,
                                      Outcome outcome, const std::string& reason);

/// Like TaskLayout::capacity() for some workloads.
[[nodiscard]] std::vector<std::uint64_t> capacity_of(const TaskLayout& layout,
                                                     std::span<const std::size_t> workloads);

}  // namespace atl
