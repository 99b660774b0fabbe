#include "reward/verifier/stop_rule.hpp"

namespace atl {

namespace {

constexpr std::size_t k_look_every = 8;  // samples

/// How often and how long launches are taken again on a disturbed machine: so many times what they
/// may take on a quiet one.
constexpr double k_patience = 1.5;

}  // namespace

bool StopRule::finished(const TimingSamples& samples) const {
    if (static_cast<double>(samples.size()) >= k_patience * static_cast<double>(most_samples) ||
        (samples.size() >= TimingSamples::k_least &&
         samples.seconds() >= k_patience * measure_seconds)) {
        return true;
    }
    const std::size_t quiet = samples.quiet();
    if (quiet < TimingSamples::k_least) {
        return false;
    }
    if (quiet >= most_samples || samples.quiet_seconds() >= measure_seconds) {
        return true;
    }
    // One sample more changes little where there are many, and looking costs as much as a launch.
    const bool look = quiet < k_look_every * 2 || samples.size() % k_look_every == 0;
    return look && samples.is_narrow(confidence);
}

}  // namespace atl
