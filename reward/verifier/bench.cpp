#include "reward/verifier/bench.hpp"

#include "reward/verifier/case_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

namespace atl {

namespace {

/// CPU time of one candidate's process, in launches that take as long as they may; the wall clock
/// of each launch is watched by the verifier.
constexpr double k_cpu_launches = 60;

constexpr int k_empty_rounds = 9;
constexpr int k_most_empty_rounds = 100;
constexpr std::chrono::microseconds k_long_round{50};

/// Empty rounds until one is short. What a busy machine adds to them must not be taken off
/// launches. None of the candidate's code is there yet: a round that fails is our fault.
Expected<CandidateRun::Launch> time_empty_rounds(CandidateRun& run) {
    CandidateRun::Launch shortest;
    for (int i = 0; i < k_most_empty_rounds; ++i) {
        ATOLL_TRY_ASSIGN(CandidateRun::Launch round, run.launch_nothing());
        if (!round.ok) {
            return failure(
                ErrorCode::unavailable,
                "a candidate's process failed before it had anything of the candidate: " +
                    round.fault.reason,
                "runner");
        }
        // The first one waited for the process to start.
        if (i == 1 || (i > 1 && round.elapsed < shortest.elapsed)) {
            shortest = std::move(round);
        }
        if (i >= k_empty_rounds && shortest.elapsed < k_long_round) {
            break;
        }
    }
    return shortest;
}

}  // namespace

Expected<std::unique_ptr<Bench>> Bench::start(RunnerLink& runner, const FileHandle& binary,
                                              const TaskLayout& layout, SharedBuffers& buffers,
                                              const EvaluateOrder& order, bool trusted) {
    buffers.scrub();
    StartRun message;
    message.launches = layout.launches(buffers);
    message.cores = order.cores;
    message.memory_bytes = order.memory_bytes;
    message.cpu_seconds = k_cpu_launches * std::max(order.launch_timeout_s, 1.0);
    message.trusted = trusted;
    const auto timeout = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(order.launch_timeout_s));
    ATOLL_TRY_ASSIGN(auto run,
                     CandidateRun::start(runner, binary, buffers, std::move(message), timeout));
    std::unique_ptr<Bench> bench(new Bench(layout, buffers, std::move(run)));
    ATOLL_TRY_ASSIGN(const CandidateRun::Launch empty, time_empty_rounds(*bench->m_run));
    bench->m_overhead_ns = runner.shortest_round_ns(static_cast<double>(empty.elapsed.count()));
    ATOLL_TRY_ASSIGN(const CandidateRun::Launch loaded, bench->m_run->load());
    if (!loaded.ok) {
        bench->m_load_fault = loaded.fault;
    }
    return bench;
}

std::span<std::byte> Bench::tensor(const Spot& spot, std::size_t tensor) const {
    return m_buffers.place(spot.slot, tensor, m_layout.workloads()[spot.workload].bytes[tensor],
                           spot.placement);
}

void Bench::write_inputs(const Spot& spot, const InputSet& inputs) const {
    for (std::size_t i = 0; i < m_layout.tensor_inputs(); ++i) {
        const auto& from = inputs.tensors[m_layout.input_position(i)];
        std::memcpy(tensor(spot, i).data(), from.data(), from.size());
    }
}

bool Bench::inputs_intact(const Spot& spot, const InputSet& inputs) const {
    for (std::size_t i = 0; i < m_layout.tensor_inputs(); ++i) {
        const auto& from = inputs.tensors[m_layout.input_position(i)];
        if (std::memcmp(tensor(spot, i).data(), from.data(), from.size()) != 0) {
            return false;
        }
    }
    return true;
}

void Bench::prepare(const Spot& spot) const {
    const BoundWorkload& workload = m_layout.workloads()[spot.workload];
    for (std::size_t i = 0; i < m_layout.tensors(); ++i) {
        if (m_layout.is_output(i)) {
            const std::span<std::byte> output = tensor(spot, i);
            std::memset(output.data(), static_cast<int>(poison_of(m_layout.tensor(i).dtype)),
                        output.size());
        }
        m_buffers.arm_canaries(spot.slot, i, workload.bytes[i], spot.placement, canary_of(i));
    }
}

void Bench::prepare_cold(const Spot& spot, CacheFlusher& flusher,
                         const ContentSource& source) const {
    const BoundWorkload& workload = m_layout.workloads()[spot.workload];
    for (std::size_t i = 0; i < m_layout.tensors(); ++i) {
        m_buffers.arm_canaries(spot.slot, i, workload.bytes[i], spot.placement, canary_of(i));
        const std::span<std::byte> here = tensor(spot, i);
        if (m_layout.is_output(i)) {
            flusher.fill(here, poison_of(m_layout.tensor(i).dtype));
            continue;
        }
        const Contents contents = source(i);
        for (const Chunk& chunk : contents.chunks) {
            flusher.copy(here.subspan(chunk.to, chunk.length),
                         contents.values.subspan(chunk.from, chunk.length));
        }
    }
    flusher.finish();
}

Expected<CandidateRun::Launch> Bench::launch(const Spot& spot) {
    return m_run->launch(m_layout.launch_index(spot.workload, spot.slot, spot.placement));
}

/// Beside an input what is huge as a number of any type, and far away as an index: a small number
/// would be lost in the rounding of the answer it was mixed into, NaN in the search for a maximum.
std::byte Bench::canary_of(std::size_t tensor) const {
    return m_layout.is_output(tensor) ? SharedBuffers::k_canary : std::byte{0x7F};
}

bool Bench::canaries_intact(const Spot& spot, std::size_t tensor) const {
    return m_buffers.canaries_intact(spot.slot, tensor,
                                     m_layout.workloads()[spot.workload].bytes[tensor],
                                     spot.placement, canary_of(tensor));
}

std::optional<CandidateFault> Bench::check_surroundings(const Spot& spot,
                                                        const Case& judged) const {
    const std::string where = describe_case(m_layout, judged.workload, judged.distribution);
    for (std::size_t i = 0; i < m_layout.tensors(); ++i) {
        if (!canaries_intact(spot, i)) {
            return CandidateFault{
                Outcome::memory_fault,
                fmt::format("wrote outside of {} on {}", m_layout.tensor(i).name, where)};
        }
    }
    if (!inputs_intact(spot, judged.inputs)) {
        return CandidateFault{Outcome::inputs_modified, "changed its inputs on " + where};
    }
    return std::nullopt;
}

void Bench::compare_outputs(const Spot& spot, const Case& judged, Check& check) const {
    const BoundWorkload& workload = m_layout.workloads()[judged.workload];
    const std::string where = describe_case(m_layout, judged.workload, judged.distribution);
    for (std::size_t i = m_layout.tensor_inputs(); i < m_layout.tensors(); ++i) {
        const TensorSpec& output = m_layout.tensor(i);
        const std::span<const std::byte> values = tensor(spot, i);
        const std::size_t position = i - m_layout.tensor_inputs();
        const Comparison result = compare_output(output.dtype, values, judged.expected[position],
                                                 judged.tolerances[position]);
        VerifyCase& report = check.report;
        report.max_abs_error = std::max(report.max_abs_error, result.max_abs_error);
        report.max_rel_error = std::max(report.max_rel_error, result.max_rel_error);
        report.matched_ratio = std::min(report.matched_ratio, result.matched_ratio);
        if (!result.passed && report.passed) {
            report.passed = false;
            report.output = output.name;
            report.first_bad_index = result.first_bad_index;
            report.got = result.got;
            report.want = result.want;
            check.fault = fault_of_comparison(
                output, result, is_poison(output.dtype, values, result.first_bad_index), where,
                workload.workload->hidden);
        }
    }
}

Bench::Check Bench::check_of_death(const Case& judged, CandidateFault fault) const {
    fault.reason += ", on " + describe_case(m_layout, judged.workload, judged.distribution);
    Check check{begin_report(judged), std::move(fault)};
    check.report.matched_ratio = 0;
    return check;
}

VerifyCase Bench::begin_report(const Case& judged) const {
    const Workload& workload = *m_layout.workloads()[judged.workload].workload;
    VerifyCase report;
    report.workload = workload.id;
    report.distribution = distribution_name(m_layout, judged.distribution);
    report.hidden = workload.hidden;
    return report;
}

Bench::Check Bench::check(const Spot& spot, const Case& judged) const {
    Check check{begin_report(judged), std::nullopt};
    check.report.passed = true;
    compare_outputs(spot, judged, check);
    if (auto surroundings = check_surroundings(spot, judged)) {
        check.report.passed = false;
        check.fault = std::move(surroundings);
    }
    return check;
}

}  // namespace atl
