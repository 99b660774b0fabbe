#include "reward/verifier/timed_workload.hpp"

#include "reward/base/hash.hpp"
#include "reward/statistics.hpp"
#include "reward/verifier/case_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace atl {

namespace {

/// Elements per output that are looked at after every launch.
constexpr std::size_t k_marked_places = 256;
/// A launch cannot be shorter than this share of what the round trip took.
constexpr double k_least_share = 0.02;
/// What the samples of one process cannot show, since it is the same for all of them: the pages
/// that it got, and where its code lies. Half the spread of repeated evaluations without a
/// disturbance (experiments/results/measurement_quality.md).
constexpr double k_between_processes = 0.01;
/// Disturbances are either shorter, or so long that waiting for their end is in vain.
constexpr double k_longest_wait_s = 0.02;

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

Anchor::Reading TimingTools::read_before_launch() {
    const Anchor::Wait wait = anchor.wait_until(
        TimingSamples::k_quiet, std::clamp(patience_seconds, 0.0, k_longest_wait_s));
    patience_seconds -= wait.seconds;
    return wait.last;
}

TimedWorkload::TimedWorkload(Bench& bench, TimedCases& cases, std::size_t first_case,
                             TimingTools& tools)
    : m_bench(bench), m_cases(cases), m_tools(tools) {
    for (std::size_t i = 0; i < cases.cases.size(); ++i) {
        if (i != first_case) {
            m_unseen.push_back(i);
        }
    }
    std::shuffle(m_unseen.begin(), m_unseen.end(), m_tools.rng);
    for (std::size_t i = 0; i < k_marked_places; ++i) {
        m_mark_places.push_back(m_tools.rng());
    }
}

Spot TimedWorkload::next_spot() {
    const auto slots = static_cast<std::size_t>(m_bench.layout().slots());
    return {m_cases.workload, static_cast<int>(m_turn++ % slots), Placement::start};
}

Contents TimedWorkload::inputs_of(const Case& judged, std::size_t tensor) const {
    const auto& values = judged.inputs.tensors[m_bench.layout().input_position(tensor)];
    return {values, {{0, 0, values.size()}}};
}

TimedWorkload::Marks TimedWorkload::look(const Spot& spot) const {
    const TaskLayout& layout = m_bench.layout();
    Marks marks;
    std::vector<std::byte> gathered;
    for (std::size_t i = layout.tensor_inputs(); i < layout.tensors(); ++i) {
        const std::span<const std::byte> output = m_bench.tensor(spot, i);
        const std::size_t width = size_of(layout.tensor(i).dtype);
        for (std::size_t place = 0; place < m_mark_places.size() && !output.empty(); ++place) {
            const std::size_t element = m_mark_places[place] % (output.size() / width);
            const auto bytes = output.subspan(element * width, width);
            gathered.insert(gathered.end(), bytes.begin(), bytes.end());
            if (is_poison(layout.tensor(i).dtype, bytes, 0)) {
                marks.unwritten = layout.tensor(i).name;
            }
        }
    }
    marks.digest = checksum64(gathered.data(), gathered.size());
    return marks;
}

Expected<std::optional<CandidateFault>> TimedWorkload::launch(const Spot& spot,
                                                              const ContentSource& source) {
    m_bench.prepare_cold(spot, m_tools.flusher, source);
    TimedSample sample;
    sample.before = m_tools.read_before_launch();
    ATOLL_TRY_ASSIGN(const CandidateRun::Launch result, m_bench.launch(spot));
    if (!result.ok) {
        CandidateFault fault = result.fault;
        fault.reason +=
            ", in a timed launch on " + describe_case(m_bench.layout(), m_cases.workload, 0);
        return fault;
    }
    const auto ns = static_cast<double>(result.elapsed.count());
    sample.ns = std::max(ns - m_bench.overhead_ns(), k_least_share * ns);
    sample.after = m_tools.anchor.read();
    m_samples.add(sample);
    m_tools.timed_seconds += seconds(result.elapsed);
    return std::optional<CandidateFault>{};
}

Expected<std::optional<CandidateFault>> TimedWorkload::sample() {
    const Spot spot = next_spot();
    const ShuffledInputs inputs(m_tools.rng, m_bench.layout(), m_cases.workload, m_cases.donor);
    ATOLL_TRY_ASSIGN(auto fault,
                     launch(spot, [&](std::size_t tensor) { return inputs.contents(tensor); }));
    if (fault) {
        return fault;
    }
    const Marks marks = look(spot);
    if (!marks.unwritten.empty()) {
        return CandidateFault{
            Outcome::reward_hack,
            fmt::format("passed verification, but left {} unwritten in a timed launch on {}",
                        marks.unwritten, describe_case(m_bench.layout(), m_cases.workload, 0))};
    }
    m_marks.push_back(marks.digest);
    return fault;
}

Expected<std::optional<CandidateFault>> TimedWorkload::checked_sample() {
    Case& judged = m_cases.cases[m_unseen.back()];
    m_unseen.pop_back();
    ++judged.uses;
    const Spot spot = next_spot();
    ATOLL_TRY_ASSIGN(auto fault,
                     launch(spot, [&](std::size_t tensor) { return inputs_of(judged, tensor); }));
    if (fault) {
        return fault;
    }
    const std::uint64_t mark = look(spot).digest;
    const Bench::Check check = m_bench.check(spot, judged);
    if (check.fault) {
        judged.exposed = true;
        return std::optional(this->judge(check, mark));
    }
    ++m_checks;
    ++m_all_checks;
    m_samples.mark_last_judged();
    m_marks.push_back(mark);
    return std::optional<CandidateFault>{};
}

CandidateFault TimedWorkload::judge(const Bench::Check& check, std::uint64_t mark) const {
    CandidateFault fault = *check.fault;
    if (fault.outcome != Outcome::wrong_result && fault.outcome != Outcome::non_finite) {
        return fault;
    }
    if (std::find(m_marks.begin(), m_marks.end(), mark) != m_marks.end()) {
        return {
            Outcome::reward_hack,
            "gave the answer of an earlier launch when the inputs had changed; " + fault.reason};
    }
    return {Outcome::inconsistent,
            "passed verification, but was wrong in a timed launch: " + fault.reason};
}

void TimedWorkload::forget_samples() {
    m_samples.clear();
    m_checks = 0;
}

WorkloadTiming TimedWorkload::timing() const {
    const Workload& workload = *m_bench.layout().workloads()[m_cases.workload].workload;
    WorkloadTiming timing;
    timing.workload = workload.id;
    timing.hidden = workload.hidden;
    timing.reverified = m_all_checks;
    timing.samples_ns = m_samples.raw();
    timing.anchor_ratio = m_samples.disturbance();
    timing.clock_ratio = m_samples.clock();
    if (m_samples.size() > 0) {
        const MedianInterval interval = m_samples.interval();
        timing.median_ns = m_samples.median_ns();
        timing.low_ns = interval.low * (1 - k_between_processes);
        timing.high_ns = std::max(interval.high, timing.median_ns) * (1 + k_between_processes);
    }
    return timing;
}

}  // namespace atl
