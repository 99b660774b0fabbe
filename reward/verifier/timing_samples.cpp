#include "reward/verifier/timing_samples.hpp"

#include "reward/statistics.hpp"

#include <algorithm>
#include <limits>

namespace atl {

namespace {

/// What it suffered at least.
double slow_down(const TimedSample& sample) {
    return std::max(1.0, std::min(sample.before.issue, sample.after.issue));
}

bool is_quiet(const TimedSample& sample) {
    return sample.disturbance() <= TimingSamples::k_quiet;
}

constexpr double k_ns = 1e-9;

}  // namespace

double TimedSample::disturbance() const {
    return std::max(before.issue, after.issue);
}

std::size_t TimingSamples::quiet() const {
    return static_cast<std::size_t>(std::count_if(m_samples.begin(), m_samples.end(), is_quiet));
}

double TimingSamples::quiet_seconds() const {
    double sum = 0;
    for (const TimedSample& sample : m_samples) {
        sum += is_quiet(sample) ? k_ns * sample.ns : 0;
    }
    return sum;
}

double TimingSamples::seconds() const {
    double sum = 0;
    for (const TimedSample& sample : m_samples) {
        sum += k_ns * sample.ns;
    }
    return sum;
}

std::vector<double> TimingSamples::raw() const {
    std::vector<double> values;
    for (const TimedSample& sample : m_samples) {
        values.push_back(sample.ns);
    }
    return values;
}

std::vector<const TimedSample*> TimingSamples::that_count() const {
    std::vector<const TimedSample*> all;
    for (const TimedSample& sample : m_samples) {
        all.push_back(&sample);
    }
    const auto worse = [](const TimedSample* a, const TimedSample* b) {
        return a->disturbance() < b->disturbance();
    };
    std::stable_sort(all.begin(), all.end(), worse);
    const std::size_t some = quiet() >= k_least ? quiet() : std::max(all.size() / 2, k_least);
    all.resize(std::min(all.size(), some));
    return all;
}

std::vector<double> TimingSamples::counted() const {
    const bool enough = quiet() >= k_least;
    double fastest = std::numeric_limits<double>::infinity();
    for (const TimedSample& sample : m_samples) {
        fastest = std::min(fastest, sample.scaled_ns());
    }
    std::vector<double> values;
    for (const TimedSample* sample : that_count()) {
        const double ns = sample->scaled_ns();
        values.push_back(enough ? ns : std::max(fastest, ns / slow_down(*sample)));
    }
    return values;
}

double TimingSamples::disturbance() const {
    std::vector<double> values;
    for (const TimedSample* sample : that_count()) {
        values.push_back(sample->disturbance());
    }
    return values.empty() ? 1 : median(values);
}

double TimingSamples::clock() const {
    std::vector<double> values;
    for (const TimedSample* sample : that_count()) {
        values.push_back(sample->before.clock);
    }
    return values.empty() ? 1 : median(values);
}

double TimingSamples::median_ns() const {
    std::vector<double> judged;
    for (const TimedSample& sample : m_samples) {
        if (sample.judged) {
            judged.push_back(sample.scaled_ns() / slow_down(sample));
        }
    }
    return verified_median(counted(), judged, k_faster_than_verified);
}

bool TimingSamples::held_back() const {
    return !m_samples.empty() && median_ns() > median(counted());
}

MedianInterval TimingSamples::interval() const {
    MedianInterval interval = median_interval(counted());
    if (quiet() < k_least) {
        std::vector<double> undivided;
        for (const TimedSample* sample : that_count()) {
            undivided.push_back(sample->scaled_ns());
        }
        interval.high = std::max(interval.high, median_interval(undivided).high);
    }
    return interval;
}

bool TimingSamples::is_narrow(double confidence) const {
    const MedianInterval range = interval();
    return (range.high - range.low) / 2 <= confidence * median(counted());
}

bool TimingSamples::is_noisy(double confidence) const {
    return quiet() < k_least || 2 * quiet() < size() || !is_narrow(k_noisy_factor * confidence) ||
           held_back();
}

}  // namespace atl
