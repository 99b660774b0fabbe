#include "reward/gpu/gpu_profile.hpp"

#include "reward/verifier/case_words.hpp"
#include "reward/verifier/cases.hpp"

namespace atl {

namespace {

/// Index into TaskLayout::workloads(). Hidden ones are not looked for: a profile tells too much.
Expected<std::size_t> find_public(const TaskLayout& layout, std::size_t workload) {
    for (std::size_t i = 0; i < layout.workloads().size(); ++i) {
        if (task_index_of(layout, i) == workload && !layout.workloads()[i].workload->hidden) {
            return i;
        }
    }
    return failure(ErrorCode::corrupt, "there is no such public workload to profile", "evaluate");
}

Expected<GpuProfileCall> call_for(GpuTask& task, CounterRng& rng, std::size_t index) {
    const TaskLayout& layout = task.layout();
    const BoundWorkload& bound = layout.workloads()[index];
    GpuProfileCall call;
    GpuTimeCall& timed = call.launch;
    timed.workload = static_cast<std::uint32_t>(task_index_of(layout, index));
    ATOLL_TRY_ASSIGN(timed.refills, task.inputs().refills(index, 0));
    for (std::size_t i = layout.tensor_inputs(); i < layout.tensors(); ++i) {
        timed.output_bytes.push_back(bound.bytes[i]);
        timed.poison.push_back(static_cast<std::uint8_t>(poison_of(layout.tensor(i).dtype)));
    }
    GpuTimedLaunch launch;
    launch.tensors = task.places(index, 0, Placement::start);
    launch.seed = rng();
    launch.donor = GpuInputs::donor_of(launch.seed);
    timed.launches.push_back(std::move(launch));
    return call;
}

}  // namespace

Expected<CounterReading> count_launch(GpuTask& task, GpuPrograms& programs, CounterRng& rng,
                                      std::size_t workload, std::uint64_t limit_ns) {
    ATOLL_TRY_ASSIGN(const std::size_t index, find_public(task.layout(), workload));
    ATOLL_TRY_ASSIGN(GpuProfileCall call, call_for(task, rng, index));
    call.launch.limit_ns = limit_ns;
    ATOLL_TRY_ASSIGN(RunnerClient * runner, programs.runner());
    Expected<GpuProfiled> profiled = runner->profile(call);
    CounterReading reading;
    if (!profiled) {
        reading.why_none = "counting failed: " + profiled.error().message();
    } else if (profiled->fault) {
        reading.why_none = "the launch failed while it was counted: " + profiled->fault->reason;
    } else {
        reading = std::move(profiled->counters);
    }
    return reading;
}

}  // namespace atl
