#include "reward/gpu/timed_launches.hpp"

#include "reward/gpu/runner_faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace atl {

namespace {

/// A stream takes about 1024 entries before queueing blocks (seen on an H200), and a call that
/// blocks behind a kernel which hangs would never return.
constexpr std::size_t k_most_queued = 900;
constexpr std::size_t k_entries_of_support = 4;  ///< of one fill or flush, at most

/// Queueing a step takes the host about 4 us (on an H200). Plans of so few steps are queued while
/// the cache is flushed; for longer ones an anchor per step (10 us) keeps the device busy first.
constexpr std::size_t k_steps_without_lead = 6;
constexpr std::size_t k_most_lead = 200;

std::size_t lead_of(const Plan& plan, std::size_t plays) {
    const std::size_t steps = plan.steps.size() * plays;
    return steps <= k_steps_without_lead ? 0 : std::min(steps, k_most_lead);
}

/// Steps of which the device's clocks see something.
std::size_t operations_of(const Plan& plan) {
    return static_cast<std::size_t>(
        std::count_if(plan.steps.begin(), plan.steps.end(), [](const PlanStep& step) {
            const auto* memset = std::get_if<PlanMemset>(&step.what);
            const auto* copy = std::get_if<PlanCopy>(&step.what);
            const auto* write = std::get_if<PlanWrite>(&step.what);
            return (memset == nullptr || memset->bytes > 0) &&
                   (copy == nullptr || copy->bytes > 0) &&
                   (write == nullptr || !write->data.bytes.empty());
        }));
}

/// Bytes that bind() changes may still be read from the host's memory then.
bool has_writes(const Plan& plan) {
    return std::any_of(plan.steps.begin(), plan.steps.end(), [](const PlanStep& step) {
        return std::holds_alternative<PlanWrite>(step.what);
    });
}

/// As many as asked for that a stream takes at once.
std::uint32_t plays_of(const Plan& plan, std::uint32_t asked) {
    const std::size_t fit = k_most_queued / 3 / std::max<std::size_t>(plan.steps.size(), 1);
    return has_writes(plan) ? 1
                            : static_cast<std::uint32_t>(std::clamp<std::size_t>(fit, 1, asked));
}

tl::unexpected<Error> bad_call(const std::string& what) {
    return failure(ErrorCode::invalid_argument, what, "GPU runner");
}

}  // namespace

Expected<PlanTensors> place_tensors(const Plan& plan, const std::vector<GpuTensorPlace>& tensors,
                                    const MappedBuffers& buffers) {
    if (tensors.size() != plan.inputs.size() + plan.outputs.size()) {
        return bad_call(fmt::format("{} tensors are told of, the plan has {}", tensors.size(),
                                    plan.inputs.size() + plan.outputs.size()));
    }
    PlanTensors placed;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const bool is_input = i < plan.inputs.size();
        const std::uint64_t bytes =
            is_input ? plan.inputs[i] : plan.outputs[i - plan.inputs.size()];
        ATOLL_TRY_ASSIGN(const cuda::Address address, buffers.address_of(tensors[i], bytes));
        (is_input ? placed.inputs : placed.outputs).push_back(address);
    }
    return placed;
}

TimedLaunches::TimedLaunches(const Parts& parts, LaunchClock& clock, const Plan& plan,
                             PlanPlayer& player, const GpuTimeCall& call)
    : m_parts(parts),
      m_clock(clock),
      m_plan(plan),
      m_player(player),
      m_call(call),
      m_plays(plays_of(plan, call.batch)) {}

Expected<TimedLaunches::Copy> TimedLaunches::place_refill(const GpuRefill& refill,
                                                          const GpuTimedLaunch& launch) const {
    const std::uint64_t bytes = static_cast<std::uint64_t>(refill.count) * size_of(refill.dtype);
    if (refill.tensor >= launch.tensors.size()) {
        return bad_call(fmt::format("there is no tensor {}", refill.tensor));
    }
    Copy copy;
    ATOLL_TRY_ASSIGN(copy.to, m_parts.buffers.address_of(launch.tensors[refill.tensor], bytes));
    if (refill.generator.kind != "copy") {
        return copy;
    }
    if (launch.donor >= refill.donors.size()) {
        return bad_call(fmt::format("there is no donor {}", launch.donor));
    }
    ATOLL_TRY_ASSIGN(copy.from, m_parts.buffers.address_of(refill.donors[launch.donor], bytes));
    return copy;
}

/// Everything that can be wrong with the call is found before anything is queued.
Status TimedLaunches::place_all() {
    if (m_call.batch > 1 && !m_call.events) {
        return bad_call("only events time a batch");
    }
    if (m_call.launches.size() % m_call.batch != 0) {
        return bad_call("the last batch is not whole");
    }
    if (m_call.output_bytes.size() != m_plan.outputs.size() ||
        m_call.poison.size() != m_plan.outputs.size()) {
        return bad_call("the outputs are not those of the plan");
    }
    for (std::size_t i = 0; i < m_plan.outputs.size(); ++i) {
        if (m_call.output_bytes[i] > m_plan.outputs[i]) {
            return bad_call(fmt::format("output {} is smaller in the plan", i));
        }
    }
    for (const GpuTimedLaunch& timed : m_call.launches) {
        Launch& launch = m_launches.emplace_back();
        ATOLL_TRY_ASSIGN(launch.tensors, place_tensors(m_plan, timed.tensors, m_parts.buffers));
        for (const GpuRefill& refill : m_call.refills) {
            ATOLL_TRY_ASSIGN(const Copy copy, place_refill(refill, timed));
            launch.refills.push_back(copy);
        }
    }
    return {};
}

std::size_t TimedLaunches::entries_of_launch() const {
    constexpr std::size_t k_anchor_marks_and_scratch = 6;
    const std::size_t fills = m_plays * (m_call.refills.size() + m_plan.outputs.size()) + 1;
    return lead_of(m_plan, m_plays) + fills * k_entries_of_support + k_anchor_marks_and_scratch +
           m_plays * m_plan.steps.size();
}

Expected<GpuTimed> TimedLaunches::run() {
    ATOLL_TRY(place_all());
    ATOLL_TRY(
        m_clock.begin(m_launches.size() / m_call.batch, operations_of(m_plan), m_parts.stream));
    const Status queued = queue_all();
    GpuTimed timed;
    timed.clock = m_clock.name();
    timed.batch = m_plays;
    if (!m_fault || !m_fault->runner_lost) {
        // A fault makes the calls behind it fail: only the end tells whose error it was.
        ATOLL_TRY(wait());
    }
    if (m_fault) {
        timed.fault = m_fault;
        return timed;
    }
    ATOLL_TRY(queued);
    ATOLL_TRY_ASSIGN(timed.samples, m_clock.finish());
    for (GpuSample& sample : timed.samples) {
        sample.span_ns /= m_plays;
    }
    return timed;
}

Status TimedLaunches::queue_all() {
    const std::size_t entries = entries_of_launch();
    for (std::size_t i = 0; i < m_launches.size() / m_call.batch; ++i) {
        const bool full = (m_waiting + 1) * entries > k_most_queued || has_writes(m_plan);
        if (m_waiting > 0 && full) {
            ATOLL_TRY_ASSIGN(const bool well, wait());
            if (!well) {
                return {};
            }
        }
        ++m_waiting;
        ATOLL_TRY(queue(i));
        if (m_fault || m_queued != cuda::k_success) {
            return {};
        }
    }
    return {};
}

Expected<bool> TimedLaunches::bind(std::size_t launch) {
    if (const Status bound = m_player.bind(m_launches[launch].tensors); !bound) {
        ATOLL_TRY_ASSIGN(m_fault, fault_of(bound.error()));
        return false;
    }
    return true;
}

Status TimedLaunches::queue(std::size_t batch) {
    const std::size_t first = batch * m_call.batch;
    ATOLL_TRY_ASSIGN(const bool bound, bind(first));
    if (!bound) {
        return {};
    }
    for (std::size_t i = 0; i < lead_of(m_plan, m_plays); ++i) {
        ATOLL_TRY(m_parts.support.anchor(m_parts.stream));
    }
    // The last launch, which may be judged, has other inputs than those before it, and outputs are
    // overwritten always: who finds its own answer there could leave it and be right.
    for (std::size_t launch = first; launch < first + m_plays; ++launch) {
        if (launch == 0 || launch + 1 == m_launches.size() || !m_call.made_once) {
            ATOLL_TRY(make_inputs(launch));
        }
    }
    ATOLL_TRY(m_player.clear_scratch(m_parts.stream));
    ATOLL_TRY(poison_outputs(first));
    return play(batch);
}

Status TimedLaunches::make_inputs(std::size_t launch) {
    const SupportKernels& support = m_parts.support;
    for (std::size_t i = 0; i < m_call.refills.size(); ++i) {
        const GpuRefill& refill = m_call.refills[i];
        const Copy& copy = m_launches[launch].refills[i];
        if (copy.from == 0) {
            ATOLL_TRY(support.fill(refill.generator, refill.dtype, m_call.launches[launch].seed,
                                   refill.stream, refill.count, copy.to, m_parts.stream));
            continue;
        }
        const auto bytes = static_cast<std::size_t>(refill.count) * size_of(refill.dtype);
        ATOLL_TRY(m_parts.gpu.driver().check(
            m_parts.gpu.call().copy_on_device(copy.to, copy.from, bytes, m_parts.stream),
            "cuMemcpyDtoDAsync"));
    }
    return {};
}

/// Of all plays of the batch that begins there; and empties the cache where the call says so.
Status TimedLaunches::poison_outputs(std::size_t first) {
    std::vector<SupportKernels::Filling> fillings;
    for (std::size_t launch = first; launch < first + m_plays; ++launch) {
        for (std::size_t i = 0; i < m_call.output_bytes.size(); ++i) {
            fillings.push_back(
                {m_launches[launch].tensors.outputs[i], m_call.poison[i], m_call.output_bytes[i]});
        }
    }
    return m_parts.support.fill_all_bytes(fillings, m_call.cold, m_parts.stream);
}

Status TimedLaunches::play(std::size_t batch) {
    using Mark = LaunchClock::Mark;
    const cuda::Stream stream = m_parts.stream;
    ATOLL_TRY(m_clock.mark(batch, Mark::anchor, stream));
    ATOLL_TRY(m_parts.support.anchor(stream));
    ATOLL_TRY(m_clock.mark(batch, Mark::anchor_end, stream));
    ATOLL_TRY(m_clock.mark(batch, Mark::plan, stream));
    m_queued = cuda::k_success;
    for (std::uint32_t i = 0; i < m_plays && m_queued == cuda::k_success; ++i) {
        if (i > 0) {
            ATOLL_TRY_ASSIGN(const bool bound, bind(batch * m_call.batch + i));
            if (!bound) {
                return {};
            }
        }
        m_queued = m_player.play(stream, std::chrono::steady_clock::now() + limit());
    }
    return m_clock.mark(batch, Mark::plan_end, stream);
}

/// Of all that is waited for.
std::chrono::nanoseconds TimedLaunches::limit() const {
    return std::chrono::nanoseconds(m_call.limit_ns * m_plays *
                                    std::max<std::size_t>(m_waiting, 1));
}

/// Whether all that was queued ended well; else m_fault says why.
Expected<bool> TimedLaunches::wait() {
    const PlanRun run = wait_for_plan(m_parts.gpu, m_parts.stream, m_queued, m_player.last_step(),
                                      std::chrono::steady_clock::now() + limit());
    m_waiting = 0;
    if (run.end == PlanRun::End::done) {
        return true;
    }
    ATOLL_TRY_ASSIGN(m_fault, fault_of(run, m_plan, m_parts.gpu.driver()));
    return false;
}

}  // namespace atl
