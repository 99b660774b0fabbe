#include "reward/flights.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace atl {

Flights::Joined Flights::join(const std::optional<Digest>& key, Waiter waiter) {
    const std::lock_guard lock(m_mutex);
    if (key) {
        if (const auto found = m_by_key.find(*key); found != m_by_key.end()) {
            m_flights.at(found->second).waiters.push_back(std::move(waiter));
            return {found->second, false};
        }
    }
    const JobId id = m_next_id++;
    Flight& flight = m_flights[id];
    flight.key = key;
    flight.waiters.push_back(std::move(waiter));
    if (key) {
        m_by_key[*key] = id;
    }
    return {id, true};
}

bool Flights::wanted(JobId id) const {
    const std::lock_guard lock(m_mutex);
    const auto found = m_flights.find(id);
    return found != m_flights.end() && !found->second.waiters.empty();
}

void Flights::set_lease(JobId id, const Lease& lease) {
    const std::lock_guard lock(m_mutex);
    if (const auto found = m_flights.find(id); found != m_flights.end()) {
        Lease slim;
        slim.job.id = id;
        slim.token = lease.token;
        found->second.lease = std::move(slim);
    }
}

void Flights::set_lane(JobId id, DeviceLane* lane) {
    const std::lock_guard lock(m_mutex);
    if (const auto found = m_flights.find(id); found != m_flights.end()) {
        found->second.lane = lane;
    }
}

void Flights::set_prepared(JobId id) {
    const std::lock_guard lock(m_mutex);
    if (const auto found = m_flights.find(id); found != m_flights.end()) {
        found->second.prepared = true;
    }
}

std::stop_token Flights::cancel_token(JobId id) const {
    const std::lock_guard lock(m_mutex);
    const auto found = m_flights.find(id);
    return found == m_flights.end() ? std::stop_token() : found->second.cancel.get_token();
}

void Flights::cancel_all() {
    const std::lock_guard lock(m_mutex);
    for (auto& [id, flight] : m_flights) {
        flight.cancel.request_stop();
    }
}

const char* Flights::place_of(const Flight& flight) {
    if (flight.lane != nullptr) {
        return "on the device";
    }
    if (!flight.lease) {
        return "in the queue";
    }
    return flight.prepared ? "while it waited for the device" : "while it was compiled or judged";
}

std::chrono::nanoseconds Flights::deadline(JobId id) const {
    const std::lock_guard lock(m_mutex);
    std::chrono::nanoseconds latest{0};
    if (const auto found = m_flights.find(id); found != m_flights.end()) {
        for (const Waiter& waiter : found->second.waiters) {
            latest = std::max(latest, waiter.deadline);
        }
    }
    return latest;
}

std::vector<Flights::Waiter> Flights::close(JobId id) {
    const std::lock_guard lock(m_mutex);
    const auto found = m_flights.find(id);
    if (found == m_flights.end()) {
        return {};
    }
    if (found->second.key) {
        if (const auto named = m_by_key.find(*found->second.key);
            named != m_by_key.end() && named->second == id) {
            m_by_key.erase(named);
        }
    }
    std::vector<Waiter> waiters = std::move(found->second.waiters);
    m_flights.erase(found);
    return waiters;
}

std::vector<Flights::Waiter> Flights::close_all() {
    const std::lock_guard lock(m_mutex);
    std::vector<Waiter> waiters;
    for (auto& [id, flight] : m_flights) {
        std::move(flight.waiters.begin(), flight.waiters.end(), std::back_inserter(waiters));
    }
    m_flights.clear();
    m_by_key.clear();
    return waiters;
}

std::vector<Flights::Expired> Flights::expire(std::chrono::nanoseconds now) {
    const std::lock_guard lock(m_mutex);
    std::vector<Expired> expired;
    for (auto& [id, flight] : m_flights) {
        const auto late = std::stable_partition(
            flight.waiters.begin(), flight.waiters.end(), [&](const Waiter& waiter) {
                return waiter.deadline > now && !waiter.cancel.stop_requested();
            });
        if (late == flight.waiters.end()) {
            continue;
        }
        const char* place = place_of(flight);
        for (auto waiter = late; waiter != flight.waiters.end(); ++waiter) {
            const bool cancelled = waiter->cancel.stop_requested();
            expired.push_back({std::move(*waiter), place, cancelled});
        }
        flight.waiters.erase(late, flight.waiters.end());
        if (flight.waiters.empty()) {
            if (flight.key) {
                m_by_key.erase(*flight.key);
                flight.key.reset();
            }
            flight.cancel.request_stop();
            if (flight.lane != nullptr) {
                flight.lane->abort();
            }
        }
    }
    return expired;
}

std::vector<Lease> Flights::leases() const {
    const std::lock_guard lock(m_mutex);
    std::vector<Lease> leases;
    for (const auto& [id, flight] : m_flights) {
        if (flight.lease) {
            leases.push_back(*flight.lease);
        }
    }
    return leases;
}

}  // namespace atl
