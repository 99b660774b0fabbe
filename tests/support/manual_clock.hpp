#pragma once

#include "reward/base/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace atl::testing {

/// Time that passes when the test says so. Thread-safe.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
        return std::chrono::nanoseconds(m_now.load());
    }
    [[nodiscard]] std::chrono::nanoseconds wall() const override { return monotonic(); }
    void advance(std::chrono::nanoseconds by) { m_now += by.count(); }

  private:
    std::atomic<std::int64_t> m_now{1'000'000'000};
};

}  // namespace atl::testing
