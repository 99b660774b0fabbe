#include "reward/server/job_room.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace atl {

namespace {

constexpr double k_smoothing = 0.05;

}  // namespace

Answered<void> JobRoom::check(const std::string& client, std::size_t jobs,
                              std::size_t bytes) const {
    const auto known = m_by_client.find(client);
    const Load mine = known == m_by_client.end() ? Load() : known->second;
    const bool has_few =
        mine.jobs + jobs <= std::max<std::size_t>(1, m_limits.jobs / k_few_share) &&
        mine.bytes + bytes <= m_limits.bytes / k_few_share;
    const Load spare =
        has_few ? Load{m_limits.jobs / k_spare_share, m_limits.bytes / k_spare_share} : Load();
    if (m_all.jobs + jobs <= m_limits.jobs + spare.jobs &&
        m_all.bytes + bytes <= m_limits.bytes + spare.bytes) {
        return {};
    }
    const std::string what = std::to_string(m_all.jobs) + " jobs (" +
                             std::to_string(m_all.bytes >> 10) + " KiB) wait, and " +
                             std::to_string(m_limits.jobs) + " (" +
                             std::to_string(m_limits.bytes >> 10) + " KiB) may";
    return tl::unexpected(
        Refusal{429,
                "queue_full",
                {ErrorCode::limit, what, "queue", "try again after the time that Retry-After says"},
                retry_after()});
}

void JobRoom::enter(const ServerJob& job) {
    Load& mine = m_by_client[job.asker.client];
    for (Load* load : {&m_all, &mine}) {
        ++load->jobs;
        load->bytes += job.bytes;
    }
}

void JobRoom::leave(const ServerJob& job) {
    const auto mine = m_by_client.find(job.asker.client);
    for (Load* load : {&m_all, &mine->second}) {
        --load->jobs;
        load->bytes -= job.bytes;
    }
    if (mine->second.jobs == 0) {
        m_by_client.erase(mine);
    }
}

void JobRoom::ended() {
    const Clock::time_point now = Clock::now();
    const double interval =
        std::chrono::duration<double>(now - std::exchange(m_last_end, now)).count();
    m_interval_s += k_smoothing * (interval - m_interval_s);
}

std::chrono::seconds JobRoom::retry_after() const {
    // By then a quarter of what waits has ended.
    const double seconds = 0.25 * static_cast<double>(m_all.jobs) * m_interval_s;
    return std::chrono::seconds(
        static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 1.0, 60.0))));
}

}  // namespace atl
