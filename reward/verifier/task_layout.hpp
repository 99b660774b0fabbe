#pragma once

#include "reward/base/error.hpp"
#include "reward/task.hpp"
#include "reward/verifier/shared_buffers.hpp"
#include "reward/workers/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace atl {

/// A workload with everything computed that a launch needs. Tensors are numbered as in a launch:
/// tensor inputs in definition order, then outputs.
struct BoundWorkload {
    const Workload* workload = nullptr;
    std::map<std::string, std::int64_t> axes;  ///< all of them
    std::vector<std::int64_t> variable_axes;   ///< launch arguments
    std::vector<double> scalars;               ///< launch arguments
    std::vector<std::int64_t> counts;          ///< elements per tensor
    std::vector<std::uint64_t> bytes;          ///< per tensor
    Tolerance tolerance;

    [[nodiscard]] std::uint64_t total_bytes() const;
};

/// How the launches of one candidate's process are laid out in shared buffers: every workload
/// considered, in every slot, at both placements. Immutable.
class TaskLayout {
  public:
    /// `with_hidden`: hidden workloads too (confirmation only).
    [[nodiscard]] static Expected<TaskLayout> create(TaskPtr task, bool with_hidden);

    [[nodiscard]] const Task& task() const { return *m_task; }
    [[nodiscard]] const TaskPtr& task_ptr() const { return m_task; }
    [[nodiscard]] const std::vector<BoundWorkload>& workloads() const { return m_workloads; }
    /// Indices into workloads(): checked ones (all that measure when none is for verifying), and
    /// timed ones.
    [[nodiscard]] const std::vector<std::size_t>& verified() const { return m_verified; }
    [[nodiscard]] const std::vector<std::size_t>& measured() const { return m_measured; }

    [[nodiscard]] std::size_t tensors() const { return m_tensors.size(); }
    [[nodiscard]] std::size_t tensor_inputs() const { return m_tensor_inputs; }
    [[nodiscard]] const TensorSpec& tensor(std::size_t index) const { return *m_tensors[index]; }
    [[nodiscard]] bool is_output(std::size_t tensor) const { return tensor >= m_tensor_inputs; }
    /// Position among task().inputs of tensor input `tensor`.
    [[nodiscard]] std::size_t input_position(std::size_t tensor) const {
        return m_input_positions[tensor];
    }

    /// Slots such that pointers differ between launches, handles fit into a frame and buffers
    /// stay modest: 3, or 2 for large tensors.
    [[nodiscard]] int slots() const;
    /// Largest size of each tensor.
    [[nodiscard]] std::vector<std::uint64_t> capacity() const;
    [[nodiscard]] std::uint32_t launch_index(std::size_t workload, int slot,
                                             Placement placement) const;
    /// The launches of a start_run message, in launch_index() order.
    [[nodiscard]] std::vector<StartRun::LaunchArguments> launches(
        const SharedBuffers& buffers) const;

  private:
    explicit TaskLayout(TaskPtr task);
    [[nodiscard]] Expected<BoundWorkload> bind(const Workload& workload) const;

    TaskPtr m_task;
    std::vector<const TensorSpec*> m_tensors;
    std::vector<std::size_t> m_input_positions;
    std::size_t m_tensor_inputs = 0;
    std::vector<BoundWorkload> m_workloads;
    std::vector<std::size_t> m_verified;
    std::vector<std::size_t> m_measured;
};

}  // namespace atl
