#include "reward/job_queue.hpp"

#include "reward/turns.hpp"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace atl {

namespace {

/// A job keeps its place in the order of arrival when it comes back.
struct Entry {
    std::uint64_t order = 0;
    Job job;
};

/// The jobs of one connection, oldest first.
class Line {
  public:
    [[nodiscard]] bool empty() const { return m_entries.empty(); }
    void push(Entry entry) {
        const std::uint64_t order = entry.order;
        m_entries.emplace(order, std::move(entry));
    }
    Entry pop() { return take(m_entries.begin()->first); }
    Entry take(std::uint64_t order) {
        const auto found = m_entries.find(order);
        Entry entry = std::move(found->second);
        m_entries.erase(found);
        return entry;
    }
    /// How many are older.
    [[nodiscard]] std::ptrdiff_t ahead_of(std::uint64_t order) const {
        return std::distance(m_entries.begin(), m_entries.lower_bound(order));
    }

  private:
    std::map<std::uint64_t, Entry> m_entries;
};

class LocalQueue final : public JobQueue {
  public:
    LocalQueue(std::size_t capacity, std::chrono::milliseconds lease_time, const Clock& clock)
        : m_capacity(capacity), m_lease_time(lease_time), m_clock(clock) {}

    Status push(Job job) override {
        const std::lock_guard lock(m_mutex);
        if (m_closed) {
            return failure(ErrorCode::unavailable, "the queue is closed", "job queue");
        }
        if (m_places.size() >= m_capacity) {
            return failure(ErrorCode::limit,
                           "full with " + std::to_string(m_capacity) + " waiting jobs", "job queue",
                           "submit fewer at once, or wait for results");
        }
        enqueue({m_next_order++, std::move(job)});
        return {};
    }

    void share(JobId id, int priority, const Asker& asker) override {
        const std::lock_guard lock(m_mutex);
        const auto found = m_places.find(id);
        if (found == m_places.end()) {
            return;
        }
        const Place old = found->second;
        const int highest = std::max(priority, -old.level);
        const bool nearer = ahead_of({-highest, asker, old.order}) < ahead_of(old);
        if (highest == -old.level && !nearer) {
            return;
        }
        Entry entry = take(old);
        entry.job.request.priority = highest;
        if (nearer) {
            entry.job.request.asker = asker;
        }
        enqueue(std::move(entry));
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
    struct Loan {
        Entry entry;
        std::chrono::nanoseconds expires{0};
    };
    struct Place {
        int level = 0;  ///< -priority: the smallest is first
        Asker asker;
        std::uint64_t order = 0;
    };
    using Clients = Turns<std::string, Turns<std::uint64_t, Line>>;
    using Loans = std::map<std::uint64_t, Loan>;  // by token

    void enqueue(Entry entry) {
        const Place place{-entry.job.request.priority, entry.job.request.asker, entry.order};
        m_places[entry.job.id] = place;
        m_waiting[place.level]
            .open(place.asker.client)
            .open(place.asker.connection)
            .push(std::move(entry));
        m_changed.notify_one();
    }

    /// In the line of that asker, whether the job is in it or not.
    std::ptrdiff_t ahead_of(const Place& place) {
        const auto level = m_waiting.find(place.level);
        auto* client = level == m_waiting.end() ? nullptr : level->second.find(place.asker.client);
        const Line* line = client == nullptr ? nullptr : client->find(place.asker.connection);
        return line == nullptr ? 0 : line->ahead_of(place.order);
    }

    Entry take(const Place& place) {
        const auto level = m_waiting.find(place.level);
        auto* client = level->second.find(place.asker.client);
        Entry entry = client->find(place.asker.connection)->take(place.order);
        client->close_if_empty(place.asker.connection);
        level->second.close_if_empty(place.asker.client);
        forget_if_empty(level);
        m_places.erase(entry.job.id);
        return entry;
    }

    void forget_if_empty(std::map<int, Clients>::iterator level) {
        if (level->second.empty()) {
            m_waiting.erase(level);
        }
    }

    Lease lend() {
        const auto first = m_waiting.begin();
        Entry entry = first->second.pop();
        forget_if_empty(first);
        m_places.erase(entry.job.id);
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
    std::map<int, Clients> m_waiting;           // by level
    std::unordered_map<JobId, Place> m_places;  // of those that wait
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
