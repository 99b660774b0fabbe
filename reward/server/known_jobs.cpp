#include "reward/server/known_jobs.hpp"

namespace atl {

namespace {

/// What a job takes besides its texts.
constexpr std::size_t k_job_bytes = 1024;

}  // namespace

void KnownJobs::add(const JobPtr& job) {
    forget_old();
    m_by_id[job->id] = job;
    if (!job->request.idempotency_key.empty()) {
        m_by_key[job->request.idempotency_key] = job;
    }
}

JobPtr KnownJobs::find(const std::string& id) {
    forget_old();
    const auto found = m_by_id.find(id);
    return found == m_by_id.end() ? nullptr : found->second;
}

JobPtr KnownJobs::find_by_key(const std::string& key) {
    forget_old();
    const auto found = m_by_key.find(key);
    return found == m_by_key.end() ? nullptr : found->second;
}

std::vector<JobPtr> KnownJobs::pending() const {
    std::vector<JobPtr> jobs;
    for (const auto& [id, job] : m_by_id) {
        if (job->state == JobState::pending) {
            jobs.push_back(job);
        }
    }
    return jobs;
}

void KnownJobs::ended(const JobPtr& job) {
    if (!job->kept && job->request.idempotency_key.empty()) {
        m_by_id.erase(job->id);
        return;
    }
    m_ended.push_back({job, Clock::now()});
    m_ended_bytes += job->document->size() + k_job_bytes;
    forget_old();
}

void KnownJobs::forget_old() {
    const Clock::time_point old = Clock::now() - m_limits.kept_for;
    while (!m_ended.empty() &&
           (m_ended.front().when < old || m_ended_bytes > m_limits.kept_bytes)) {
        forget(m_ended.front().job);
        m_ended.pop_front();
    }
}

void KnownJobs::forget(const JobPtr& job) {
    m_ended_bytes -= job->document->size() + k_job_bytes;
    m_by_id.erase(job->id);
    const auto named = m_by_key.find(job->request.idempotency_key);
    if (named != m_by_key.end() && named->second == job) {
        m_by_key.erase(named);
    }
}

}  // namespace atl
