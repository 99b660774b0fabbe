#pragma once

#include <chrono>

namespace atl {

/// Time, injected so that tests decide it. Implementations are thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    /// Monotonic; for durations and deadlines.
    [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
    /// Since the Unix epoch; for records only, it may step.
    [[nodiscard]] virtual std::chrono::nanoseconds wall() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
        return std::chrono::steady_clock::now().time_since_epoch();
    }
    [[nodiscard]] std::chrono::nanoseconds wall() const override {
        return std::chrono::system_clock::now().time_since_epoch();
    }
};

}  // namespace atl
