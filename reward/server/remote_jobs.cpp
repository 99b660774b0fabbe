#include "reward/server/remote_jobs.hpp"

#include "reward/server/remote_message.hpp"

#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_write_bytes = 256u << 10;

}  // namespace

void RemoteJobs::submit(EvaluationRequest request, Evaluator::Done done) {
    const std::lock_guard lock(m_mutex);
    ++m_stats.submitted;
    const Clock::time_point deadline = Clock::now() + request.deadline;
    m_submitted.push_back({std::move(request), std::move(done), deadline, {}});
}

EvaluatorStats RemoteJobs::stats() const {
    const std::lock_guard lock(m_mutex);
    return m_stats;
}

void RemoteJobs::take_submitted() {
    std::vector<Asked> fresh;
    {
        const std::lock_guard lock(m_mutex);
        fresh = std::exchange(m_submitted, {});
    }
    for (Asked& job : fresh) {
        m_jobs.emplace(m_next_id++, std::move(job));
    }
}

void RemoteJobs::add_lines(std::string& text, std::size_t& credits, std::size_t line_bytes) {
    const Clock::time_point now = Clock::now();
    for (auto job = m_jobs.begin(); job != m_jobs.end();) {
        const auto [id, asked] = std::pair<std::uint64_t, Asked&>(job->first, job->second);
        ++job;  // add_line() removes what cannot be sent
        if (credits == 0 || text.size() > k_write_bytes) {
            break;
        }
        if (!asked.is_sent && asked.not_before <= now) {
            credits -= add_line(id, asked, line_bytes, text) ? 1 : 0;
        }
    }
}

bool RemoteJobs::add_line(std::uint64_t id, Asked& asked, std::size_t line_bytes,
                          std::string& text) {
    Expected<std::string> line = evaluate_line(
        id, asked.request, std::chrono::ceil<std::chrono::seconds>(asked.deadline - Clock::now()));
    if (line && line->size() > line_bytes) {
        line = failure(ErrorCode::limit, "the candidate is larger than the server takes", m_url);
    }
    if (!line) {
        answer(id, tl::unexpected(InfrastructureFault{line.error(), 1}));
        return false;
    }
    text += *line;
    asked.is_sent = true;
    return true;
}

void RemoteJobs::answer(std::uint64_t id, EvaluationResult result) {
    const auto found = m_jobs.find(id);
    if (found == m_jobs.end()) {
        return;
    }
    const Evaluator::Done done = std::move(found->second.done);
    m_jobs.erase(found);
    {
        const std::lock_guard lock(m_mutex);
        ++m_stats.completed;
        m_stats.faults += result ? 0 : 1;
        m_stats.cache_hits += result && result->from_cache ? 1 : 0;
    }
    done(std::move(result));
}

void RemoteJobs::postpone(std::uint64_t id, std::chrono::milliseconds pause) {
    if (const auto found = m_jobs.find(id); found != m_jobs.end()) {
        found->second.is_sent = false;
        found->second.not_before = Clock::now() + pause;
    }
}

void RemoteJobs::forget_sent() {
    for (auto& [id, job] : m_jobs) {
        job.is_sent = false;
    }
}

std::vector<std::uint64_t> RemoteJobs::give_up_late(bool& is_due) {
    const Clock::time_point now = Clock::now();
    std::vector<std::pair<std::uint64_t, Error>> given_up;
    std::vector<std::uint64_t> sent;
    const char* hint = "see what the server says of itself";
    for (const auto& [id, job] : m_jobs) {
        const bool is_cancelled = job.request.cancel.stop_requested();
        is_due = is_due || (!job.is_sent && job.not_before <= now);
        if (!is_cancelled && job.deadline > now) {
            continue;
        }
        given_up.emplace_back(
            id, is_cancelled
                    ? Error{ErrorCode::interrupted, "cancelled", m_url, hint}
                    : Error{ErrorCode::timeout, "the deadline passed before the server answered",
                            m_url, hint});
        if (job.is_sent) {
            sent.push_back(id);
        }
    }
    for (const auto& [id, error] : given_up) {
        answer(id, tl::unexpected(InfrastructureFault{error, 1}));
    }
    return sent;
}

void RemoteJobs::end_all(const Error& error) {
    take_submitted();
    for (auto& [id, job] : std::exchange(m_jobs, {})) {
        job.done(tl::unexpected(InfrastructureFault{error, 1}));
    }
}

}  // namespace atl
