#pragma once

#include <chrono>

namespace atl {

/// A token bucket (RFC 2697 has the idea): fills at a constant rate up to what a minute brings, and
/// starts full. Pure: time is told. Not thread-safe.
class TokenBucket {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// `per_minute` 0: no limit.
    TokenBucket(double per_minute, Time now)
        : m_per_minute(per_minute), m_level(per_minute), m_at(now) {}

    /// When `amount` may be taken: `now`, or when it will be there. What is more than the bucket
    /// holds may be taken when it is full, so that nothing waits for ever.
    [[nodiscard]] Time ready_at(Time now, double amount);
    /// Takes it; the level may fall below zero.
    void take(Time now, double amount);
    /// Gives back what was taken and not used; a negative amount takes more.
    void give_back(Time now, double amount) { take(now, -amount); }

  private:
    void fill(Time now);

    double m_per_minute;
    double m_level;
    Time m_at;
};

}  // namespace atl
