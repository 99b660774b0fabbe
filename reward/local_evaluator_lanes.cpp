#include "reward/base/process.hpp"
#include "reward/local_evaluator.hpp"

#include <utility>

namespace atl {

namespace {

constexpr std::chrono::milliseconds k_pull_wait{200};
constexpr std::chrono::milliseconds k_monitor_period{50};
constexpr int k_attempts = 2;  // a fault of ours is retried once

Error why_it_ended(const Flights::Expired& expired) {
    if (expired.cancelled) {
        return {ErrorCode::interrupted, "cancelled " + expired.place, "evaluator", ""};
    }
    return {ErrorCode::timeout, "the deadline passed " + expired.place, "evaluator",
            "allow more time, or submit less at once; if it happens again, see whether `atoll task "
            "check` ends"};
}

/// Faults that come from the task or from how the machine is set up would only come again.
bool is_worth_retrying(const Error& error) {
    return error.code != ErrorCode::invalid_argument && error.code != ErrorCode::not_found &&
           error.code != ErrorCode::permission;
}

}  // namespace

std::unique_lock<std::mutex> LocalEvaluator::claim_cores() {
    return m_parts.shared_cores ? std::unique_lock(m_core_mutex) : std::unique_lock<std::mutex>();
}

void LocalEvaluator::serve_compiles() {
    // A thread that cannot be pinned is slower to nobody but ourselves.
    static_cast<void>(pin_to_cores(m_parts.host_cores));
    while (!m_closing) {
        if (const std::optional<Lease> lease = m_queue->pull(k_pull_wait)) {
            m_flights.set_lease(lease->job.id, *lease);
            compile_one(*lease);
        }
    }
}

void LocalEvaluator::compile_one(const Lease& lease) {
    const Job& job = lease.job;
    if (!m_flights.wanted(job.id)) {
        return drop(lease);
    }
    // What was queued before its source died or hung elsewhere.
    if (std::optional<Verdict> known = find_in_quarantine(job)) {
        return finish(lease, std::move(*known));
    }
    const CandidateKind* kind = m_parts.find_kind(job.request.candidate.kind);
    Verdict blank = blank_verdict(job, kind);
    const std::optional<std::string> problem =
        kind == nullptr ? "there is no candidate kind of that name here"
                        : kind->lint(*job.request.task, job.request.candidate);
    if (problem) {
        blank.outcome = Outcome::rejected;
        blank.stage = Stage::lint;
        blank.reason = *problem;
        return finish(lease, std::move(blank));
    }
    int attempts = 0;
    const std::chrono::nanoseconds since = m_parts.clock->monotonic();
    Expected<Prepared> prepared = prepare(*kind, job, blank, attempts);
    if (m_parts.lanes.empty()) {
        count_busy(since);  // the task's own program has judged
    }
    if (!prepared) {
        return fail(lease, prepared.error(), attempts);
    }
    if (prepared->ended) {
        return finish(lease, std::move(prepared->verdict));
    }
    if (const Status named = name_binary(job.request, *prepared); !named) {
        return fail(lease, named.error(), attempts);
    }
    if (std::optional<Verdict> known = find_binary(job, *prepared)) {
        return finish(lease, std::move(*known));
    }
    prepared->order.deadline = m_flights.deadline(job.id);
    m_flights.set_prepared(job.id);
    m_hand_over.push({lease, kind, std::move(*prepared)});
}

Expected<Prepared> LocalEvaluator::prepare(const CandidateKind& kind, const Job& job,
                                           const Verdict& blank, int& attempts) {
    const std::stop_token cancel = m_flights.cancel_token(job.id);
    while (true) {
        ++attempts;
        Expected<Prepared> prepared = [&] {
            const std::unique_lock<std::mutex> cores = claim_cores();
            return kind.prepare(job.request, blank, m_parts.limits, *m_parts.compiler, cancel);
        }();
        if (prepared || attempts >= k_attempts || m_closing || cancel.stop_requested() ||
            !is_worth_retrying(prepared.error())) {
            return prepared;
        }
    }
}

void LocalEvaluator::serve_device(DeviceLane& lane) {
    static_cast<void>(pin_to_cores(m_parts.host_cores));
    // The processes belong to this thread, so it starts and ends them. A failure shows, and is
    // retried, at the first job.
    static_cast<void>(lane.restart());
    while (std::optional<HandedOver> item = m_hand_over.pop()) {
        run_one(lane, *item);
    }
    lane.stop();
}

void LocalEvaluator::run_one(DeviceLane& lane, const HandedOver& item) {
    const JobId id = item.lease.job.id;
    if (!m_flights.wanted(id)) {
        return drop(item.lease);
    }
    if (std::optional<Verdict> known = find_in_quarantine(item.lease.job)) {
        return finish(item.lease, std::move(*known));
    }
    const std::unique_lock<std::mutex> cores = claim_cores();
    m_flights.set_lane(id, &lane);
    const std::chrono::nanoseconds since = m_parts.clock->monotonic();
    int attempts = 0;
    Expected<Verdict> verdict = execute(lane, item, attempts);
    m_flights.set_lane(id, nullptr);
    count_busy(since);
    if (verdict) {
        finish(item.lease, std::move(*verdict));
    } else {
        fail(item.lease, verdict.error(), attempts);
    }
}

void LocalEvaluator::count_busy(std::chrono::nanoseconds since) {
    const std::chrono::duration<double> time = m_parts.clock->monotonic() - since;
    const std::lock_guard lock(m_stats_mutex);
    m_stats.busy_seconds += time.count();
}

Expected<Verdict> LocalEvaluator::execute(DeviceLane& lane, const HandedOver& item, int& attempts) {
    const JobId id = item.lease.job.id;
    while (true) {
        ++attempts;
        Expected<Verdict> verdict = [&]() -> Expected<Verdict> {
            if (lane.broken()) {
                ATOLL_TRY(restart(lane));
            }
            // What aborts a lane finds nothing to kill while it restarts.
            if (m_closing || !m_flights.wanted(id)) {
                return failure(ErrorCode::interrupted, "nobody waits for the job any more",
                               "evaluator");
            }
            return item.kind->execute(item.lease.job.request, item.prepared, lane);
        }();
        if (verdict || attempts >= k_attempts || m_closing || !m_flights.wanted(id) ||
            !is_worth_retrying(verdict.error())) {
            return verdict;
        }
    }
}

Status LocalEvaluator::restart(DeviceLane& lane) {
    {
        const std::lock_guard lock(m_stats_mutex);
        ++m_stats.worker_restarts;
    }
    return lane.restart();
}

void LocalEvaluator::monitor() {
    static_cast<void>(pin_to_cores(m_parts.host_cores));
    std::chrono::nanoseconds last_kept = m_parts.clock->monotonic();
    while (!m_closing) {
        std::this_thread::sleep_for(k_monitor_period);
        const std::chrono::nanoseconds now = m_parts.clock->monotonic();
        for (Flights::Expired& expired : m_flights.expire(now)) {
            const Error error = why_it_ended(expired);
            answer({std::move(expired.waiter)}, tl::unexpected(InfrastructureFault{error, 1}));
        }
        if (now - last_kept >= m_parts.lease_time / 4) {
            last_kept = now;
            for (const Lease& lease : m_flights.leases()) {
                m_queue->keep_alive(lease);
            }
        }
    }
}

}  // namespace atl
