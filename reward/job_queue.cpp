#include "reward/job_queue.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

namespace atl {

namespace {

class LocalQueue final : public JobQueue {
  public:
    LocalQueue(std::size_t capacity, std::chrono::milliseconds lease_time, const Clock& clock)
        : m_capacity(capacity), m_lease_time(lease_time), m_clock(clock) {}

    Status push(Job job) override {
        const std::lock_guard lock(m_mutex);
        if (m_closed) {
            return failure(ErrorCode::unavailable, "the queue is closed", "job queue");
        }
        if (m_waiting.size() >= m_capacity) {
            return failure(ErrorCode::limit,
                           "full with " + std::to_string(m_capacity) + " waiting jobs", "job queue",
                           "submit fewer at once, or wait for results");
        }
        enqueue({m_next_order++, std::move(job)});
        return {};
    }

    std::optional<Lease> pull(std::chrono::milliseconds wait) override {
        const auto until = std::chrono::steady_clock::now() + wait;
        std::unique_lock lock(m_mutex);
        while (!m_closed) {
            reclaim_expired();
            if (!m_waiting.empty()) {
                return lend();
            }
            const auto now = std::chrono::steady_clock::now();
            if (now >= until) {
                return std::nullopt;
            }
            m_changed.wait_for(lock,
                               std::min<std::chrono::nanoseconds>(until - now, next_expiry()));
        }
        return std::nullopt;
    }

    bool keep_alive(const Lease& lease) override {
        const std::lock_guard lock(m_mutex);
        const auto found = find(lease);
        if (found == m_lent.end()) {
            return false;
        }
        found->second.expires = m_clock.monotonic() + m_lease_time;
        return true;
    }

    bool complete(const Lease& lease) override {
        const std::lock_guard lock(m_mutex);
        const auto found = find(lease);
        if (found == m_lent.end()) {
            return false;
        }
        m_lent.erase(found);
        return true;
    }

    void close() override {
        const std::lock_guard lock(m_mutex);
        m_closed = true;
        m_changed.notify_all();
    }

  private:
    /// A job keeps its place in the order of arrival when it comes back.
    struct Entry {
        std::uint64_t order = 0;
        Job job;
    };
    struct Loan {
        Entry entry;
        std::chrono::nanoseconds expires{0};
    };
    using Place = std::pair<int, std::uint64_t>;  // smallest first: -priority, order
    using Loans = std::map<std::uint64_t, Loan>;  // by token

    void enqueue(Entry entry) {
        const Place place{-entry.job.request.priority, entry.order};
        m_waiting.emplace(place, std::move(entry));
        m_changed.notify_one();
    }

    Lease lend() {
        const auto first = m_waiting.begin();
        Entry entry = std::move(first->second);
        m_waiting.erase(first);
        const std::uint64_t token = m_next_token++;
        Lease lease{entry.job, token};
        m_lent.emplace(token, Loan{std::move(entry), m_clock.monotonic() + m_lease_time});
        return lease;
    }

    Loans::iterator find(const Lease& lease) {
        reclaim_expired();
        return m_lent.find(lease.token);
    }

    Loans::iterator return_to_waiting(Loans::iterator loan) {
        Entry entry = std::move(loan->second.entry);
        enqueue(std::move(entry));
        return m_lent.erase(loan);
    }

    void reclaim_expired() {
        const std::chrono::nanoseconds now = m_clock.monotonic();
        for (auto loan = m_lent.begin(); loan != m_lent.end();) {
            loan = loan->second.expires <= now ? return_to_waiting(loan) : std::next(loan);
        }
    }

    /// How long nothing can happen without a notification.
    std::chrono::nanoseconds next_expiry() const {
        std::chrono::nanoseconds nap = std::chrono::seconds(1);
        for (const auto& [token, loan] : m_lent) {
            nap = std::min(nap, loan.expires - m_clock.monotonic());
        }
        return std::max<std::chrono::nanoseconds>(nap, std::chrono::milliseconds(1));
    }

    const std::size_t m_capacity;
    const std::chrono::milliseconds m_lease_time;
    const Clock& m_clock;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::map<Place, Entry> m_waiting;
    Loans m_lent;
    std::uint64_t m_next_order = 0;
    std::uint64_t m_next_token = 1;
    bool m_closed = false;
};

}  // namespace

std::unique_ptr<JobQueue> make_local_queue(std::size_t capacity,
                                           std::chrono::milliseconds lease_time,
                                           const Clock& clock) {
    return std::make_unique<LocalQueue>(capacity, lease_time, clock);
}

}  // namespace atl
