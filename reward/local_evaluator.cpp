#include "reward/local_evaluator.hpp"

#include "reward/gpu/gpu_package.hpp"

#include <utility>

namespace atl {

namespace {

/// Compiled candidates that may wait for each device: enough that one stays busy through candidates
/// that it is done with sooner than the next one is compiled. Beyond it compilers wait, so that who
/// has a higher priority does not wait for long behind what was compiled before.
constexpr std::size_t k_ready_per_lane = 8;

bool is_answer_to(const Verdict& verdict, const EvaluationRequest& request) {
    return answers_at_cutoff(verdict.outcome, public_geomean_ns(verdict).value_or(0),
                             request.cutoff_ns);
}

bool may_use_cache(const EvaluationRequest& request) {
    return request.use_cache && request.level != Level::confirm;
}

/// Whose text tells lines of the source, which has others where its layout differs.
bool tells_lines(Outcome outcome) {
    return outcome == Outcome::compile_error || outcome == Outcome::compile_limit ||
           outcome == Outcome::rejected || outcome == Outcome::crash;
}

/// Where such a verdict is kept instead: a candidate's key does not count layout.
Digest layout_key(const Digest& key, const Candidate& candidate) {
    return ContentHasher().field("layout 1").field(key).field(candidate.source).finish();
}

/// Sources in quarantine whose records stay in memory: some thousands.
constexpr std::size_t k_quarantine_bytes = 16u << 20;

/// Verdicts by binary that stay in memory: some ten thousand.
constexpr std::size_t k_binaries_bytes = 64u << 20;

/// A lane says so only of what it pinned on the candidate (DESIGN section 6).
bool is_for_quarantine(Outcome outcome) {
    return outcome == Outcome::crash || outcome == Outcome::memory_fault ||
           outcome == Outcome::timeout;
}

}  // namespace

LocalEvaluator::LocalEvaluator(EvaluatorParts parts)
    : m_parts(std::move(parts)),
      m_cache(m_parts.cache_folder),
      m_binaries({}, k_binaries_bytes),
      m_quarantine(m_parts.cache_folder, k_quarantine_bytes),
      m_queue(make_local_queue(m_parts.queue_capacity, m_parts.lease_time, *m_parts.clock)),
      m_hand_over(k_ready_per_lane * m_parts.lanes.size()) {
    for (int i = 0; i < m_parts.compile_workers; ++i) {
        m_threads.emplace_back([this] { serve_compiles(); });
    }
    for (const std::unique_ptr<DeviceLane>& lane : m_parts.lanes) {
        m_threads.emplace_back([this, raw = lane.get()] { serve_device(*raw); });
    }
    m_threads.emplace_back([this] { monitor(); });
}

LocalEvaluator::~LocalEvaluator() {
    m_closing = true;
    m_queue->close();
    m_hand_over.close();
    m_flights.cancel_all();
    for (const std::unique_ptr<DeviceLane>& lane : m_parts.lanes) {
        lane->abort();
    }
    for (std::thread& thread : m_threads) {
        thread.join();
    }
    const Error error{ErrorCode::interrupted, "the evaluator was shut down", "evaluator", ""};
    answer(m_flights.close_all(), tl::unexpected(InfrastructureFault{error, 1}));
}

int LocalEvaluator::parallelism() const {
    return m_parts.compile_workers + static_cast<int>(m_parts.lanes.size());
}

std::string LocalEvaluator::fingerprint() const {
    const EvaluationLimits& limits = m_parts.limits;
    return (m_parts.lanes.empty() ? "" : m_parts.lanes.front()->device()) + " | " +
           m_parts.compiler->toolchain() + " | memory " + std::to_string(limits.memory_bytes) +
           ", compile " + std::to_string(limits.compile_timeout_s) + " s, launch " +
           std::to_string(limits.launch_timeout_s) + " s, interval " +
           std::to_string(limits.confidence) + ", measure " +
           std::to_string(limits.measure_seconds) + " s" +
           (limits.protocol.empty() ? "" : ", protocol " + limits.protocol);
}

std::string LocalEvaluator::description() const {
    std::string text;
    for (const std::unique_ptr<DeviceLane>& lane : m_parts.lanes) {
        text += (text.empty() ? "" : ", ") + lane->device() + " (" + lane->description() + ")";
    }
    if (m_parts.lanes.empty()) {
        text = "no device: the task's own program judges";
    } else {
        text += "; " + m_parts.compiler->toolchain();
    }
    if (!m_parts.sandbox.empty()) {
        text += "; sandbox " + m_parts.sandbox;
    }
    return text;
}

EvaluatorStats LocalEvaluator::stats() const {
    const std::lock_guard lock(m_stats_mutex);
    EvaluatorStats stats = m_stats;
    stats.worker_restarts += m_parts.compiler->restarts();
    stats.compile_seconds = m_parts.compiler->seconds();
    return stats;
}

Digest LocalEvaluator::suspect_key(const EvaluationRequest& request,
                                   const Digest& candidate) const {
    const CandidateKind* kind = m_parts.find_kind(request.candidate.kind);
    return ContentHasher()
        .field("quarantine 1")
        .field(request.task->digest)
        .field(request.candidate.kind)
        .field(candidate)
        .field(kind != nullptr ? kind->fingerprint() : "")
        .field(fingerprint())
        .finish();
}

Digest LocalEvaluator::cache_key(const EvaluationRequest& request, const Digest& candidate) const {
    const CandidateKind* kind = m_parts.find_kind(request.candidate.kind);
    ContentHasher hasher;
    // Raised whenever the judge sees more than before: who passed by a hole is judged again.
    hasher.field("verdict 4").field(request.task->digest).field(request.candidate.kind);
    hasher.field(candidate);
    hasher.field(to_string(request.level)).field(kind != nullptr ? kind->fingerprint() : "");
    hasher.field(fingerprint());
    for (const std::string& flag : request.task->allowed_flags) {  // not in a GPU task's digest
        hasher.field(flag);
    }
    if (request.profile) {
        hasher.field("profile");
    }
    for (const Rival& rival : request.rivals) {
        hasher.field(rival.name).field(candidate_key(rival.candidate));
        hasher.field(rival.libraries.size());
        for (const std::string& library : rival.libraries) {
            hasher.field(library);
        }
    }
    return hasher.finish();
}

Verdict LocalEvaluator::blank_verdict(const Job& job, const CandidateKind* kind) const {
    Verdict verdict;
    verdict.kind = job.request.candidate.kind;
    verdict.trust = kind != nullptr ? kind->trust() : "";
    verdict.key = job.key;
    verdict.toolchain = m_parts.compiler->toolchain();
    verdict.device = m_parts.lanes.empty() ? "" : m_parts.lanes.front()->device();
    verdict.queue_seconds =
        std::chrono::duration<double>(m_parts.clock->monotonic() - job.submitted).count();
    return verdict;
}

std::optional<Verdict> LocalEvaluator::find_in_cache(const Digest& key,
                                                     const EvaluationRequest& request) {
    std::optional<Verdict> known = m_cache.find(key);
    if (!known || tells_lines(known->outcome)) {
        known = m_cache.find(layout_key(key, request.candidate));
    }
    if (!known || !is_answer_to(*known, request)) {
        return std::nullopt;
    }
    known->key = key;
    const std::lock_guard lock(m_stats_mutex);
    ++m_stats.cache_hits;
    return known;
}

Status LocalEvaluator::name_binary(const EvaluationRequest& request, Prepared& prepared) const {
    const bool made = prepared.verdict.compile && !prepared.order.binaries.empty() &&
                      prepared.order.binaries.front() != nullptr;
    if (!made || request.level == Level::confirm) {
        return {};
    }
    ATOLL_TRY_ASSIGN(const std::string bytes,
                     read_whole_file(*prepared.order.binaries.front(), "binary"));
    prepared.verdict.compile->binary =
        ContentHasher().field("binary 1").field(request.candidate.kind).field(bytes).finish();
    return {};
}

std::optional<Verdict> LocalEvaluator::find_binary(const Job& job, const Prepared& prepared) {
    const Digest binary = binary_of(prepared.verdict);
    if (binary.is_zero() || !may_use_cache(job.request)) {
        return std::nullopt;
    }
    std::optional<Verdict> known = m_binaries.find(cache_key(job.request, binary));
    if (!known || !is_answer_to(*known, job.request)) {
        return std::nullopt;
    }
    known->key = job.key;
    known->compile = prepared.verdict.compile;
    const std::lock_guard lock(m_stats_mutex);
    ++m_stats.cache_hits;
    return known;
}

std::optional<Verdict> LocalEvaluator::find_in_quarantine(const Job& job) {
    if (job.suspect.is_zero()) {
        return std::nullopt;
    }
    std::optional<Verdict> known = m_quarantine.find(job.suspect);
    if (known) {
        known->key = job.key;
        const std::lock_guard lock(m_stats_mutex);
        ++m_stats.cache_hits;
    }
    return known;
}

void LocalEvaluator::submit(EvaluationRequest request, Done done) {
    {
        const std::lock_guard lock(m_stats_mutex);
        ++m_stats.submitted;
    }
    const std::chrono::nanoseconds now = m_parts.clock->monotonic();
    Flights::Waiter waiter{std::move(done), now + request.deadline,
                           std::exchange(request.cancel, {})};
    if (!request.task) {
        const Error error{ErrorCode::invalid_argument, "the request has no task", "evaluator", ""};
        return answer({std::move(waiter)}, tl::unexpected(InfrastructureFault{error, 0}));
    }
    Job job;
    const Digest candidate = candidate_key(request.candidate);
    job.key = cache_key(request, candidate);
    job.submitted = now;
    if (request.quarantine) {
        job.suspect = suspect_key(request, candidate);
    }
    std::optional<Digest> shared_key;
    if (may_use_cache(request)) {
        if (std::optional<Verdict> known = find_in_cache(job.key, request)) {
            return answer({std::move(waiter)}, std::move(*known));
        }
        // Requests with different cut-offs may end differently. Other layouts share a flight: a
        // device's time is worth more than the lines of what was asked for at the same moment.
        shared_key =
            ContentHasher().field(job.key).field(std::to_string(request.cutoff_ns)).finish();
    }
    if (std::optional<Verdict> known = find_in_quarantine(job)) {
        return answer({std::move(waiter)}, std::move(*known));
    }
    const Flights::Joined joined = m_flights.join(shared_key, std::move(waiter));
    if (!joined.fresh) {
        m_queue->share(joined.id, request.priority, request.asker);
        const std::lock_guard lock(m_stats_mutex);
        ++m_stats.coalesced;
        return;
    }
    if (shared_key) {
        // An equal request's flight may have ended between the look and the boarding.
        if (std::optional<Verdict> known = find_in_cache(job.key, request)) {
            return answer(m_flights.close(joined.id), std::move(*known));
        }
    }
    job.id = joined.id;
    job.request = std::move(request);
    if (Status pushed = m_queue->push(std::move(job)); !pushed) {
        answer(m_flights.close(joined.id), tl::unexpected(InfrastructureFault{pushed.error(), 0}));
    }
}

void LocalEvaluator::finish(const Lease& lease, Verdict verdict) {
    // Before the flight ends, so that an equal request finds one or the other.
    if (may_use_cache(lease.job.request)) {
        Verdict record = verdict;
        record.key = tells_lines(verdict.outcome)
                         ? layout_key(lease.job.key, lease.job.request.candidate)
                         : lease.job.key;
        keep(m_cache, record);
        const Digest binary = binary_of(verdict);
        if (!binary.is_zero() && !verdict.from_cache && !tells_lines(verdict.outcome)) {
            record.key = cache_key(lease.job.request, binary);
            m_binaries.remember(record);
        }
    }
    if (!lease.job.suspect.is_zero() && is_for_quarantine(verdict.outcome) && !verdict.from_cache) {
        Verdict record = verdict;
        record.key = lease.job.suspect;
        keep(m_quarantine, record);
    }
    m_queue->complete(lease);
    answer(m_flights.close(lease.job.id), std::move(verdict));
}

void LocalEvaluator::keep(VerdictCache& cache, const Verdict& verdict) {
    cache.remember(verdict);
    if (cache.has_folder()) {
        m_writer.post([this, &cache, verdict] { save(cache, verdict); });
    }
}

void LocalEvaluator::save(const VerdictCache& cache, const Verdict& verdict) {
    const Status saved = cache.save(verdict);
    if (!saved && !m_cache_trouble && m_parts.on_cache_trouble) {
        m_cache_trouble = true;  // once: a full disk would say the same of every verdict
        m_parts.on_cache_trouble(saved.error());
    }
}

void LocalEvaluator::fail(const Lease& lease, Error error, int attempts) {
    m_queue->complete(lease);
    answer(m_flights.close(lease.job.id),
           tl::unexpected(InfrastructureFault{std::move(error), attempts}));
}

void LocalEvaluator::drop(const Lease& lease) {
    m_queue->complete(lease);
    // Nobody is left to answer; a waiter that joined meanwhile gets the fault.
    const Error error{ErrorCode::timeout, "the deadline passed", "evaluator", ""};
    answer(m_flights.close(lease.job.id), tl::unexpected(InfrastructureFault{error, 1}));
}

void LocalEvaluator::answer(std::vector<Flights::Waiter> waiters, const EvaluationResult& result) {
    {
        const std::lock_guard lock(m_stats_mutex);
        m_stats.completed += waiters.size();
        m_stats.faults += result ? 0 : waiters.size();
    }
    for (Flights::Waiter& waiter : waiters) {
        m_answers.post([done = std::move(waiter.done), result] { done(result); });
    }
}

}  // namespace atl
