#pragma once

#include <chrono>
#include <optional>

namespace atl {

/// How long to wait before trying again: here and nowhere else.
struct BackOff {
    std::chrono::milliseconds first{1000};
    std::chrono::milliseconds longest{60'000};
    /// An endpoint that asks for a longer wait than this is not waited for.
    std::chrono::seconds longest_asked{600};

    /// Before attempt `attempt` + 1, after attempt `attempt` (from 1) failed: `first`, doubled each
    /// time, at most `longest`, of it a random part between half and all ("equal jitter" of
    /// M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Where the
    /// endpoint said how long (`asked`), that and up to `first` more, so that those who were told
    /// the same do not come together. `draw` is uniform in [0, 1).
    [[nodiscard]] std::chrono::milliseconds pause(int attempt,
                                                  std::optional<std::chrono::seconds> asked,
                                                  double draw) const;
};

}  // namespace atl
