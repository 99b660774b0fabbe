#include "reward/verifier/task_layout.hpp"

#include "reward/base/frame.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace atl {

namespace {

constexpr int k_most_slots = 3;
constexpr int k_least_slots = 2;
/// Above this much per slot a third slot costs more memory than it is worth.
constexpr std::uint64_t k_large_slot_bytes = 256ull << 20;
/// Two handles of a start_run frame are the binary and the control page.
constexpr std::size_t k_buffer_handles = k_max_frame_handles - 2;

}  // namespace

std::uint64_t BoundWorkload::total_bytes() const {
    return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
}

TaskLayout::TaskLayout(TaskPtr task) : m_task(std::move(task)) {
    for (std::size_t i = 0; i < m_task->inputs.size(); ++i) {
        if (!m_task->inputs[i].scalar) {
            m_tensors.push_back(&m_task->inputs[i]);
            m_input_positions.push_back(i);
        }
    }
    m_tensor_inputs = m_tensors.size();
    for (const TensorSpec& output : m_task->outputs) {
        m_tensors.push_back(&output);
    }
}

Expected<BoundWorkload> TaskLayout::bind(const Workload& workload) const {
    BoundWorkload bound;
    bound.workload = &workload;
    ATOLL_TRY_ASSIGN(bound.axes, bind_axes(*m_task, workload));
    for (const Axis& axis : m_task->axes) {
        if (axis.kind == Axis::Kind::variable) {
            bound.variable_axes.push_back(bound.axes.at(axis.name));
        }
    }
    for (const TensorSpec& input : m_task->inputs) {
        if (input.scalar) {
            const auto value = workload.scalars.find(input.name);
            if (value == workload.scalars.end()) {
                return failure(ErrorCode::invalid_argument, "scalar input has no value",
                               m_task->name + "/" + workload.id + "/" + input.name);
            }
            bound.scalars.push_back(value->second);
        }
    }
    for (const TensorSpec* tensor : m_tensors) {
        ATOLL_TRY_ASSIGN(const std::int64_t count, element_count(*tensor, bound.axes));
        bound.counts.push_back(count);
        bound.bytes.push_back(static_cast<std::uint64_t>(count) * size_of(tensor->dtype));
    }
    bound.tolerance = workload.tolerance.value_or(m_task->tolerance);
    return bound;
}

Expected<TaskLayout> TaskLayout::create(TaskPtr task, bool with_hidden) {
    TaskLayout layout(std::move(task));
    if (layout.tensors() * k_least_slots > k_buffer_handles || layout.m_task->outputs.empty()) {
        return failure(ErrorCode::limit,
                       "a task needs 1 to " + std::to_string(k_buffer_handles / k_least_slots) +
                           " tensors, an output among them",
                       layout.m_task->name);
    }
    std::map<std::pair<Workload::Use, bool>, std::size_t> counts;
    for (const Workload& workload : layout.m_task->workloads) {
        if ((workload.hidden && !with_hidden) ||
            ++counts[{workload.use, workload.hidden}] > k_most_workloads) {
            continue;
        }
        ATOLL_TRY_ASSIGN(BoundWorkload bound, layout.bind(workload));
        std::vector<std::size_t>& group =
            workload.use == Workload::Use::verify ? layout.m_verified : layout.m_measured;
        group.push_back(layout.m_workloads.size());
        layout.m_workloads.push_back(std::move(bound));
    }
    if (layout.m_workloads.empty()) {
        return failure(ErrorCode::invalid_argument, "has no workloads to judge by",
                       layout.m_task->name,
                       "give public ones in its workload.jsonl: the hidden ones are for "
                       "confirmations");
    }
    if (layout.m_verified.empty()) {
        layout.m_verified = layout.m_measured;
    }
    return layout;
}

int TaskLayout::slots() const {
    const std::vector<std::uint64_t> sizes = capacity();
    const std::uint64_t total = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
    const bool fits = tensors() * k_most_slots <= k_buffer_handles;
    return fits && total <= k_large_slot_bytes ? k_most_slots : k_least_slots;
}

std::vector<std::uint64_t> TaskLayout::capacity() const {
    std::vector<std::uint64_t> sizes(tensors(), 0);
    for (const BoundWorkload& workload : m_workloads) {
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            sizes[i] = std::max(sizes[i], workload.bytes[i]);
        }
    }
    return sizes;
}

std::uint32_t TaskLayout::launch_index(std::size_t workload, int slot, Placement placement) const {
    const auto row = static_cast<std::uint32_t>(workload) * static_cast<std::uint32_t>(slots());
    return 2 * (row + static_cast<std::uint32_t>(slot)) + (placement == Placement::end ? 1 : 0);
}

std::vector<StartRun::LaunchArguments> TaskLayout::launches(const SharedBuffers& buffers) const {
    std::vector<StartRun::LaunchArguments> all;
    for (const BoundWorkload& workload : m_workloads) {
        for (int slot = 0; slot < buffers.slots(); ++slot) {
            for (const Placement placement : {Placement::start, Placement::end}) {
                StartRun::LaunchArguments launch{{}, workload.scalars, workload.variable_axes};
                for (std::size_t i = 0; i < tensors(); ++i) {
                    launch.tensors.push_back(
                        {static_cast<std::uint32_t>(buffers.mapping_index(slot, i)),
                         buffers.offset(slot, i, workload.bytes[i], placement)});
                }
                all.push_back(std::move(launch));
            }
        }
    }
    return all;
}

}  // namespace atl
