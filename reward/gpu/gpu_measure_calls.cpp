// What calls of timed launches are made of: places, inputs, and which of them are judged.

#include "reward/gpu/gpu_measure.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

constexpr double k_ns = 1e-9;

void give_seed(GpuTimedLaunch& launch, std::uint64_t seed) {
    launch.seed = seed;
    launch.donor = GpuInputs::donor_of(seed);
}

}  // namespace

Expected<GpuTimeCall> GpuMeasurement::make_call(const GpuContestant& contestant,
                                                std::size_t workload, std::size_t launches) {
    const std::size_t index = layout_index(workload);
    const TaskLayout& layout = m_task.layout();
    GpuTimeCall call;
    call.program = contestant.program;
    call.workload = static_cast<std::uint32_t>(task_index_of(layout, index));
    ATOLL_TRY_ASSIGN(call.refills, m_task.inputs().refills(index, 0));
    for (std::size_t i = layout.tensor_inputs(); i < layout.tensors(); ++i) {
        call.output_bytes.push_back(layout.workloads()[index].bytes[i]);
        call.poison.push_back(static_cast<std::uint8_t>(poison_of(layout.tensor(i).dtype)));
    }
    call.events = m_by_events || m_protocol.clock == GpuProtocol::Clock::events;
    call.cold = m_protocol.cold;
    call.made_once = !m_protocol.new_inputs;
    call.limit_ns = static_cast<std::uint64_t>(m_order.launch_timeout_s / k_ns);
    const std::size_t slots = m_task.slots(m_task.is_small(index));
    const std::size_t turn = m_rng.below(slots);
    for (std::size_t i = 0; i < launches; ++i) {
        GpuTimedLaunch launch;
        const std::size_t step = m_protocol.new_inputs ? i : 0;
        launch.tensors = m_task.places(index, (turn + step) % slots, Placement::start);
        launch.seed = m_rng();
        launch.donor = GpuInputs::donor_of(launch.seed);
        call.launches.push_back(std::move(launch));
    }
    part_donors(call, workload, 0);
    return call;
}

/// The code is loaded once a call. Where sparse structure comes from donors, no two launches have
/// the same one: what a kernel derived from it and kept is of no use to the others.
std::size_t GpuMeasurement::most_launches(std::size_t workload) const {
    return m_task.inputs().has_donors(layout_index(workload)) ? GpuInputs::k_donors
                                                              : k_max_gpu_timed;
}

void GpuMeasurement::part_donors(GpuTimeCall& call, std::size_t workload, std::size_t kept) {
    std::vector<GpuTimedLaunch>& all = call.launches;
    if (!m_task.inputs().has_donors(layout_index(workload)) || all.size() > GpuInputs::k_donors) {
        return;
    }
    std::vector<std::uint32_t> taken{all[kept].donor};
    for (std::size_t i = 0; i < all.size(); ++i) {
        while (i != kept && std::find(taken.begin(), taken.end(), all[i].donor) != taken.end()) {
            give_seed(all[i], m_rng());
        }
        taken.push_back(all[i].donor);
    }
}

/// Verification showed the first one. When all were met, others are made in their places.
Expected<GpuCase*> GpuMeasurement::next_case(GpuContestant& contestant, std::size_t workload) {
    constexpr std::size_t k_kept = GpuCasePool::k_timed_cases - 1;
    const std::size_t met = contestant.met[workload]++;
    const std::size_t index = layout_index(workload);
    ATOLL_TRY_ASSIGN(GpuCase * found, m_pool.get(index, 0, 1 + met % k_kept));
    if (met >= k_kept) {
        m_pool.expose(*found);
        ATOLL_TRY_ASSIGN(found, m_pool.get(index, 0, 1 + met % k_kept));
    }
    return found;
}

Expected<GpuTrial> GpuMeasurement::judge_one(GpuContestant& contestant, GpuTimeCall& call,
                                             std::size_t workload, std::size_t launch) {
    GpuTrial trial;
    trial.canaries = false;
    ATOLL_TRY_ASSIGN(trial.judged, next_case(contestant, workload));
    give_seed(call.launches[launch], trial.judged->seed);
    part_donors(call, workload, launch);
    trial.tensors = call.launches[launch].tensors;
    return trial;
}

Expected<GpuMeasurement::JudgedBatch> GpuMeasurement::judge_last_batch(GpuContestant& contestant,
                                                                       GpuTimeCall& call,
                                                                       std::size_t workload) {
    const std::size_t index = layout_index(workload);
    const std::size_t first = call.launches.size() - call.batch;
    JudgedBatch judged;
    if (!m_task.is_small(index) || m_task.inputs().has_donors(index)) {
        ATOLL_TRY_ASSIGN(GpuTrial trial,
                         judge_one(contestant, call, workload, first + m_rng.below(call.batch)));
        judged.trials.push_back(std::move(trial));
        return judged;
    }
    judged.cases.reserve(call.batch);
    for (std::size_t i = 0; i < call.batch; ++i) {
        judged.cases.push_back(m_task.small_case(index, 0, i));
        GpuTimedLaunch& launch = call.launches[first + i];
        give_seed(launch, judged.cases.back().seed);
        judged.trials.push_back({&judged.cases.back(), launch.tensors, false});
    }
    return judged;
}

}  // namespace atl
