#include "reward/server/job_interest.hpp"

#include "reward/server/job_table.hpp"

#include <utility>

namespace atl {

Interest::Interest(std::weak_ptr<JobTable> table, JobPtr job, std::function<void()> on_end)
    : m_table(std::move(table)), m_job(std::move(job)) {
    m_job->interested.push_front(std::move(on_end));
    m_place = m_job->interested.begin();
}

Interest::Interest(Interest&& other) noexcept
    : m_table(std::move(other.m_table)),
      m_job(std::exchange(other.m_job, nullptr)),
      m_place(other.m_place) {}

Interest& Interest::operator=(Interest&& other) noexcept {
    if (this != &other) {
        release();
        m_table = std::move(other.m_table);
        m_job = std::exchange(other.m_job, nullptr);
        m_place = other.m_place;
    }
    return *this;
}

void Interest::release() {
    const JobPtr job = std::exchange(m_job, nullptr);
    if (!job) {
        return;
    }
    job->interested.erase(m_place);
    const std::shared_ptr<JobTable> table = m_table.lock();
    if (table && job->interested.empty() && !job->kept) {
        table->cancel(job, "no client waits for it any more");
    }
}

}  // namespace atl
