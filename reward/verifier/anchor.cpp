#include "reward/verifier/anchor.hpp"

#include <chrono>
#include <thread>

namespace atl {

namespace {

constexpr int k_calibrations = 4;
constexpr int k_calibration_bursts = 4;
constexpr std::chrono::milliseconds k_between_calibrations{10};

}  // namespace

Anchor::Anchor() {
    for (int i = 0; i < k_calibrations; ++i) {
        m_learner.take(k_calibration_bursts);
        std::this_thread::sleep_for(k_between_calibrations);
    }
}

void Anchor::refer_to(const CoreBest& known) {
    m_known = known;
}

Anchor::Reading Anchor::read() {
    const CoreProbe probe = probe_core();
    m_learner.learn(probe);
    CoreBest best = m_learner.best();
    best.improve(m_known);
    const double reference = m_known.clock_ns > 0 ? m_known.clock_ns : best.clock_ns;
    return {probe.clock_ns / reference, probe.issue_ratio() / best.issue_ratio};
}

Anchor::Wait Anchor::wait_until(double quiet, double seconds) {
    using Clock = std::chrono::steady_clock;
    Wait wait{read(), 0};
    const Clock::time_point start = Clock::now();
    // No sleep in between: who gives the core away may lose it to the very neighbour, and its
    // clock.
    while (wait.last.issue > quiet && wait.seconds < seconds) {
        wait.last = read();
        wait.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    return wait;
}

}  // namespace atl
