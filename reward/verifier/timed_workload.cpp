#include "reward/verifier/timed_workload.hpp"

#include "reward/base/hash.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace atl {

namespace {

constexpr std::chrono::milliseconds k_anchor_interval{4};
constexpr std::int64_t k_changed_share = 16;  ///< at least one element in so many
/// Elements per output that are noted of every launch. Even where an output element depends on
/// one input element only, that two honest answers agree in all of them has a probability of
/// (15/16)^256 < 1e-7.
constexpr std::size_t k_marked_places = 256;
/// A launch cannot be shorter than this share of what the round trip took.
constexpr double k_least_share = 0.02;

std::chrono::nanoseconds now() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

void TimingTools::read_anchor(bool now_please) {
    if (now_please || drift.empty() || now() - drift.last() > k_anchor_interval) {
        const auto start = now();
        drift.add(anchor.read());
        timed_seconds += seconds(now() - start);
    }
}

TimedWorkload::TimedWorkload(Bench& bench, TimedCases& cases, std::size_t first_case, int slots,
                             double overhead_ns, TimingTools& tools)
    : m_bench(bench),
      m_cases(cases),
      m_tools(tools),
      m_overhead_ns(overhead_ns),
      m_slots(static_cast<std::size_t>(slots)),
      m_shown{first_case} {
    const std::size_t count = cases.cases.size();
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
        m_slots[i].base = (first_case + 1 + i % std::max<std::size_t>(count - 1, 1)) % count;
    }
    for (std::size_t i = 0; i < k_marked_places; ++i) {
        m_mark_places.push_back(m_tools.rng());
    }
}

Spot TimedWorkload::spot_of(std::size_t slot) const {
    return {m_cases.workload, static_cast<int>(slot), Placement::start};
}

std::size_t TimedWorkload::next_slot() {
    return m_turn++ % m_slots.size();
}

void TimedWorkload::copy_elements(std::size_t slot, std::size_t tensor, const InputSet& from,
                                  std::int64_t source, Block to) const {
    const TaskLayout& layout = m_bench.layout();
    const std::size_t width = size_of(layout.tensor(tensor).dtype);
    const auto& values = from.tensors[layout.input_position(tensor)];
    std::memcpy(
        m_bench.tensor(spot_of(slot), tensor).data() + static_cast<std::size_t>(to.begin) * width,
        values.data() + static_cast<std::size_t>(source) * width,
        static_cast<std::size_t>(to.end - to.begin) * width);
}

void TimedWorkload::load(std::size_t slot) {
    Slot& state = m_slots[slot];
    m_bench.write_inputs(spot_of(slot), m_cases.cases[state.base].inputs);
    state.foreign.assign(m_bench.layout().tensor_inputs(), Block{});
    state.loaded = true;
}

void TimedWorkload::put_back(std::size_t slot) {
    Slot& state = m_slots[slot];
    for (std::size_t tensor = 0; tensor < state.foreign.size(); ++tensor) {
        const Block block = std::exchange(state.foreign[tensor], Block{});
        copy_elements(slot, tensor, m_cases.cases[state.base].inputs, block.begin, block);
    }
}

void TimedWorkload::change(std::size_t slot) {
    if (!m_slots[slot].loaded) {
        load(slot);
    }
    put_back(slot);
    const std::vector<std::int64_t>& counts = m_bench.layout().workloads()[m_cases.workload].counts;
    const auto random_below = [&](std::int64_t bound) {
        return static_cast<std::int64_t>(m_tools.rng.below(static_cast<std::uint64_t>(bound)));
    };
    for (std::size_t tensor = 0; tensor < m_slots[slot].foreign.size(); ++tensor) {
        const std::int64_t count = counts[tensor];
        const std::int64_t length = (count + k_changed_share - 1) / k_changed_share;
        const std::int64_t begin = random_below(count - length + 1);
        const Block block{begin, begin + length};
        copy_elements(slot, tensor, m_cases.donor, random_below(count - length + 1), block);
        m_slots[slot].foreign[tensor] = block;
    }
}

std::uint64_t TimedWorkload::fingerprint(const Spot& spot) const {
    const TaskLayout& layout = m_bench.layout();
    std::vector<std::byte> gathered;
    for (std::size_t i = layout.tensor_inputs(); i < layout.tensors(); ++i) {
        const std::span<const std::byte> output = m_bench.tensor(spot, i);
        const std::size_t width = size_of(layout.tensor(i).dtype);
        for (std::size_t place = 0; place < m_mark_places.size() && !output.empty(); ++place) {
            const std::size_t element = m_mark_places[place] % (output.size() / width);
            const auto bytes = output.subspan(element * width, width);
            gathered.insert(gathered.end(), bytes.begin(), bytes.end());
        }
    }
    return checksum64(gathered.data(), gathered.size());
}

Expected<std::optional<CandidateFault>> TimedWorkload::launch(std::size_t slot, bool counted) {
    const Spot spot = spot_of(slot);
    m_bench.prepare(spot);
    m_tools.read_anchor(false);
    m_bench.make_cold(spot, m_tools.flusher);
    const auto at = now();
    ATOLL_TRY_ASSIGN(const CandidateRun::Launch result, m_bench.launch(spot));
    if (!result.ok) {
        CandidateFault fault = result.fault;
        fault.reason +=
            ", in a timed launch on " + describe_case(m_bench.layout(), m_cases.workload, 0);
        return fault;
    }
    if (counted) {
        const auto ns = static_cast<double>(result.elapsed.count());
        m_samples.push_back({at, std::max(ns - m_overhead_ns, k_least_share * ns)});
        m_elapsed_seconds += seconds(result.elapsed);
    }
    m_tools.timed_seconds += seconds(result.elapsed);
    return std::optional<CandidateFault>{};
}

Expected<std::optional<CandidateFault>> TimedWorkload::sample() {
    const std::size_t slot = next_slot();
    change(slot);
    ATOLL_TRY_ASSIGN(auto fault, launch(slot, true));
    if (!fault) {
        m_marks.push_back(fingerprint(spot_of(slot)));
    }
    return fault;
}

Expected<std::optional<CandidateFault>> TimedWorkload::warm_up() {
    const std::size_t slot = next_slot();
    change(slot);
    return launch(slot, false);
}

std::size_t TimedWorkload::checks_left() const {
    std::set<std::size_t> unseen;
    for (const Slot& slot : m_slots) {
        if (!m_shown.contains(slot.base)) {
            unseen.insert(slot.base);
        }
    }
    return unseen.size();
}

Expected<std::optional<CandidateFault>> TimedWorkload::checked_sample() {
    std::size_t slot = next_slot();
    while (m_shown.contains(m_slots[slot].base)) {
        slot = next_slot();
    }
    if (!m_slots[slot].loaded) {
        load(slot);
    }
    put_back(slot);
    Case& judged = m_cases.cases[m_slots[slot].base];
    m_shown.insert(m_slots[slot].base);
    ++judged.uses;
    ATOLL_TRY_ASSIGN(auto fault, launch(slot, true));
    if (fault) {
        return fault;
    }
    const Spot spot = spot_of(slot);
    const std::uint64_t mark = fingerprint(spot);
    const Bench::Check check = m_bench.check(spot, judged);
    if (check.fault) {
        judged.exposed = true;
        return std::optional(this->judge(check, mark));
    }
    ++m_checks;
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

void TimedWorkload::forget_buffers() {
    for (Slot& slot : m_slots) {
        slot.loaded = false;
    }
}

void TimedWorkload::forget_samples() {
    m_samples.clear();
    m_elapsed_seconds = 0;
}

std::vector<double> TimedWorkload::raw() const {
    std::vector<double> values;
    for (const Sample& sample : m_samples) {
        values.push_back(sample.ns);
    }
    return values;
}

std::vector<double> TimedWorkload::corrected() const {
    std::vector<double> values;
    for (const Sample& sample : m_samples) {
        values.push_back(sample.ns / m_tools.drift.ratio_at(sample.at));
    }
    return values;
}

WorkloadTiming TimedWorkload::timing() const {
    const Workload& workload = *m_bench.layout().workloads()[m_cases.workload].workload;
    WorkloadTiming timing;
    timing.workload = workload.id;
    timing.hidden = workload.hidden;
    timing.reverified = m_checks;
    std::vector<double> ratios;
    for (const Sample& sample : m_samples) {
        timing.samples_ns.push_back(sample.ns);
        ratios.push_back(m_tools.drift.ratio_at(sample.at));
    }
    if (!m_samples.empty()) {
        const std::vector<double> values = corrected();
        const MedianInterval interval = median_interval(values);
        timing.median_ns = median(values);
        timing.low_ns = interval.low;
        timing.high_ns = interval.high;
        timing.anchor_ratio = median(ratios);
    }
    return timing;
}

}  // namespace atl
