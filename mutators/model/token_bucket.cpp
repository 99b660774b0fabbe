#include "mutators/model/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

using Minutes = std::chrono::duration<double, std::ratio<60>>;

}  // namespace

void TokenBucket::fill(Time now) {
    const double passed = std::max(0.0, Minutes(now - m_at).count());
    m_level = std::min(m_per_minute, m_level + passed * m_per_minute);
    m_at = std::max(m_at, now);
}

TokenBucket::Time TokenBucket::ready_at(Time now, double amount) {
    if (m_per_minute <= 0) {
        return now;
    }
    fill(now);
    const double missing = std::min(amount, m_per_minute) - m_level;
    if (missing <= 0) {
        return now;
    }
    // Rounded up, so that it is there then.
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(Minutes(missing / m_per_minute));
    return now + std::max(wait, std::chrono::milliseconds(1));
}

void TokenBucket::take(Time now, double amount) {
    if (m_per_minute > 0) {
        fill(now);
        m_level = std::min(m_per_minute, m_level - amount);
    }
}

}  // namespace atl
