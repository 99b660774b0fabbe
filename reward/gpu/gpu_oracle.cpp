#include "reward/gpu/gpu_oracle.hpp"

namespace atl {

std::size_t task_index_of(const TaskLayout& layout, std::size_t workload) {
    return static_cast<std::size_t>(layout.workloads()[workload].workload -
                                    layout.task().workloads.data());
}

Expected<PlanPlayer*> GpuOracle::player_of(std::size_t workload) {
    if (const auto known = m_players.find(workload); known != m_players.end()) {
        return &known->second;
    }
    const std::string where = (m_layout->task().folder / "reference.cu").string();
    const Plan* plan = m_package.plan_of(task_index_of(*m_layout, workload));
    if (plan == nullptr) {
        return failure(ErrorCode::corrupt, "the reference has no plan for a workload", where);
    }
    Expected<PlanPlayer> player = PlanPlayer::load(*m_gpu, m_package.cubin, *plan);
    if (!player) {
        Error error = player.error();
        error.where = where;
        return tl::unexpected(std::move(error));
    }
    return &m_players.emplace(workload, std::move(*player)).first->second;
}

std::uint64_t GpuOracle::device_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [workload, player] : m_players) {
        bytes += player.scratch_bytes();
    }
    return bytes;
}

Status GpuOracle::answer(std::size_t workload, std::span<const cuda::Address> inputs,
                         std::span<const cuda::Address> wants, cuda::Stream stream) {
    ATOLL_TRY_ASSIGN(PlanPlayer * player, player_of(workload));
    PlanTensors tensors;
    tensors.inputs.assign(inputs.begin(),
                          inputs.begin() + static_cast<std::ptrdiff_t>(m_layout->tensor_inputs()));
    tensors.outputs.assign(wants.begin(), wants.end());
    ATOLL_TRY(player->bind(tensors));
    if (const cuda::Result result = player->play(stream); result != cuda::k_success) {
        const ErrorCode code = is_kernel_fault(result)           ? ErrorCode::unavailable
                               : result == cuda::k_out_of_memory ? ErrorCode::no_space
                                                                 : ErrorCode::invalid_argument;
        return failure(code, "the reference failed: " + m_gpu->driver().name_of(result),
                       (m_layout->task().folder / "reference.cu").string());
    }
    return {};
}

}  // namespace atl
